"""Ratios of two contenders timed in turn, with an interval that asks nothing of the noise.

A round times every contender once, one after the other, so that a busy machine slows all of them; a ratio is taken
within a round, and the median over rounds is what is reported. The interval is of order statistics: between the k-th
smallest and the k-th largest ratio lies the median of the distribution with at least the stated probability, whatever
that distribution (binomial with p = 1/2).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Ratio:
    """The median of ratios, its interval, and the bound it is held against."""

    name: str
    definition: str
    median: float
    low: float
    high: float
    rounds: int
    bound: str = ""  # "<= 0.6", ">= 1.7"; empty = for information

    @property
    def holds(self) -> bool:
        """Whether the median keeps the bound."""
        if not self.bound:
            return True
        sign, number = self.bound.split()
        return self.median <= float(number) if sign == "<=" else self.median >= float(number)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"holds": self.holds}


def ratio(name: str, definition: str, pairs: Sequence[tuple[float, float]], bound: str = "") -> Ratio:
    """The ratio first / second over rounds, with a 95 % interval of order statistics (wider where rounds are few)."""
    values = sorted(first / second for first, second in pairs)
    cut = _cut(len(values))
    return Ratio(name, definition, statistics.median(values), values[cut], values[-1 - cut], len(values), bound)


def _cut(count: int) -> int:
    """How many values may be left out on either side: the most for which the interval keeps 95 %.

    >>> _cut(5), _cut(15), _cut(25)
    (0, 3, 7)
    """
    cut, outside = 0, 2 * 0.5**count
    while cut + 1 < count / 2 and outside + 2 * math.comb(count, cut + 1) * 0.5**count <= 0.05:
        cut += 1
        outside += 2 * math.comb(count, cut) * 0.5**count
    return cut
