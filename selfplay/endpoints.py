"""Which endpoint plays which role: the group ``endpoint``, and what ``endpoints.<role>`` has differently.

players.judge=endpoint endpoint.url=http://localhost:8000/v1 endpoint.model=NAME
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from selfplay.configuration import RecipeError, build
from selfplay.keys import did_you_mean
from selfplay.samplers.endpoint.address import check_form
from selfplay.samplers.openai import OpenAISampler

ENDPOINT = "endpoint"
"""As a player, and as the config group."""


def endpoint_samplers(config: DictConfig, roles: Sequence[str]) -> dict[str, OpenAISampler]:
    """The sampler of each of ``roles``; roles with equal settings share one, and with it its limits.

    No call is made. Raises RecipeError for a value that cannot work.
    """
    by_settings: dict[str, OpenAISampler] = {}
    chosen = {}
    for role in roles:
        own = settings_of(config, role)
        if repr(own) not in by_settings:
            by_settings[repr(own)] = build(OmegaConf.create({ENDPOINT: own}), ENDPOINT)
        chosen[role] = by_settings[repr(own)]
    return chosen


def settings_of(config: DictConfig, role: str) -> dict[str, Any]:
    """The keys of one role's endpoint, as plain values.

    Raises:
        RecipeError: ``endpoints.<role>`` has a key that no endpoint knows.
    """
    plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    common, own = plain[ENDPOINT], plain["endpoints"].get(role) or {}
    for name in own:
        if name not in common:
            raise RecipeError(f"endpoints.{role}.{name} is not a key of an endpoint{did_you_mean(name, common)}")
    return {**common, **own}


def check_endpoints(
    config: DictConfig, chosen: Mapping[str, str], learning: Sequence[str], choices: Sequence[str] = ()
) -> None:
    """Refuse endpoints that cannot be asked, and roles that would have to learn from one.

    Args:
        chosen: who plays each role.
        learning: the roles with an adapter that learns; none where no model plays at all.
        choices: the verdicts that the game's judge chooses from; none where it may say anything.

    Raises:
        RecipeError: the first mistake found.
    """
    asked = [role for role, player in chosen.items() if player == ENDPOINT]
    for role in config.endpoints:
        if role not in chosen:
            raise RecipeError(f"endpoints.{role}: this game has no such role{did_you_mean(str(role), chosen)}")
    _refuse_keys(config)
    for role in asked:
        if role in learning:
            frozen = [*config.policy.frozen, *(other for other in asked if other in learning)]
            raise RecipeError(
                f"players.{role}=endpoint, but the {role} learns, and nothing can be learned from texts without our "
                f"tokens; add 'policy.frozen=[{','.join(frozen)}]', or let the model play it."
            )
    if "judge" in asked and any(len(choice) > 1 for choice in choices):  # of a chat, the first token alone is listed
        raise RecipeError(
            f"game.verdicts=scored, but players.judge=endpoint: a server tells how likely the first token of a reply "
            f"is, and {choices[0]} has several; set game.verdicts=sampled."
        )
    for role, sampler in endpoint_samplers(config, asked).items():
        try:
            sampler.settings.new_tokens(role)
        except ValueError as error:
            raise RecipeError(str(error)) from error


def _refuse_keys(config: DictConfig) -> None:
    """Whether or not an endpoint plays: the config is written down, and a key must not be in it."""
    for settings in (settings_of(config, role) for role in ("", *map(str, config.endpoints))):
        try:
            check_form(settings["url"], settings["api_key_env"], settings["extra"])
        except ValueError as error:
            raise RecipeError(str(error)) from error
