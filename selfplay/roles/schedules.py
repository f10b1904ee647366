"""Which answers meet before the judge, and in which order: strategies that a game asks round by round.

A round is one call of the sampler for all requests, and a game must make equally many on every process, so a schedule
says beforehand how many rounds it takes; whoever needs no more comparisons asks for none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Protocol

from selfplay.types import Judgment

Meeting = tuple[int, int]
"""Numbers of two answers, in the order in which the judge sees them."""

Expected = Mapping[Meeting, float]
"""For meetings that were not asked for: the share of a win, 0 to 1, that whoever is shown first would get."""


class Schedule(Protocol):
    rounds: int  # calls of the judge in an episode, always all of them
    times: int  # judgments of every meeting that is asked for

    def most_judgments(self, answers: int) -> int:
        """Upper bound on the judgments of one episode."""
        ...

    def next(self, answers: int, judgments_J: Sequence[Judgment]) -> list[Meeting]:
        """The meetings of the next round, given the judgments of the rounds before; perhaps none."""
        ...

    def expected(self, answers: int, judgments_J: Sequence[Judgment]) -> Expected:
        """What R_A counts besides the judgments, once all rounds are over; nothing where only judgments count."""
        ...


class AllPairs:
    """Every unordered pair, ``judgments`` times (K), half of them in each order, in one round (arXiv 2511.07922).

    >>> AllPairs(judgments=4).next(3, [])
    [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]
    >>> AllPairs(judgments=4).most_judgments(answers=4)
    24

    Raises:
        ValueError: ``judgments`` that cannot be halved.
    """

    rounds = 1

    def __init__(self, judgments: int = 4) -> None:
        if isinstance(judgments, bool) or not isinstance(judgments, int) or judgments < 2 or judgments % 2:
            raise ValueError(
                f"game.schedule.judgments={judgments!r}: must be an even number from 2, since half of the judgments of "
                "a pair are made in each order."
            )
        self.times = judgments // 2

    def most_judgments(self, answers: int) -> int:
        return answers * (answers - 1) * self.times

    def next(self, answers: int, judgments_J: Sequence[Judgment]) -> list[Meeting]:
        return [meeting for one, other in combinations(range(answers), 2) for meeting in ((one, other), (other, one))]

    def expected(self, answers: int, judgments_J: Sequence[Judgment]) -> Expected:
        return {}


class Knockout:
    """Neighbours meet in both orders, winners go on: 2 (N - 1) judgments in ``rounds`` rounds, N <= 2^rounds.

    A pair's winner has more of its judgments, ties as halves; of a drawn pair whoever has more points so far goes on,
    then the lower number. The weak are judged less: R_A divides by the judgments an answer stood in, which is not the
    paper's, and an answer is never told apart from one that went out in the same round. For comparison with
    ``roles.adaptive.Adaptive``, which names the full schedule's winner more often (`recipes/serl_judging.md`).

    >>> Knockout().next(4, [])
    [(0, 1), (1, 0), (2, 3), (3, 2)]
    >>> Knockout().most_judgments(4)
    6

    Raises:
        ValueError: no round.
    """

    times = 1

    def __init__(self, rounds: int = 2) -> None:
        if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
            raise ValueError(f"game.schedule.rounds={rounds!r}: must be a whole number from 1.")
        self.rounds = rounds

    def most_judgments(self, answers: int) -> int:
        """ValueError where the rounds do not suffice."""
        if answers > 2**self.rounds:
            raise ValueError(
                f"game.schedule.rounds={self.rounds}: leaves more than one of {answers} answers; "
                f"set {(answers - 1).bit_length()}, or lower game.answers."
            )
        return 2 * (answers - 1)

    def next(self, answers: int, judgments_J: Sequence[Judgment]) -> list[Meeting]:
        met = {frozenset((judgment.first, judgment.second)) for judgment in judgments_J}
        left = list(range(answers))
        while len(left) > 1:
            pairs = list(zip(left[::2], left[1::2], strict=False))
            if frozenset(pairs[0]) not in met:
                return [meeting for one, other in pairs for meeting in ((one, other), (other, one))]
            left = [_better(pair, judgments_J) for pair in pairs] + left[2 * len(pairs) :]
        return []

    def expected(self, answers: int, judgments_J: Sequence[Judgment]) -> Expected:
        return {}


def _better(pair: Meeting, judgments_J: Sequence[Judgment]) -> int:
    """Whoever of the two goes on."""
    own = [judgment for judgment in judgments_J if {judgment.first, judgment.second} == set(pair)]
    return max(pair, key=lambda answer: (_points(answer, own), _points(answer, judgments_J), -answer))


def _points(answer: int, judgments_J: Sequence[Judgment]) -> float:
    stood = [judgment for judgment in judgments_J if answer in (judgment.first, judgment.second)]
    return sum((judgment.winner == answer) + (judgment.verdict == "tie") / 2 for judgment in stood)
