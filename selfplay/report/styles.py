"""Names, colours and dashes of arms: given once for a whole report, the same in every picture and table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from selfplay.report.runs import Arm, Run
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

FROZEN = " (weights frozen)"
"""Tells a method that changes what its policy reads from one that changes the policy."""


@dataclass(frozen=True)
class Style:
    label: str
    colour: str
    dashes: Dashes


def styles_of(arms: Mapping[Arm, Sequence[Run]]) -> dict[Arm, Style]:
    """A style for each arm. With more arms than colours a method and its controls share one, told apart by dashes."""
    methods = list(dict.fromkeys((arm.recipe, arm.base) for arm in arms))
    roomy = len(arms) <= len(COLOURS)
    styles = {}
    for place, (arm, runs) in enumerate(arms.items()):
        turn = place if roomy else methods.index((arm.recipe, arm.base))
        styles[arm] = Style(
            label_of(arm, arms) + (FROZEN if all(run.frozen for run in runs) else ""),
            COLOURS[turn % len(COLOURS)],
            DASHES.get(arm.control, DASHES["random"]),
        )
    return styles


def label_of(arm: Arm, among: Iterable[Arm] = ()) -> str:
    """What a legend calls an arm among others: its base is told where the recipe was run on several.

    >>> one, other = Arm("sqlm", "Qwen/Qwen3-0.6B", "none"), Arm("sqlm", "Qwen/Qwen3-1.7B", "random")
    >>> label_of(one), label_of(other, [one, other]), label_of(Arm("", "Qwen/Qwen3-0.6B", "base"), [one, other])
    ('sqlm', 'sqlm on Qwen3-1.7B, random reward', 'untrained base Qwen3-0.6B')
    """
    others = {*among, arm}
    base = _short(arm.base, {other.base for other in others})
    if arm.control == "base":
        return f"untrained base {base}"
    several = len({other.base for other in others if other.recipe == arm.recipe}) > 1
    place, reward = f" on {base}" if several else "", "" if arm.control == "none" else f", {arm.control} reward"
    return arm.recipe + place + reward


def _short(base: str, bases: Iterable[str]) -> str:
    """The last part of a base's name, or all of it where another base ends alike.

    >>> _short("Qwen/Qwen3-0.6B", ["small"]), _short("runs/a/merged", ["runs/b/merged"])
    ('Qwen3-0.6B', 'runs/a/merged')
    """
    last = Path(base).name
    return base if any(other != base and Path(other).name == last for other in bases) else last
