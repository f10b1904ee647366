"""A schedule that asks only for what it does not know: judgments go where the winner hangs on them, until it is clear.

    judgments so far --beliefs--> who wins the full schedule? --the meeting that tells most--> one more judgment

The full schedule is every pair in both orders, and its winner has the highest R_A without length control. Beliefs: an
answer's strength is normal, a judge leans towards the place that it sees first by one normal lean for all its
judgments, and a verdict follows from the difference of two strengths and the lean as in a logistic regression with a
band of ties (Bradley and Terry 1952; ties as Rao and Kupper 1967). So a judge that has named the first three times in a
row is believed less when it does so again, and one verdict against the lean settles more than two with it. Whole tables
of verdicts are drawn from these beliefs once and weighed by the judgments made: no fitting, no chance, the same on
every process. The three widths were chosen on half of the real data of `recipes/serl_judging.md`, and measured on the
other half. Suffixes: ``_D`` drawn tables, ``_M`` meetings, ``_V`` verdicts (second, tie, first), ``_N`` answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from selfplay.roles.schedules import Expected, Meeting
from selfplay.types import Judgment

STRENGTH, LEAN, TIE = 1.5, 2.0, 0.5
"""In log-odds: standard deviations of an answer's strength and of the judge's lean, half the width of the ties."""

DRAWS = 4096
"""Tables; a probability is known to about 0.01 from so many."""

ROUNDING = 1e-9

Known = tuple[tuple[int, int | None], ...]
"""Numbers of the meetings that were judged, ascending, with their verdicts; None = unreadable."""


class Adaptive:
    """Up to ``judgments`` of the N (N - 1) meetings, ``at_once`` a round, until the winner is ``sure``.

    No meeting is asked for twice. With ``at_once`` 1 every judgment is chosen in the light of all before it, and an
    episode takes as many calls of the judge as judgments; more at once are fewer calls and a little less well spent.

    Not the paper's: R_A counts what was asked for as it came and the rest by its expectation (``expected``), and a pair
    that was judged once is a group of one, from which a judge without a role baseline learns nothing.

    Args:
        judgments: the budget of an episode.
        at_once: judgments of one round.
        sure: the probability of naming a winner of the full schedule at which no more is asked; 1 = only when nobody
            can catch up in any drawn table.
        lean: the judge's expected lean towards the first, in log-odds: log(p / (1 - p)) of the logged ``first_share``.

    Raises:
        ValueError: a setting out of range; its text starts with the key.

    >>> Adaptive().next(4, [])
    [(0, 3)]
    >>> Adaptive().next(2, [Judgment(0, 1, "first"), Judgment(1, 0, "second")])
    []
    """

    times = 1

    def __init__(self, judgments: int = 8, at_once: int = 1, sure: float = 0.97, lean: float = 0.0) -> None:
        for key, value in (("judgments", judgments), ("at_once", at_once)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"game.schedule.{key}={value!r}: must be a whole number from 1.")
        if isinstance(sure, bool) or not isinstance(sure, int | float) or not 0.5 <= sure <= 1:
            raise ValueError(f"game.schedule.sure={sure!r}: must lie between 0.5 and 1; it is a probability.")
        if isinstance(lean, bool) or not isinstance(lean, int | float) or not -10 <= lean <= 10:
            raise ValueError(f"game.schedule.lean={lean!r}: must lie between -10 and 10; it is in log-odds, 0 = none.")
        self.judgments, self.at_once, self.sure, self.lean = judgments, at_once, float(sure), float(lean)
        self.rounds = -(-judgments // at_once)

    def most_judgments(self, answers: int) -> int:
        return min(self.judgments, answers * (answers - 1))

    def next(self, answers: int, judgments_J: Sequence[Judgment]) -> list[Meeting]:
        left = min(self.at_once, self.most_judgments(answers) - len(judgments_J))
        outlook = look_ahead(answers, self.lean, _known(answers, judgments_J))
        return [] if outlook.sure >= self.sure - ROUNDING else list(outlook.best_first[:left])

    def expected(self, answers: int, judgments_J: Sequence[Judgment]) -> Expected:
        return look_ahead(answers, self.lean, _known(answers, judgments_J)).expected


@dataclass(frozen=True)
class Outlook:
    """What the judgments so far say about the full schedule."""

    sure: float  # the probability that the likeliest winner is one of its winners
    best_first: tuple[Meeting, ...]  # what is open, by how sure one may expect to be after it
    expected: dict[Meeting, float]  # of what is open: the share of a win that goes to whoever is shown first


@lru_cache(maxsize=65536)
def look_ahead(answers: int, lean: float, known: Known) -> Outlook:
    """The outlook on ``known``; remembered, for episodes often come by the same few judgments."""
    meetings = _meetings(answers)
    chances_D_M_V, verdicts_D_M = _tables(answers, lean)
    weights_D = np.ones(DRAWS)
    points_D_M_2 = np.stack([verdicts_D_M, 2 - verdicts_D_M], axis=-1)  # to the first and the second, in half wins
    for number, verdict in known:
        weights_D = weights_D * (1.0 if verdict is None else chances_D_M_V[:, number, verdict])
        points_D_M_2[:, number] = (0, 0) if verdict is None else (verdict, 2 - verdict)
    weights_D /= weights_D.sum()
    points_D_N = np.zeros((DRAWS, answers), dtype=int)
    for number, (first, second) in enumerate(meetings):
        points_D_N[:, first] += points_D_M_2[:, number, 0]
        points_D_N[:, second] += points_D_M_2[:, number, 1]
    wins_D_N = (points_D_N == points_D_N.max(axis=1, keepdims=True)) * weights_D[:, None]

    open_M = sorted(set(range(len(meetings))) - {number for number, _ in known})
    worth = {number: _expected_sureness(wins_D_N, verdicts_D_M[:, number]) for number in open_M}
    shares_M = weights_D @ (chances_D_M_V @ np.array([0.0, 0.5, 1.0]))
    return Outlook(
        sure=float(wins_D_N.sum(axis=0).max()),
        best_first=tuple(meetings[number] for number in sorted(open_M, key=lambda number: -worth[number])),
        expected={meetings[number]: float(shares_M[number]) for number in open_M},
    )


def _expected_sureness(wins_D_N: NDArray[np.float64], verdicts_D: NDArray[np.int_]) -> float:
    """How sure of the winner one is on average once this meeting's verdict is known."""
    return float(sum(wins_D_N[verdicts_D == verdict].sum(axis=0).max() for verdict in range(3)))


def _meetings(answers: int) -> list[Meeting]:
    return list(permutations(range(answers), 2))


def _known(answers: int, judgments_J: Sequence[Judgment]) -> Known:
    number = {meeting: at for at, meeting in enumerate(_meetings(answers))}
    verdicts = {"second": 0, "tie": 1, "first": 2}
    said = {number[int(j.first), int(j.second)]: verdicts.get(j.verdict or "") for j in judgments_J}
    return tuple(sorted(said.items(), key=lambda item: item[0]))


@lru_cache(maxsize=8)
def _tables(answers: int, lean: float) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Chances of each verdict in each meeting under drawn strengths and leans, and a verdict drawn from each."""
    chance = np.random.default_rng(0)
    strengths_D_N = STRENGTH * chance.standard_normal((DRAWS, answers))
    leans_D = lean + LEAN * chance.standard_normal(DRAWS)
    firsts, seconds = (list(side) for side in zip(*_meetings(answers), strict=True))
    ahead_D_M = strengths_D_N[:, firsts] - strengths_D_N[:, seconds] + leans_D[:, None]
    first_D_M = 1 / (1 + np.exp(TIE - ahead_D_M))
    second_D_M = 1 / (1 + np.exp(TIE + ahead_D_M))
    marks_D_M = chance.random(ahead_D_M.shape)
    verdicts_D_M = (marks_D_M >= second_D_M).astype(int) + (marks_D_M >= 1 - first_D_M)
    return np.stack([second_D_M, 1 - second_D_M - first_D_M, first_D_M], axis=-1), verdicts_D_M
