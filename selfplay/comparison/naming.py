"""What a method is called where one recipe was run in several ways: runs that differ in more than the seed are no seeds
of one method."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from selfplay.comparison.answers_file import About, Answered

SEED = re.compile(r"-seed\d+$")


def told_apart(files: Sequence[Answered]) -> list[Answered]:
    """Two runs of the same recipe, arm, base and seed: their recipe is then called by their run's name."""
    runs: dict[tuple[str, str, str, int | None], set[str]] = {}
    for file in files:
        about = file.about
        runs.setdefault((about.recipe, about.arm, about.base, about.seed), set()).add(about.run)
    shared = {recipe for (recipe, *_), names in runs.items() if len(names) > 1 and recipe}
    return [
        replace(file, about=replace(file.about, recipe=way_of(file.about))) if file.about.recipe in shared else file
        for file in files
    ]


def way_of(about: About) -> str:
    """A run's name without its seed and arm: ``sqlm_fast-random-seed0`` is ``sqlm_fast``."""
    return SEED.sub("", about.run).removesuffix(f"-{about.arm}")
