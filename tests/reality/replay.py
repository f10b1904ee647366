"""Schedules replayed on verdicts that are known for every pair in both orders: do they name the full schedule's winner?

A table holds one verdict for each ordered pair of four answers, 12 in all. The full schedule asks for all of them; its
winners are the answers with the highest R_A, without length control: several where they are tied, and whoever names any
of them is right. A schedule names the answer with the highest R_A after its own judgments, the first of equal ones, and
is replayed under every numbering of the answers, so that no answer profits from its number.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from statistics import fmean

from selfplay.evaluation.statistics import wilson
from selfplay.roles.adaptive import Adaptive
from selfplay.roles.judge import actor_rewards
from selfplay.roles.schedules import Expected, Meeting, Schedule
from selfplay.types import Judgment, Verdict

Table = Mapping[Meeting, Verdict | None]

MEETINGS: tuple[Meeting, ...] = tuple(permutations(range(4), 2))


def numberings(table: Table) -> Iterator[Table]:
    """The table with its four answers numbered in each of the 24 ways."""
    for order in permutations(range(4)):
        yield {(order[first], order[second]): verdict for (first, second), verdict in table.items()}


def winners(table: Table) -> set[int]:
    points = half_wins(table)
    return {answer for answer in points if points[answer] == max(points.values())}


def half_wins(table: Table) -> dict[int, int]:
    """Counted naively; of 12 that an answer can have."""
    points = dict.fromkeys(range(4), 0)
    for (first, second), verdict in table.items():
        points[first] += {"first": 2, "tie": 1}.get(verdict or "", 0)
        points[second] += {"second": 2, "tie": 1}.get(verdict or "", 0)
    return points


def play(schedule: Schedule, table: Table) -> list[Judgment]:
    judgments: list[Judgment] = []
    for _ in range(schedule.rounds):
        judgments += [Judgment(*meeting, table[meeting]) for meeting in schedule.next(4, judgments)]
    return judgments


def rewards(schedule: Schedule, judgments: Sequence[Judgment]) -> list[float]:
    """R_A without length control."""
    return actor_rewards([1] * 4, judgments, None, schedule.expected(4, judgments))


@dataclass(frozen=True)
class Replay:
    """Over tables and numberings."""

    agreement: float  # share in which the schedule named a winner of the full schedule
    low: float  # Wilson, 95 %, as if tables were independent; the numberings of one table are not counted apart
    high: float
    judgments: float  # asked for, on average
    most: int
    reward_error: float  # mean |R_A - R_A of the full schedule|
    shares: tuple[float, ...]  # agreement of each table, over its numberings


def replay(
    schedule: Schedule,
    tables: Sequence[Table],
    truths: Sequence[Table] | None = None,
    every_numbering: bool = True,
) -> Replay:
    """Play the schedule on the tables.

    Args:
        truths: tables whose full schedule's winners are the right ones, e.g. of other draws of the verdicts; None = the
            tables themselves.
        every_numbering: False = as the tables are numbered, 24 times faster.
    """
    shares, asked, errors = [], [], []
    for table, truth in zip(tables, truths or tables, strict=True):
        named = []
        both = zip(numberings(table), numberings(truth), strict=True) if every_numbering else [(table, truth)]
        for numbered, right in both:
            judgments = play(schedule, numbered)
            paid = rewards(schedule, judgments)
            full = half_wins(right)
            named.append(paid.index(max(paid)) in winners(right))
            asked.append(len(judgments))
            errors.append(fmean(abs(paid[answer] - full[answer] / 12) for answer in range(4)))
        shares.append(fmean(named))
    agreement = fmean(shares)
    low, high = wilson(agreement * len(tables), len(tables))
    return Replay(agreement, low, high, fmean(asked), max(asked), fmean(errors), tuple(shares))


def strict_share(tables: Sequence[Table]) -> float:
    """How often the full schedule has one winner."""
    return fmean(len(winners(table)) == 1 for table in tables)


def chance_share(tables: Sequence[Table]) -> float:
    """How often a random answer is a winner."""
    return fmean(len(winners(table)) / 4 for table in tables)


def provable_share(tables: Sequence[Table], judgments: int) -> float:
    """How often some ``judgments`` of the 12 verdicts prove a winner, whatever the others are: an oracle picks them."""
    return fmean(any(_proves(table, set(asked)) for asked in combinations(MEETINGS, judgments)) for table in tables)


def _proves(table: Table, asked: set[Meeting]) -> bool:
    return any(all(_never_behind(table, asked, one, other) for other in range(4) if other != one) for one in range(4))


def _never_behind(table: Table, asked: set[Meeting], one: int, other: int) -> bool:
    """Whether ``one`` has at least as many half wins where all that is open goes to ``other``, or away from ``one``."""
    ahead = 0
    for first, second in MEETINGS:
        verdict = table[first, second] if (first, second) in asked else None
        if (first, second) in asked:
            half_wins = {first: {"first": 2, "tie": 1}, second: {"second": 2, "tie": 1}}
            ahead += half_wins.get(one, {}).get(verdict or "", 0) - half_wins.get(other, {}).get(verdict or "", 0)
        elif other in (first, second):
            ahead -= 2
    return ahead >= 0


class AtRandom:
    """Eight of the twelve meetings, whichever: what a budget without a plan names."""

    rounds, times = 1, 1

    def __init__(self, judgments: int = 8, seed: int = 0) -> None:
        self.judgments, self.chance = judgments, random.Random(seed)

    def most_judgments(self, answers: int) -> int:
        return self.judgments

    def next(self, answers: int, judgments_J: Sequence[Judgment]) -> list[Meeting]:
        return self.chance.sample(MEETINGS, self.judgments)

    def expected(self, answers: int, judgments_J: Sequence[Judgment]) -> Expected:
        return {}


class OnlyAsked(Adaptive):
    """R_A over the judgments that were made, divided by how many an answer stood in: what the expectation is worth."""

    def expected(self, answers: int, judgments_J: Sequence[Judgment]) -> Expected:
        return {}
