"""What an evaluation hands on: a named number, its interval, and the words that say what was measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured number.

    ``name`` follows the house's scheme, e.g. ``"yardstick/arithmetic/pass@1"`` or ``"duel/base/win_rate"``.
    ``low`` and ``high`` bound the 95 % interval; both are None where a number has none.
    ``definition`` names whatever one needs to measure it again: k, n, temperature, split, interval.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    definition: str = ""
