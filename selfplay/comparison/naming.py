"""What a method is called: by its recipe, or, where one recipe was run in several ways, by what its runs' names share.

    runs --methods_of--> {"sqlm_small-method-seed0": "sqlm_small", ...}

Runs that differ in more than the seed are no seeds of one method. Standings and report both ask `methods_of`, so that
they speak of the same methods.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from selfplay.comparison.answers_file import Answered
from selfplay.tracking.wandb_log import METHOD

SEED = re.compile(r"-seed\d+$")
"""How the names of a sweep's runs end: ``<entry>-<method, or its control arm>-seed<k>``."""


@dataclass(frozen=True)
class RunOf:
    """What a run says of itself."""

    run: str  # its name, of no other run
    recipe: str
    arm: str  # "none" is the method itself
    base: str
    seed: int | None


def methods_of(runs: Iterable[RunOf]) -> dict[str, str]:
    """The name of each run's method, by the run's name.

    A recipe was run in several ways where runs of one arm and base share a seed, or have a sweep's names of several
    entries. All its runs are then called by `way_of`, so that a control arm keeps its method; runs of one way that
    share a seed even so are called by their own names.

    >>> def run(name, arm, seed): return RunOf(name, "sqlm", arm, "small", seed)
    >>> methods_of([run("mine", "none", 0), run("my-other", "none", 1)])
    {'mine': 'sqlm', 'my-other': 'sqlm'}
    >>> methods_of([run("fast-method-seed0", "none", 0), run("slow-method-seed7", "none", 7)])
    {'fast-method-seed0': 'fast', 'slow-method-seed7': 'slow'}
    """
    by_recipe: dict[str, list[RunOf]] = {}
    for run in dict.fromkeys(runs):
        by_recipe.setdefault(run.recipe, []).append(run)
    names: dict[str, str] = {}
    for recipe, some in by_recipe.items():
        names |= _ways(some) if _several_ways(some) else {run.run: recipe for run in some}
    return names


def way_of(run: RunOf) -> str:
    """A run's name without its seed and arm.

    >>> way_of(RunOf("fast-random-seed0", "sqlm", "random", "small", 0))
    'fast'
    """
    return SEED.sub("", run.run).removesuffix(f"-{METHOD}" if run.arm == "none" else f"-{run.arm}")


def told_apart(files: Sequence[Answered]) -> list[Answered]:
    """The files, their recipes being the names of methods; a bare base has none."""
    abouts = (file.about for file in files if file.about.run)
    names = methods_of(RunOf(one.run, one.recipe, one.arm, one.base, one.seed) for one in abouts)
    return [replace(file, about=replace(file.about, recipe=names.get(file.about.run, ""))) for file in files]


def _several_ways(runs: Sequence[RunOf]) -> bool:
    seeds = Counter((run.arm, run.base, run.seed) for run in runs)
    entries = {(run.arm, run.base, way_of(run)) for run in runs if SEED.search(run.run)}
    return max(seeds.values()) > 1 or len(entries) > len({(arm, base) for arm, base, _ in entries})


def _ways(runs: Sequence[RunOf]) -> dict[str, str]:
    places = {run.run: (way_of(run), run.arm, run.base, run.seed) for run in runs}
    times = Counter(places.values())
    return {name: place[0] if times[place] == 1 else name for name, place in places.items()}
