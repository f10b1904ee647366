"""One window of self-play, from seeds to the turns worth learning from. No tensors here.

    seeds_B --Game.play--> episodes --control--> gathered episodes --assign_advantages, remember--> turns_N of all ranks

Every rank plays its own seeds; then all ranks see all episodes, in seed order, so that batch-wide advantages, the
game's memory, the alarms and the log are the same everywhere.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from selfplay.advantages import RoleBaselines, assign_advantages
from selfplay.guards.alarms import Alarms
from selfplay.guards.controls import Control
from selfplay.learner.seeds import SeedStream
from selfplay.samplers.endpoint.ledger import Ledger, log_names
from selfplay.types import Episode, Game, Sampler, Turn

Gather = Callable[[list[Episode]], list[Episode]]
"""This rank's episodes -> all ranks' episodes (any order). On one process it is the identity."""


@dataclass(frozen=True)
class Arena:
    """Everything a window needs and no tensor library provides."""

    game: Game
    sampler: Sampler
    seeds: SeedStream
    control: Control
    alarms: Alarms
    scale: Literal["group", "batch", "none"]  # what advantages are divided by
    baselines: RoleBaselines | None  # running means of the roles; None centres on the group
    run_seed: int
    troubles: Callable[[], list[str] | None] = lambda: None  # of this rank's checkers since the last window
    ledgers: Sequence[Ledger] = ()  # of this rank's endpoints


@dataclass(slots=True)
class Window:
    """What all ranks played, in seed order: the same on every rank."""

    number: int
    turns_N: list[Turn]
    everyone: list[Episode]
    measures: dict[str, float]
    warnings: list[str]


def play_window(arena: Arena, number: int, rank: int, world: int, gather: Gather) -> Window:
    """Play window ``number``. Collective: every rank calls it, with its own rank."""
    arena.sampler.begin(arena.run_seed, number, rank)
    earlier = arena.troubles() or []  # an examination's: told here, but not counted against this window
    episodes = arena.game.play(arena.seeds.window(number, rank, world), arena.sampler)
    if (troubles := arena.troubles()) is not None:
        episodes[0].notes["checker"] = "\n".join([*earlier, *troubles])
    for episode in episodes:
        mark_unanswered(episode)
    if spent := [fresh for ledger in arena.ledgers if (fresh := ledger.take())]:
        episodes[0].notes["endpoints"] = json.dumps(spent)
    everyone = sorted(gather(episodes), key=lambda episode: episode.seed.index)
    arena.control.repay(everyone, key=(arena.run_seed, number))  # what one rank refuses, all refuse
    turns = [turn for episode in everyone for turn in episode.turns]
    resting = {role for role, period in arena.game.periods.items() if not period or number % period}
    for turn in turns:
        if turn.role in resting:
            turn.objective = None
    broken = unpayable(turns)
    report = assign_advantages(turns, scale=arena.scale, baselines=arena.baselines)
    arena.game.remember(everyone)
    guard_values, warnings = arena.alarms.check(everyone)
    measures = {**describe(everyone), **report, **guard_values, **endpoint_counts(everyone)}
    return Window(number, turns, everyone, measures, [*broken, *unanswered(everyone), *warnings])


def mark_unanswered(episode: Episode) -> None:
    """Note in an episode how many of its turns the infrastructure left without a reply, and the first reason."""
    reasons = [turn.failure for turn in episode.turns if turn.failure]
    if reasons:
        told = {"turns": len(reasons), "of": len(episode.turns), "reason": reasons[0]}
        episode.notes["unanswered"] = json.dumps(told, ensure_ascii=False)


def unanswered(episodes: Sequence[Episode]) -> list[str]:
    """One line for each episode that is marked."""
    lines = []
    for episode in episodes:
        if marked := episode.notes.get("unanswered"):
            told, about = json.loads(marked), episode.notes.get("context", episode.seed.topic)
            share = f"{told['turns']} of {told['of']} turns"
            lines.append(f"seed {episode.seed.index} ({about}): {share} got no answer ({told['reason']}).")
    return lines


def endpoint_counts(episodes: Sequence[Episode]) -> dict[str, float]:
    """What all ranks' endpoints were asked for this window: ``perf/endpoint/<role>/calls`` and the like."""
    spent = [json.loads(episode.notes["endpoints"]) for episode in episodes if "endpoints" in episode.notes]
    totals: Counter[str] = Counter()
    for by_role in (by_role for of_rank in spent for by_role in of_rank):
        totals.update(log_names(by_role))
    return {name: float(total) for name, total in totals.items()}


def unpayable(turns_N: Sequence[Turn]) -> list[str]:
    """Take turns out of learning whose reward is NaN or infinite: one of them would spoil its whole group.

    Returns one line for each role and reward part; a broken reward function must not go unseen.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    for turn in turns_N:
        bad = [(part, value) for part, value in turn.rewards.items() if not math.isfinite(value)]
        if bad and turn.objective is not None:
            turn.objective = None
            counts.update((turn.role, part, str(value)) for part, value in bad)
    return [
        f"the reward {part!r} of the {role} was {value} in {count} turns, which teach nothing; mend the game."
        for (role, part, value), count in sorted(counts.items())
    ]


def describe(episodes: Sequence[Episode]) -> dict[str, float]:
    """The window's figures under their log names: ``game/<fact>``, ``reward/<role>/<part>``, ``role/<role>/...``."""
    columns: dict[str, list[float]] = {}

    def add(name: str, value: float) -> None:
        columns.setdefault(name, []).append(value)

    for episode in episodes:
        for fact, value in episode.facts.items():
            add(f"game/{fact}", value)
        for turn in episode.turns:
            add(f"role/{turn.role}/stopped", float(turn.stopped))
            add(f"role/{turn.role}/tokens", float(len(turn.text_ids or ())))
            for part, value in turn.rewards.items():
                add(f"reward/{turn.role}/{part}", value)
    return {name: sum(values) / len(values) for name, values in sorted(columns.items())}
