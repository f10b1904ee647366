"""What can be known to be wrong before a model is loaded: wrong types, groups of one, batches that do not divide.

Single values first (``selfplay/rules.py``), then relations between keys. Every failure is a RecipeError: one line with
the key, the value and the mend. Nothing here imports torch.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from selfplay.configuration import RecipeError, build, compose, one_line, roles_of
from selfplay.endpoints import check_endpoints
from selfplay.keys import did_you_mean, flat_keys
from selfplay.learner.loss_mix import LossMix, Word
from selfplay.recipe_changes import PROCESSES
from selfplay.rules import RULES
from selfplay.shape import base_folder, read_config
from selfplay.suites import yardstick_of
from selfplay.types import Game

DUELS = ("duel/base/win_rate", "duel/initial/win_rate")
"""What the shipped yardsticks call a win rate; the examination tells, before training, which of them a run has."""


def check(config: DictConfig, world_size: int = 1) -> None:
    """Refuse what cannot work.

    Args:
        config: from ``configuration.compose``.
        world_size: processes of the job; a window's seeds are shared out evenly among them.

    Raises:
        RecipeError: the first mistake found.
    """
    try:
        plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True, throw_on_missing=True))
    except MissingMandatoryValue as error:
        raise RecipeError(f"{error.full_key} is not given, and has no default; add {error.full_key}=...") from error
    except OmegaConfBaseException as error:
        raise RecipeError(one_line(error)) from error
    for key, (holds, wanted) in RULES.items():
        value = _at(plain, key)
        if not holds(value):
            raise RecipeError(f"{key}={_shown(value)} must be {wanted}.")
    _check_resume_allow(config)
    _check_keep_best(plain)
    game: Game = build(config, "game")
    _check_roles(plain, game)
    _check_loss_mix(config, game)
    learning = [role for role in game.roles if role not in plain["policy"]["frozen"]] if has_model(config, game) else []
    check_endpoints(config, players(config, game), learning, getattr(game, "choices", None) or ())
    _check_groups(plain, game)
    _check_division(plain, game, world_size)
    _check_visits(plain, game)
    _check_yardsticks(config, game)
    if has_model(config, game):
        _check_window(plain, game)


def has_model(config: DictConfig, game: Game) -> bool:
    """Whether any role is played by the model; without one there is nothing to load and nothing to learn."""
    return "model" in players(config, game).values()


def players(config: DictConfig, game: Game) -> dict[str, str]:
    """Who plays each role: the one word for all, or by role with the model as default."""
    chosen = config.players
    if isinstance(chosen, str):
        return dict.fromkeys(game.roles, chosen)
    for role in chosen:
        if role not in game.roles:
            raise RecipeError(f"players.{role}: this game has no such role{did_you_mean(str(role), game.roles)}")
    return {role: chosen.get(role, "model") for role in game.roles}


def micro_batches(config: DictConfig, world_size: int = 1) -> int:
    """Forward and backward passes of one optimizer step, on each process: what ``learner.rows_per_role`` comes to."""
    most = config.learner.rows_per_role
    if most is None:
        return 1
    rows = max(rows_per_update(config, build(config, "game"), world_size).values(), default=0)
    return max(1, -(-rows // most))


def loss_mix(config: DictConfig, game: Game) -> Word | dict[str, float]:
    """``learner.loss_mix``, weights spelled out for every role."""
    mix = config.learner.loss_mix
    return cast(Word, mix) if isinstance(mix, str) else roles_of(mix, game.roles, "learner.loss_mix")


def rows_per_update(config: DictConfig, game: Game, world_size: int = 1) -> dict[str, int]:
    """Most rows of each role that one process feeds to one optimizer step; of roles that learn."""
    seeds = config.seeds.per_window // world_size
    return {role: -(-seeds * rows // config.learner.updates_per_window) for role, rows in _taught(game).items()}


def _taught(game: Game) -> dict[str, int]:
    """``rows_per_seed`` of the roles that a game ever teaches."""
    return {role: rows for role, rows in game.rows_per_seed.items() if game.periods.get(role, 1)}


def _check_roles(plain: dict[str, Any], game: Game) -> None:
    for key in ("learner.lr", "learner.kl", "sampler.max_new_tokens"):
        roles_of(_at(plain, key), game.roles, key)
    frozen = plain["policy"]["frozen"]
    for role in frozen:
        if role not in game.roles:
            raise RecipeError(f"policy.frozen={frozen}: this game has no role {role!r}{did_you_mean(role, game.roles)}")
    learning = [role for role in game.roles if role not in frozen]
    if not learning or plain["policy"]["adapters"] == "none":
        raise RecipeError(
            f"policy.frozen={frozen} and policy.adapters={plain['policy']['adapters']} leave no role to learn."
        )
    if plain["policy"]["adapters"] == "shared":
        rates = roles_of(plain["learner"]["lr"], game.roles, "learner.lr")
        if len({rates[role] for role in learning}) > 1:
            raise RecipeError(
                f"learner.lr={rates} differs by role, but policy.adapters=shared trains one adapter; give one number."
            )


def _check_loss_mix(config: DictConfig, game: Game) -> None:
    mix = loss_mix(config, game)
    try:
        planned = LossMix(game.roles, config.max_steps, mix)
        ends = [planned.at(0), planned.at(config.max_steps)]
    except ValueError as error:
        raise RecipeError(str(error)) from error
    if not all(any(weight for role, weight in at.items() if role not in config.policy.frozen) for at in ends):
        raise RecipeError(f"learner.loss_mix={mix} leaves no role to learn; give one that is not frozen more than 0.")


def _check_resume_allow(config: DictConfig) -> None:
    known = [*flat_keys(config), PROCESSES]
    for name in config.resume_allow:
        if name not in known:
            raise RecipeError(f"resume_allow: {name} is not a key of this recipe{did_you_mean(str(name), known)}")


def _check_keep_best(plain: dict[str, Any]) -> None:
    """As far as the config knows: the suite is one of the recipe's, and more of the metric is better."""
    metric, evaluation = plain["learner"]["keep_best"], plain["evaluation"]
    if metric is None:
        return
    suites = [f"yardstick/{name}" for name in evaluation["yardsticks"]]
    known = [f"{suite}/pass@1" for suite in suites] + (list(DUELS) if evaluation["duel"] and suites else [])
    if not evaluation["every"] or not known:
        raise RecipeError(f"learner.keep_best={metric}, but nothing is measured; set evaluation.every and a yardstick.")
    if metric not in known and not metric.startswith(tuple(f"{suite}/" for suite in suites)):
        raise RecipeError(f"learner.keep_best={metric} is no metric of this recipe{did_you_mean(metric, known)}")


def _check_yardsticks(config: DictConfig, game: Game) -> None:
    """They are built, and so asked whether they can measure on their domain, and on who plays."""
    if not config.evaluation.every:
        return
    playing = players(config, game) if has_model(config, game) else {}
    for name, node in config.evaluation.yardsticks.items():
        if "_target_" not in node:
            raise RecipeError(
                f"evaluation.yardsticks.{name} has no _target_, so it is no yardstick of this recipe; name its class, "
                "or set evaluation.every=0."
            )
        yardstick = yardstick_of(config, name, game)
        if not hasattr(yardstick, "roles") or not hasattr(yardstick, "texts"):
            raise RecipeError(
                f"evaluation.yardsticks.{name}: {node._target_} is no yardstick; it needs roles (whom it asks) and "
                "texts (how many it samples), as selfplay.learner.examiner.Yardstick says."
            )
        for role in yardstick.roles:
            if playing.get(role, "model") != "model":
                raise RecipeError(
                    f"evaluation.yardsticks.{name} measures the model's {role}, but players.{role}={playing[role]} "
                    f"plays; leave it out with '~evaluation.yardsticks.{name}', or let the model play."
                )


def _check_groups(plain: dict[str, Any], game: Game) -> None:
    """A group of one is its own baseline: its advantage is always 0. Without groups there is no spread of a group."""
    if plain["learner"]["baseline"] == "role_ema":
        if plain["learner"]["scale"] == "group":
            raise RecipeError(
                "learner.scale=group does not go with learner.baseline=role_ema, whose groups may have one member and "
                "no spread; set learner.scale=batch or none."
            )
        return
    for role, rows in _taught(game).items():
        if rows == 1 and role not in plain["policy"]["frozen"]:  # a role without turns has no group at all
            raise RecipeError(
                f"the group of role {role!r} holds {rows} turn, which has nothing to be compared with; raise the "
                "game's number of samples to 2 or more, or set learner.baseline=role_ema learner.scale=batch."
            )


def _check_division(plain: dict[str, Any], game: Game, world_size: int) -> None:
    per_window = plain["seeds"]["per_window"]
    if per_window % world_size:
        mend = -(-per_window // world_size) * world_size
        raise RecipeError(
            f"seeds.per_window={per_window} does not divide over {world_size} processes; try seeds.per_window={mend}."
        )
    learner, taught = plain["learner"], _taught(game)
    if not taught:
        return
    updates, most = learner["updates_per_window"], learner["rows_per_role"]
    role, rows = max(
        ((role, rows * per_window // world_size) for role, rows in taught.items()), key=lambda item: item[1]
    )
    if rows % updates:
        raise RecipeError(
            f"learner.updates_per_window={updates} does not divide the {rows} {role} rows that one process has in a "
            f"window; try {_divisor_below(rows, updates)}."
        )
    if most and (rows // updates) % most and most < rows // updates:
        raise RecipeError(
            f"learner.rows_per_role={most} does not divide the {rows // updates} {role} rows that one process feeds to "
            f"one update; try {_divisor_below(rows // updates, most)}."
        )


def _check_visits(plain: dict[str, Any], game: Game) -> None:
    """Of a game on contexts: a window must not visit one twice where visits go on, nor the last one find none left."""
    number, per_window = len(getattr(game, "contexts", ())), plain["seeds"]["per_window"]
    if plain["game"].get("carry") and per_window > number:
        raise RecipeError(
            f"game.carry=true: with seeds.per_window={per_window} a window would visit one of the {number} contexts "
            f"twice, and both visits would go on from the same round; set seeds.per_window={number} or less."
        )
    visits = plain["game"].get("visits")
    if visits is not None and (plain["max_steps"] - 1) * per_window >= visits * number:
        raise RecipeError(
            f"max_steps={plain['max_steps']}: game.visits={visits} to each of {number} contexts are over before; set "
            f"max_steps={-(-visits * number // per_window)}, or game.visits=null."
        )


def _check_window(plain: dict[str, Any], game: Game) -> None:
    """A reply must leave room for a prompt in the base's window; known where the base lies on this machine."""
    base = plain["policy"]["base"]
    folder = base_folder(base)
    window = read_config(folder, base).get("max_position_embeddings") if folder else None
    for role, tokens in roles_of(plain["sampler"]["max_new_tokens"], game.roles, "sampler.max_new_tokens").items():
        if window and tokens >= window:
            raise RecipeError(
                f"sampler.max_new_tokens={tokens} for the {role} fills the window of policy.base={base}, which holds "
                f"{window} tokens; give fewer, e.g. sampler.max_new_tokens={window // 4}."
            )


def _divisor_below(rows: int, wish: int) -> int:
    return next(size for size in range(min(wish, rows), 0, -1) if rows % size == 0)


def _at(plain: dict[str, Any], key: str) -> Any:
    node: Any = plain
    for name in key.split("."):
        node = node[name] if isinstance(node, Mapping) and name in node else None
    return node


def _shown(value: Any) -> str:
    return "null" if value is None else f"{value!r}" if isinstance(value, str) else f"{value}"


def main() -> int:
    """Check the words on the command line without starting anything: exit status 0, or 2 with one line."""
    try:
        check(compose(sys.argv[1:]))
    except RecipeError as error:
        print(f"selfplay: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
