"""Intervals for everything that is a mean over what was drawn: one bootstrap, paired and stratified.

    values_X_U --units drawn again within strata, together for all X--> means and t of the resamples --> mean, low, high

Each bound is the outer one of two. The expanded percentile interval (Hesterberg, arXiv 1411.5279, section 5.3) is too
short for shares near one, of which comparisons are full; the studentised one (Efron and Tibshirani 1993, section 12.5)
is too short for differences of which most are nothing. Together they hold the truth in 94 to 96 of 100, as measured in
recipes/comparison.md. All statistics of a suite share the resamples, so that every comparison is paired.
Suffixes: ``_X`` statistics, ``_U`` units, ``_B`` resamples. numpy, no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from selfplay.evaluation.statistics import expanded_tail, wilson

RESAMPLES = 2000
TAIL = 0.025
NO_SPREAD = 1e-12
FAR = 1e9
"""The t of a resample without spread: further out than any other; the bounds are then cut to what can be."""


@dataclass(frozen=True)
class Stratum:
    """Units that were drawn from one urn; ``weight`` is its share of the mean, and all shares add up to one."""

    members: np.ndarray  # (n,) places in _U
    weight: float


def strata_of(labels_U: Sequence[str], weights: str = "units") -> list[Stratum]:
    """Strata by label, each weighing as many as it has units (``units``) or all alike (``equal``).

    A unit alone in its stratum has no spread to draw from: such units make up one stratum, and one that is still alone
    joins the smallest other.

    >>> [stratum.members.tolist() for stratum in strata_of(["1", "2", "2", "3", "2"])]
    [[1, 2, 4], [0, 3]]
    """
    places: dict[str, list[int]] = {}
    for place, label in enumerate(labels_U):
        places.setdefault(label, []).append(place)
    groups = [members for members in places.values() if len(members) > 1]
    alone = [members[0] for members in places.values() if len(members) == 1]
    if len(alone) == 1 and groups:
        min(groups, key=len).append(alone[0])
    elif alone:
        groups.append(alone)
    total = len(labels_U)
    return [
        Stratum(np.array(members), 1 / len(groups) if weights == "equal" else len(members) / total)
        for members in groups
    ]


class Resampling:
    """The resamples of one suite.

    Args:
        strata: as ``strata_of`` gives them.
        seed: of the resamples; the same seed gives the same intervals.
        resamples: how many.
    """

    def __init__(self, strata: Sequence[Stratum], seed: int = 0, resamples: int = RESAMPLES) -> None:
        rng = np.random.default_rng(seed)
        self.strata = list(strata)
        self.units = sum(len(stratum.members) for stratum in strata)
        self.times: list[np.ndarray] = []  # of each stratum: how often each unit is drawn / n, (B, n)
        for stratum in self.strata:
            n = len(stratum.members)
            self.times.append(rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n)

    def mean(self, values_X_U: np.ndarray) -> np.ndarray:
        """The mean over strata, (X,)."""
        return sum(s.weight * values_X_U[:, s.members].mean(axis=1) for s in self.strata)  # type: ignore[return-value]

    def drawn(self, values_X_U: np.ndarray) -> np.ndarray:
        """The means of the resamples, (X, B)."""
        pairs = zip(self.strata, self.times, strict=True)
        return sum(s.weight * (values_X_U[:, s.members] @ times.T) for s, times in pairs)  # type: ignore[return-value]

    def intervals(
        self, values_X_U: np.ndarray, limits: tuple[float, float] | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means with their 95 % bounds, each (X,).

        Args:
            limits: between which values can lie; a bound is then never further out than Wilson's for a share of as many
                units, which holds whatever the spread. None: never further out than the values are.
        """
        mean_X, spread_X, t_X_B = self._studentised(values_X_U)
        low_t, high_t = np.quantile(t_X_B, [TAIL, 1 - TAIL], axis=1)
        tail = expanded_tail(self.units) if self.units > 1 else TAIL
        low_drawn, high_drawn = np.quantile(self.drawn(values_X_U), [tail, 1 - tail], axis=1)
        low_X = np.minimum(mean_X - high_t * spread_X, low_drawn)
        high_X = np.maximum(mean_X - low_t * spread_X, high_drawn)
        least, most = self._outermost(mean_X, values_X_U, limits)
        still = spread_X < NO_SPREAD  # all values alike: a bootstrap knows no other world
        low_X, high_X = np.where(still, least, low_X), np.where(still, most, high_X)
        return mean_X, np.minimum(np.maximum(low_X, least), mean_X), np.maximum(np.minimum(high_X, most), mean_X)

    def _studentised(self, values_X_U: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means (X,), standard errors (X,), and (mean - true mean) / standard error of each resample (X, B)."""
        mean_X = self.mean(values_X_U)
        variance_X = np.zeros(len(values_X_U))
        shift_X_B, variance_X_B = 0.0, 0.0
        for stratum, times in zip(self.strata, self.times, strict=True):
            values = values_X_U[:, stratum.members]
            values = values - values.mean(axis=1, keepdims=True)
            scale = stratum.weight**2 / max(1, len(stratum.members) - 1)
            moved = values @ times.T
            squares = values**2
            variance_X += scale * squares.mean(axis=1)
            variance_X_B = variance_X_B + scale * np.maximum(squares @ times.T - moved**2, 0)
            shift_X_B = shift_X_B + stratum.weight * moved
        shift, spread = np.asarray(shift_X_B), np.sqrt(variance_X_B)
        flat = np.where(np.abs(shift) < NO_SPREAD, 0.0, np.sign(shift) * FAR)
        t_X_B = np.where(spread < NO_SPREAD, flat, shift / np.maximum(spread, NO_SPREAD))
        return mean_X, np.sqrt(variance_X), t_X_B

    def _outermost(
        self, mean_X: np.ndarray, values_X_U: np.ndarray, limits: tuple[float, float] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        if limits is None:
            return values_X_U.min(axis=1), values_X_U.max(axis=1)
        low, width = limits[0], limits[1] - limits[0]
        shares = np.clip((mean_X - low) / width, 0, 1)
        bounds = np.array([wilson(float(share) * self.units, self.units) for share in shares]).reshape(-1, 2)
        return low + width * bounds[:, 0], low + width * bounds[:, 1]
