"""Paired differences of what methods ended with: against the bare base, their control arms, and each other.

values of a - values of b, unit by unit --same resamples for all--> mean, interval, verdict in words
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from selfplay.comparison.finals import Group, bounds, last_places, named
from selfplay.comparison.suite import Suite
from selfplay.comparison.words import verdict

METHOD, BASE = "none", "base"

FEWEST = 6
"""Of so many differences that all point one way chance makes 2 in 64; of one fewer 2 in 32, which is over 5 %."""


def differences(suite: Suite) -> list[dict[str, Any]]:
    """A row for each pair of groups that is worth a question."""
    groups = last_places(suite)
    return [_difference(suite, a, b, groups[a], groups[b]) for a, b in asked(list(groups))]


def asked(groups: Sequence[Group]) -> Iterator[tuple[Group, Group]]:
    """Pairs on one base: everybody against the bare base, a method against its own control arms, methods among
    themselves.

    >>> base, sqlm, random = ("", "base", "small"), ("sqlm", "none", "small"), ("sqlm", "random", "small")
    >>> [(a[0] + ":" + a[1], b[0] + ":" + b[1]) for a, b in asked([base, sqlm, random])]
    [('sqlm:none', ':base'), ('sqlm:random', ':base'), ('sqlm:none', 'sqlm:random')]
    """
    trained = [group for group in groups if group[1] != BASE]
    for group in trained:
        yield from ((group, other) for other in groups if other[1] == BASE and other[2] == group[2])
    methods = [group for group in trained if group[1] == METHOD]
    for method in methods:
        arms = (other for other in trained if other[1] != METHOD)
        yield from ((method, other) for other in arms if (other[0], other[2]) == (method[0], method[2]))
    for place, method in enumerate(methods):
        yield from ((method, other) for other in methods[place + 1 :] if other[2] == method[2])


def _difference(suite: Suite, a: Group, b: Group, places_a: list[int], places_b: list[int]) -> dict[str, Any]:
    pairs = _by_seed(suite, places_a, places_b)
    values = suite.values_K_U
    sides = list(pairs.values()) or [(places_a, places_b)]
    each = [values[one].mean(axis=0) - values[other].mean(axis=0) for one, other in sides]
    limits = suite.about.limits
    width = None if limits is None else (limits[0] - limits[1], limits[1] - limits[0])
    rows = np.array([np.mean(each, axis=0), *each[: len(pairs)]])
    found = [bounds(*row) for row in paired_intervals(suite, rows, width)]
    by_seed = [{"seed": seed} | row for seed, row in zip(pairs, found[1:], strict=True)]
    total = found[0]
    words = verdict(**total, by_seed=[row["mean"] for row in found[1:]], unit=suite.about.unit)
    return {
        "suite": suite.name,
        "a": named(a),
        "b": named(b),
        **total,
        "n": suite.scores_K_R_G.shape[1],
        "by_seed": by_seed,
        "words": "; ".join(filter(None, (words, _without_partner(suite, [*places_a, *places_b], list(pairs))))),
    }


def paired_intervals(
    suite: Suite, values_X_U: np.ndarray, limits: tuple[float, float] | None
) -> Iterator[tuple[float, float, float]]:
    """Mean, low, high of each. Answers that scored alike throughout differ by exactly nothing; where only a few units
    differ, a bootstrap knows too little of the others, and the interval reaches to 0."""
    rows = zip(*suite.resampling.intervals(values_X_U, limits), strict=True)
    for values, (mean, low, high) in zip(values_X_U, rows, strict=True):
        differ = np.count_nonzero(values)
        if not differ:
            yield 0.0, 0.0, 0.0
        elif differ < FEWEST:
            yield float(mean), min(float(low), 0.0), max(float(high), 0.0)
        else:
            yield float(mean), float(low), float(high)


def _by_seed(suite: Suite, places_a: list[int], places_b: list[int]) -> dict[int | None, tuple[list[int], list[int]]]:
    """Places of both sides in each seed that both have; a bare base stands against every seed."""
    pairs: dict[int | None, tuple[list[int], list[int]]] = {}
    for place in places_a:
        seed = suite.abouts[place].seed
        rivals = [other for other in places_b if suite.abouts[other].seed in (seed, None)]
        if rivals:
            pairs.setdefault(seed, ([], rivals))[0].append(place)
    return pairs


def _without_partner(suite: Suite, places: Sequence[int], paired: Sequence[int | None]) -> str:
    """What must be said where not every seed has a partner on the other side."""
    if not paired:
        return "no seed in common: all runs against all"
    alone = sorted({seed for place in places if (seed := suite.abouts[place].seed) is not None and seed not in paired})
    if not alone:
        return ""
    return f"without seed{'s' if len(alone) > 1 else ''} {', '.join(map(str, alone))}, which one side alone has"
