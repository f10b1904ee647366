"""All contestants' scores on one suite as one array, and what of it was drawn.

    files of a suite --same requests, same samples--> scores_K_R_G --> values of the drawn units, of one or of a pair

Suffixes: ``_K`` contestants, ``_R`` requests, ``_G`` samples of one, ``_U`` units (what an interval draws again).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from selfplay.comparison.answers_file import About, Answered
from selfplay.comparison.resampling import Resampling, strata_of


@dataclass(frozen=True)
class Suite:
    """The answers that contestants gave as they play; controls such as the true rules are left out."""

    name: str
    abouts: tuple[About, ...]  # (K,)
    requests: tuple[str, ...]  # (R,)
    strata: tuple[str, ...]  # of each request, (R,)
    scores_K_R_G: np.ndarray

    @property
    def about(self) -> About:
        """Any of them: what it says of the suite, all say."""
        return self.abouts[0]

    @cached_property
    def unit_strata(self) -> list[str]:
        """The stratum of each unit, (U,)."""
        if self.about.drawn == "requests":
            return list(self.strata)
        if self.about.drawn == "strata":
            return ["" for _ in dict.fromkeys(self.strata)]
        return [request for request in self.requests for _ in range(self.scores_K_R_G.shape[2])]

    @cached_property
    def resampling(self) -> Resampling:
        return Resampling(strata_of(self.unit_strata))

    @cached_property
    def values_K_U(self) -> np.ndarray:
        """Each unit's mean score."""
        if self.about.drawn == "samples":
            return self.scores_K_R_G.reshape(len(self.abouts), -1)
        return self._units(self.scores_K_R_G.mean(axis=2))

    def wins_U(self, a: int, b: int) -> np.ndarray:
        """How contestant ``a`` fares against ``b`` in each unit: the mean over all pairings of their answers to one
        request, the higher score wins, equal is half.

        Where samples are drawn, a pairing belongs to two of them: a unit's value is then the share of both of its
        answers, minus the rate of their request (Hajek's projection of the two-sample U-statistic), of equal mean.
        """
        one, other = self.scores_K_R_G[a], self.scores_K_R_G[b]
        won_R_G_H = (one[:, :, None] > other[:, None, :]) + 0.5 * (one[:, :, None] == other[:, None, :])
        if self.about.drawn == "samples":
            rate_R = won_R_G_H.mean(axis=(1, 2))
            return (won_R_G_H.mean(axis=2) + won_R_G_H.mean(axis=1) - rate_R[:, None]).reshape(-1)
        return self._units(won_R_G_H.mean(axis=(1, 2))[None])[0]

    def _units(self, values_X_R: np.ndarray) -> np.ndarray:
        if self.about.drawn == "requests":
            return values_X_R
        labels = np.array(self.strata)
        return np.stack([values_X_R[:, labels == label].mean(axis=1) for label in dict.fromkeys(self.strata)], axis=1)


def suites_of(files: Sequence[Answered]) -> list[Suite]:
    """One for each suite that somebody's answers were recorded on.

    Raises:
        ValueError: contestants who were not asked the same.
    """
    by_suite: dict[str, list[Answered]] = {}
    for file in files:
        if file.answers:
            by_suite.setdefault(file.about.suite, []).append(file)
    return [_suite(name, of_suite) for name, of_suite in by_suite.items()]


def _suite(name: str, files: Sequence[Answered]) -> Suite:
    scores_K, asked = [], None
    for file in files:
        scores = {(one.request, one.stratum, one.sample): one.score for one in file.answers if one.own}
        keys = sorted(scores)
        if asked is not None and keys != asked:
            raise ValueError(
                f"suite {name!r}: {file.about.contestant} was not asked what {files[0].about.contestant} was; remove "
                "the arena's folder and measure all again."
            )
        asked = keys
        scores_K.append([scores[key] for key in keys])
    assert asked is not None
    requests = list(dict.fromkeys((request, stratum) for request, stratum, _ in asked))
    samples, uneven = divmod(len(asked), len(requests))
    if uneven or any(asked[at * samples][:2] != pair for at, pair in enumerate(requests)):
        raise ValueError(
            f"suite {name!r}: its requests have unlike numbers of samples; a yardstick records as many of each."
        )
    scores_K_R_G = np.array(scores_K, dtype=np.float64).reshape(len(files), len(requests), samples)
    names, strata = zip(*requests, strict=True)
    return Suite(name, tuple(file.about for file in files), names, strata, scores_K_R_G)
