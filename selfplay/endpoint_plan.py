"""What endpoints would be asked for, and what that would cost: of the plan that ``dry_run=true`` prints.

game --budget--> Asked by role --prices--> rows of a table
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from omegaconf import DictConfig

from selfplay.checks import players
from selfplay.configuration import roles_of
from selfplay.endpoints import ENDPOINT, settings_of
from selfplay.types import Asked, Budgeted, Game

MILLION = 1e6
SHORT_PROMPT = 128
"""Tokens assumed of a prompt where the game cannot tell: instructions of the shipped games are shorter."""

ASKED_HEADER = ("role", "calls", "prompt tokens", "reply tokens", "cost", "most calls")
ASKED_NOTE = (
    "Upper bounds where nothing is asked twice: every reply as long as it may be, its tasks equally long, a token of "
    "prompt for 4 characters, nothing cached. 'most calls' has every further try at replies that cannot be read; tries "
    "at a server that fails come on top. The cost is in the money of endpoint.prices."
)


@dataclass(frozen=True)
class Asking:
    """What one role of a whole run is asked for, and where."""

    model: str
    url: str
    asked: Asked
    cost: float | None  # in the money of ``endpoint.prices``; None where no prices are given


def askings(config: DictConfig, game: Game) -> dict[str, Asking]:
    """By role, of the roles that endpoints play."""
    roles = [role for role, player in players(config, game).items() if player == ENDPOINT]
    if not roles:
        return {}
    limits = roles_of(config.sampler.max_new_tokens, game.roles, "sampler.max_new_tokens")
    settings = {role: settings_of(config, role) for role in roles}
    limits |= {role: new_tokens(own["max_new_tokens"], role) for role, own in settings.items()}
    episodes = config.max_steps * config.seeds.per_window
    budget = game.budget(episodes, limits) if isinstance(game, Budgeted) else _by_rows(game, episodes, limits)
    return {
        role: Asking(own["model"], own["url"], budget[role], cost(budget[role], own["prices"]))
        for role, own in settings.items()
    }


def addresses(asked: Mapping[str, Asking]) -> list[str]:
    """Who is asked where, a line for each model."""
    roles: dict[tuple[str, str], list[str]] = {}
    for role, one in asked.items():
        roles.setdefault((one.model, one.url), []).append(role)
    return [f"{model} at {url} plays {', '.join(names)}." for (model, url), names in roles.items()]


def new_tokens(limit: int | Mapping[str, int], role: str) -> int:
    return limit if isinstance(limit, int) else limit[role]


def cost(asked: Asked, prices: Mapping[str, float] | None) -> float | None:
    """
    >>> cost(Asked(10, 30, 2_000_000, 500_000), {"prompt": 2.0, "completion": 8.0})
    8.0
    """
    if prices is None:
        return None
    return (asked.prompt_tokens * prices["prompt"] + asked.reply_tokens * prices["completion"]) / MILLION


def asked_rows(asked: Mapping[str, Asking]) -> list[tuple[str, ...]]:
    """A row for each role, and their sum."""
    rows = [(role, *_figures(one.asked, _shown([one.cost]))) for role, one in asked.items()]
    total = sum((one.asked for one in asked.values()), Asked(0, 0, 0, 0))
    return [*rows, ("all", *_figures(total, _shown([one.cost for one in asked.values()])))]


def _shown(costs: Sequence[float | None]) -> str:
    """
    >>> _shown([1.5, 2.0]), _shown([3.0, None]), _shown([None])
    ('3.50', 'at least 3.00', '-')
    """
    known = [cost for cost in costs if cost is not None]
    if not known:
        return "-"
    return ("" if len(known) == len(costs) else "at least ") + f"{sum(known):,.2f}"


def _figures(asked: Asked, money: str) -> tuple[str, ...]:
    return (f"{asked.calls:,}", f"{asked.prompt_tokens:,}", f"{asked.reply_tokens:,}", money, f"{asked.most_calls:,}")


def _by_rows(game: Game, episodes: int, limits: Mapping[str, int]) -> dict[str, Asked]:
    """A call for each reply, and short prompts."""
    calls = {role: episodes * rows for role, rows in game.rows_per_seed.items()}
    return {role: Asked(number, number, number * SHORT_PROMPT, number * limits[role]) for role, number in calls.items()}
