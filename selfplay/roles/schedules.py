"""Which answers meet before the judge, and in which order: strategies that a game asks round by round.

A round is one call of the sampler for all requests, and a game must make equally many on every process, so a schedule
says beforehand how many rounds it takes; whoever needs no more comparisons asks for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Protocol

from selfplay.types import Judgment

Meeting = tuple[int, int]
"""Numbers of two answers, in the order in which the judge sees them."""


class Schedule(Protocol):
    rounds: int  # calls of the judge in an episode, always all of them
    times: int  # judgments of every meeting that is asked for

    def most_judgments(self, answers: int) -> int:
        """Upper bound on the judgments of one episode."""
        ...

    def next(self, answers: int, judgments_J: Sequence[Judgment]) -> list[Meeting]:
        """The meetings of the next round, given the judgments of the rounds before; perhaps none."""
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
