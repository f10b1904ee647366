"""Where each method ended: mean scores of last adapters and bare bases, by seed and over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from selfplay.comparison.answers_file import About, Answered
from selfplay.comparison.resampling import Resampling, strata_of
from selfplay.comparison.suite import Suite, suites_of

Group = tuple[str, str, str]
"""(recipe, arm, base)."""


def group_of(about: About) -> Group:
    return about.recipe, about.arm, about.base


def ended_once(files: Sequence[Answered]) -> list[Answered]:
    """A run that went on after it was measured has ended at the highest step alone; what was its end before is one of
    its checkpoints."""
    ends: dict[str, int] = {}
    for about in (file.about for file in files if file.about.last):
        ends[about.run] = max(about.step, ends.get(about.run, 0))
    return [
        replace(file, about=replace(file.about, last=file.about.last and file.about.step == ends[file.about.run]))
        for file in files
    ]


def last_places(suite: Suite) -> dict[Group, list[int]]:
    """Places in _K of what each group ended with, in seeds' order; a bare base is a group by itself."""
    groups: dict[Group, list[int]] = {}
    ends = [place for place, about in enumerate(suite.abouts) if about.last]
    for place in sorted(ends, key=lambda at: (suite.abouts[at].seed or 0, suite.abouts[at].run)):
        groups.setdefault(group_of(suite.abouts[place]), []).append(place)
    return dict(sorted(groups.items(), key=lambda item: (item[0][2], item[0][0], item[0][1] != "none", item[0][1])))


def finals(suite: Suite) -> list[dict[str, Any]]:
    """A row for each group, a bare base included."""
    return [_final(suite, group, places) for group, places in last_places(suite).items()]


def named(group: Group) -> dict[str, str]:
    """
    >>> named(("sqlm_small", "none", "small"))
    {'recipe': 'sqlm_small', 'arm': 'none', 'base': 'small'}
    """
    return dict(zip(("recipe", "arm", "base"), group, strict=True))


def bounds(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean": float(mean), "low": float(low), "high": float(high)}


def _final(suite: Suite, group: Group, places: list[int]) -> dict[str, Any]:
    values = suite.values_K_U[places]
    rows = np.concatenate([values.mean(axis=0, keepdims=True), values])
    found = [bounds(*row) for row in zip(*suite.resampling.intervals(rows, suite.about.limits), strict=True)]
    abouts = [suite.abouts[place] for place in places]
    trained = group[1] != "base"
    by_seed = [
        {"seed": about.seed, "run": about.run, "step": about.step} | each
        for about, each in zip(abouts, found[1:], strict=True)
    ]
    seeds = list(dict.fromkeys(about.seed for about in abouts)) if trained else []
    return {"suite": suite.name, **named(group), "seeds": seeds, **found[0], "by_seed": by_seed if trained else []}


def conditions(file: Answered) -> list[dict[str, Any]]:
    """One contestant's mean under each condition, where there are several: its skills, none, true rules."""
    names = list(dict.fromkeys(answer.condition for answer in file.answers))
    if len(names) < 2:
        return []
    rows = []
    for name in names:
        kept = tuple(replace(answer, own=True) for answer in file.answers if answer.condition == name)
        (suite,) = suites_of([Answered(file.about, kept)])
        resampling = Resampling(strata_of(suite.unit_strata))
        (row,) = zip(*resampling.intervals(suite.values_K_U, suite.about.limits), strict=True)
        rows.append({"suite": suite.name, "contestant": file.about.contestant, "condition": name} | bounds(*row))
    return rows
