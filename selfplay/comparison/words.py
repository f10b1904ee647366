"""A verdict in words, from the numbers alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log10

from selfplay.evaluation.records import SHARE


def verdict(mean: float, low: float, high: float, by_seed: Sequence[float] = (), unit: str = SHARE) -> str:
    """What a paired difference allows to be said of the first against the second.

    Args:
        by_seed: the difference in each seed.
        unit: shares are told in points of a hundred, anything else in its own unit.

    >>> verdict(0.123, 0.101, 0.145, [0.11, 0.136])
    'better: +12.3 points [+10.1, +14.5], in 2 of 2 seeds'
    >>> verdict(-0.123, -0.145, -0.101)
    'worse: -12.3 points [-14.5, -10.1]'
    >>> verdict(0.004, -0.01, 0.019, [0.02, -0.012])
    'no evidence: +0.4 points [-1.0, +1.9]; seeds disagree: up in 1, down in 1'
    >>> verdict(0.2, 0.1, 0.3, [0.5, -0.1])
    'better on average, but seeds disagree: +20.0 points [+10.0, +30.0], up in 1, down in 1'
    >>> verdict(0.0, 0.0, 0.0)
    'no evidence: +0.0 points [+0.0, +0.0]'
    >>> verdict(0.0004, 0.0001, 0.0008)
    'better: +0.04 points [+0.01, +0.08]'
    """
    ups, downs = sum(value > 0 for value in by_seed), sum(value < 0 for value in by_seed)
    figures = _figures(mean, low, high, unit)
    disagree = f"up in {ups}, down in {downs}" if ups and downs else ""
    if low <= 0 <= high:
        return f"no evidence: {figures}" + (f"; seeds disagree: {disagree}" if disagree else "")
    word, same = ("better", ups) if mean > 0 else ("worse", downs)
    if disagree:
        return f"{word} on average, but seeds disagree: {figures}, {disagree}"
    return f"{word}: {figures}" + (f", in {same} of {len(by_seed)} seeds" if len(by_seed) > 1 else "")


def _figures(mean: float, low: float, high: float, unit: str) -> str:
    mean, low, high = (value + 0.0 for value in (mean, low, high))  # no -0.0
    scale, digits, unit = (100, 1, "points") if unit == SHARE else (1, 2, unit)
    digits = digits_of(scale * low, scale * high, digits)
    return f"{scale * mean:+.{digits}f} {unit} [{scale * low:+.{digits}f}, {scale * high:+.{digits}f}]"


def digits_of(low: float, high: float, least: int) -> int:
    """How many decimals to show of an interval: ``least``, or as many as its bound next to 0 takes not to look like 0
    where 0 lies outside.

    >>> digits_of(0.01, 0.08, 1), digits_of(-0.08, 0.01, 1), digits_of(0.0, 0.0, 1)
    (2, 1, 1)
    """
    nearest = max(low, -high)  # above 0 where the interval excludes 0
    return max(least, ceil(-log10(2 * nearest))) if nearest > 0 else least
