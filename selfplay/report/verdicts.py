"""Is a gain real? Differences with intervals, and the words that follow from them. Pure functions.

A run's own record holds means with intervals, not the answers behind them, so its differences cannot be paired. They
get Newcombe's interval (Statistics in Medicine 17 (1998), 873, method 10; MOVER for any two means): two independent
measurements. Both are taken on the same held-out problems, whose difficulty they share, so the interval is wider than
a paired one: it may miss a small gain, it does not invent one. Seeds share the problems too: half-widths are averaged
over seeds, never divided by their root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from statistics import fmean

from selfplay.comparison.words import digits_of

Point = tuple[float, float | None, float | None]
"""Value, low, high; a bound that is not known is None."""


@dataclass(frozen=True)
class Difference:
    """``mean`` of one minus the other, with its 95 % interval; a bound that is not known is None."""

    mean: float
    low: float | None
    high: float | None


def difference(one: Point, other: Point) -> Difference:
    """One minus the other, with Newcombe's interval.

    Newcombe's example 56 of 70 against 48 of 80, of Wilson's intervals; he gives 0.0524 to 0.3339:

    >>> d = difference((0.8, 0.6922, 0.8771), (0.6, 0.4905, 0.7003))
    >>> round(d.mean, 3), round(d.low, 3), round(d.high, 3)
    (0.2, 0.053, 0.334)
    """
    (value, low, high), (other_value, other_low, other_high) = one, other
    mean = value - other_value
    if low is None or high is None or other_low is None or other_high is None:
        return Difference(mean, None, None)
    return Difference(
        mean,
        mean - hypot(value - low, other_high - other_value),
        mean + hypot(high - value, other_value - other_low),
    )


def against(one: Point, level: float) -> Difference:
    """One measurement against a number that is known exactly, e.g. a win rate against 0.5.

    >>> against((0.75, 0.5, 1.0), 0.5)
    Difference(mean=0.25, low=0.0, high=0.5)
    """
    value, low, high = one
    return Difference(value - level, None if low is None else low - level, None if high is None else high - level)


def over_seeds(differences: Sequence[Difference]) -> Difference:
    """The mean over seeds, half-widths averaged; see the head of this file.

    >>> over_seeds([Difference(0.25, 0.0, 0.5), Difference(0.75, 0.5, 1.0)])
    Difference(mean=0.5, low=0.25, high=0.75)
    """
    lows = [one.low for one in differences]
    highs = [one.high for one in differences]
    mean = fmean(one.mean for one in differences)
    if any(bound is None for bound in (*lows, *highs)):
        return Difference(mean, None, None)
    return Difference(mean, fmean(low for low in lows if low is not None), fmean(h for h in highs if h is not None))


def judgement(of: Difference) -> str:
    """``better``, ``worse``, ``no evidence`` (the interval covers 0) or ``no interval``.

    >>> [judgement(Difference(0.1, low, 0.2)) for low in (0.05, 0.0, None)]
    ['better', 'no evidence', 'no interval']
    """
    if of.low is None or of.high is None:
        return "no interval"
    if of.low > 0:
        return "better"
    return "worse" if of.high < 0 else "no evidence"


def amount(of: Difference, share: bool) -> str:
    """The difference with its interval, shares in points.

    >>> amount(Difference(0.1234, 0.05, 0.2), share=True), amount(Difference(1.5, None, None), share=False)
    ('+12.3 points [+5.0, +20.0]', '+1.50')
    >>> amount(Difference(0.002, 0.001, 0.003), share=False)
    '+0.002 [+0.001, +0.003]'
    """
    scale, digits, unit = (100, 1, " points") if share else (1, 2, "")
    if of.low is None or of.high is None:
        return f"{scale * of.mean:+.{digits}f}{unit}"
    digits = digits_of(scale * of.low, scale * of.high, digits)
    return f"{scale * of.mean:+.{digits}f}{unit} [{scale * of.low:+.{digits}f}, {scale * of.high:+.{digits}f}]"
