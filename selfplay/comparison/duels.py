"""Who beats whom on the same requests, and everybody's rating."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from selfplay.comparison.rating import elo_intervals
from selfplay.comparison.suite import Suite


def duels(suite: Suite) -> list[dict[str, Any]]:
    """Win rates of every policy against its bare base, and of the last ones against each other."""
    pairs = list(_met(suite))
    if not pairs:
        return []
    values = np.array([suite.wins_U(a, b) for a, b in pairs])
    rows = zip(*suite.resampling.intervals(values, (0.0, 1.0)), strict=True)
    names = [about.contestant for about in suite.abouts]
    return [
        {
            "suite": suite.name,
            "a": names[a],
            "b": names[b],
            "win_rate": float(mean),
            "low": float(low),
            "high": float(high),
        }
        for (a, b), (mean, low, high) in zip(pairs, rows, strict=True)
    ]


def ratings(suite: Suite) -> list[dict[str, Any]]:
    """All checkpoints and bare bases, the best first; `anchor_of` says who is 0."""
    if len(suite.abouts) < 2:
        return []
    rows = []
    for about, elo, low, high in zip(suite.abouts, *elo_intervals(suite, anchor_of(suite)), strict=True):
        place = {"suite": suite.name, "contestant": about.contestant, "run": about.run, "step": about.step}
        rows.append(place | {"elo": float(elo), "low": float(low), "high": float(high)})
    return sorted(rows, key=lambda row: -row["elo"])


def anchor_of(suite: Suite) -> int | None:
    """The place in _K of whoever is rated 0; None: the mean of all."""
    standing = Counter(about.base for about in suite.abouts)
    bases = [place for place, about in enumerate(suite.abouts) if about.arm == "base"]
    return max(bases, key=lambda place: standing[suite.abouts[place].base], default=None)


def anchor_name(suite: Suite) -> str | None:
    """``base:small``."""
    anchor = anchor_of(suite)
    return None if anchor is None else suite.abouts[anchor].contestant


def _met(suite: Suite) -> Iterator[tuple[int, int]]:
    abouts = suite.abouts
    for place, about in enumerate(abouts):
        if about.arm != "base":
            bases = (other for other, base in enumerate(abouts) if base.arm == "base" and base.base == about.base)
            yield from ((place, other) for other in bases)
    ended = [place for place, about in enumerate(abouts) if about.last and about.arm != "base"]
    for at, place in enumerate(ended):
        yield from ((place, other) for other in ended[at + 1 :])
