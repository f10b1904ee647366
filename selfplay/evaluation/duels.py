"""Duels: does the current policy answer held-out problems that an opponent gets wrong, and the other way round?

A problem is won by a right answer against a wrong one; both right or both wrong is a tie. Every sample of the one
meets every sample of the other, and a problem's score is the mean over these pairings: the same expectation as one
sample against one sample, with less noise, since only the problems are then left to chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.statistics import wilson

if TYPE_CHECKING:
    from selfplay.evaluation.yardsticks import Measurement


@dataclass(frozen=True)
class Pairings:
    """Shares of one problem's pairings that were won, tied and lost; they add up to one."""

    win: float
    tie: float
    loss: float


@dataclass(frozen=True)
class Duel:
    """An opponent's record, to meet later measurements on the same problems.

    ``record`` maps a problem's key to (right answers, samples), e.g. ``{"27+85": (3, 8)}``; plain numbers, so that a
    checkpoint can keep it.
    """

    opponent: str  # "base"
    record: Mapping[str, tuple[int, int]]

    @classmethod
    def against(cls, opponent: str, measured: Measurement) -> Duel:
        pairs_N = zip(measured.problems_N, measured.right_N, strict=True)
        return cls(opponent, {problem.key: (right, measured.samples) for problem, right in pairs_N})

    def fight(self, measured: Measurement) -> list[Metric]:
        """``win_rate`` with its Wilson interval, then ``wins``, ``ties``, ``losses`` in problems.

        Raises:
            ValueError: a problem that the opponent was not measured on.
        """
        pairings_N = []
        for problem, right in zip(measured.problems_N, measured.right_N, strict=True):
            if problem.key not in self.record:
                raise ValueError(
                    f"{self.opponent!r} was not measured on {problem.key!r}; measure both with the same yardstick."
                )
            pairings_N.append(pair_up(right, measured.samples, *self.record[problem.key]))
        return self._metrics(pairings_N, measured.samples)

    def _metrics(self, pairings_N: list[Pairings], samples: int) -> list[Metric]:
        n = len(pairings_N)
        counts = {
            "wins": sum(pairings.win for pairings in pairings_N),
            "ties": sum(pairings.tie for pairings in pairings_N),
            "losses": sum(pairings.loss for pairings in pairings_N),
        }
        score = min(counts["wins"] + counts["ties"] / 2, n)  # rounding could lift it past n
        low, high = wilson(score, n)
        setting = (
            f"against {self.opponent} on {n} held-out problems by ground truth, {samples} samples of each problem, "
            "every pairing of samples counted"
        )
        definition = f"(wins + half the ties) / problems, {setting}; 95 % Wilson interval over problems"
        name = f"duel/{self.opponent}"
        rate = Metric(f"{name}/win_rate", score / n if n else 0.5, low, high, definition)
        return [rate, *(Metric(f"{name}/{k}", v, definition=f"{k} in problems, {setting}") for k, v in counts.items())]


def pair_up(right: int, samples: int, other_right: int, other_samples: int) -> Pairings:
    """Every sample of one policy against every sample of the other, on one problem.

    >>> pair_up(right=6, samples=8, other_right=2, other_samples=8)
    Pairings(win=0.5625, tie=0.375, loss=0.0625)
    """
    wrong, other_wrong, pairings = samples - right, other_samples - other_right, samples * other_samples
    tied = right * other_right + wrong * other_wrong
    return Pairings(right * other_wrong / pairings, tied / pairings, wrong * other_right / pairings)
