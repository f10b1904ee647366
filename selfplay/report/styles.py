"""Names, colours and dashes of arms: given once for a whole report, the same in every picture and table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from selfplay.report.runs import Arm
from selfplay.tracking.curves import COLOURS

Dashes = Literal["-"] | tuple[float, tuple[float, ...]]
"""A style of lines as matplotlib takes it: unbroken, or (offset, lengths of strokes and gaps)."""

DASHES: dict[str, Dashes] = {
    "none": "-",
    "truth": (0, (1, 1.2)),
    "format": (0, (4, 1.5, 1, 1.5)),
    "random": (0, (5, 2)),
}
"""A control's line is broken whatever its colour, so that it is known in grey, too."""


@dataclass(frozen=True)
class Style:
    label: str
    colour: str
    dashes: Dashes


def styles_of(arms: Iterable[Arm]) -> dict[Arm, Style]:
    """A style for each arm. With more arms than colours a method and its controls share one, told apart by dashes."""
    arms = list(arms)
    bases = {arm.recipe: {other.base for other in arms if other.recipe == arm.recipe} for arm in arms}
    methods = list(dict.fromkeys((arm.recipe, arm.base) for arm in arms))
    roomy = len(arms) <= len(COLOURS)
    styles = {}
    for place, arm in enumerate(arms):
        turn = place if roomy else methods.index((arm.recipe, arm.base))
        styles[arm] = Style(
            label_of(arm, several_bases=len(bases[arm.recipe]) > 1),
            COLOURS[turn % len(COLOURS)],
            DASHES.get(arm.control, DASHES["random"]),
        )
    return styles


def label_of(arm: Arm, several_bases: bool = False) -> str:
    """What a legend calls an arm.

    >>> label_of(Arm("sqlm_small", "small", "random")), label_of(Arm("sqlm_small", "small", "none"), True)
    ('sqlm_small, random reward', 'sqlm_small on small')
    """
    place = f" on {arm.base}" if several_bases else ""
    if arm.control == "base":
        return f"untrained base {arm.base}"
    return arm.recipe + place + ("" if arm.control == "none" else f", {arm.control} reward")
