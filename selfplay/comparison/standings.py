"""Standings: every number of a comparison, from the answers of its arena alone.

    arena/answers/*/*.parquet --> suites --> final, differences, duels, ratings, in words too --> standings.json

Intervals say how far the problems, the contexts or the samples could have moved a number. They say nothing of training
seeds, of which there are too few to draw from: each seed's own number stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfplay.comparison.answers_file import Answered, read_all
from selfplay.comparison.differences import differences
from selfplay.comparison.duels import anchor_name, duels, ratings
from selfplay.comparison.finals import conditions, ended_once, finals
from selfplay.comparison.naming import told_apart
from selfplay.comparison.suite import Suite, suites_of

DRAWN = {
    "requests": "problems drawn again within each stratum",
    "samples": "samples of each request drawn again, since these requests are all there are",
    "strata": "contexts drawn again, each with all its tasks",
}
INTERVAL = (
    "95 % interval: bootstrap (the outer bounds of the expanded percentile and the studentised one), {drawn}; it "
    "covers the draw of what was asked, not of training seeds"
)

DEFINITIONS = {
    "final": "mean score of the last adapters; over seeds: the mean of the runs, with each seed's beside",
    "differences": "mean score of a minus mean score of b on the same requests, paired; seeds are paired by their "
    "number, one that only one side has is left out, and with none in common all runs meet all; where fewer "
    "than 6 of what was drawn differ, the interval is stretched to 0: no sign test of 5 reaches 95 %",
    "duels": "win rate of a: on one request every answer of a meets every answer of b, the higher score wins, equal "
    "counts half",
    "ratings": "Bradley-Terry over all checkpoints on the Elo scale (400 log10 of strength; not online Elo); 0 is the "
    "suite's anchor, the bare base that most contestants stand on, or the mean of all where there is none; prior: half "
    "a win added to both sides of every pair; expanded percentile bootstrap",
}


def standings(folder: Path) -> dict[str, Any]:
    """The standings of an arena's folder (or of a sweep's, which holds it as ``arena``), as plain JSON values.

    Raises:
        ValueError: a file that cannot be read, or contestants who were not asked the same.
    """
    arena = folder / "arena" if (folder / "arena" / "answers").is_dir() else folder
    files = ended_once(told_apart(list(read_all(arena))))
    suites = suites_of(files)
    return {
        "suites": {suite.name: _about(suite) for suite in suites},
        "final": [row for suite in suites for row in finals(suite)],
        "conditions": [row for file in files for row in conditions(file)],
        "differences": [row for suite in suites for row in differences(suite)],
        "duels": [row for suite in suites for row in duels(suite)],
        "ratings": [row for suite in suites for row in ratings(suite)],
        "metrics": [row for file in files for row in _metrics(file)],
        "unmeasured": _unmeasured(files),
        "definitions": DEFINITIONS,
    }


def _about(suite: Suite) -> dict[str, Any]:
    about, (_, requests, samples) = suite.about, suite.scores_K_R_G.shape
    definition = f"{about.definition}; {INTERVAL.format(drawn=DRAWN[about.drawn])}"
    shape = {"requests": requests, "samples": samples, "drawn": about.drawn, "units": suite.resampling.units}
    return {"definition": definition, "unit": about.unit, "anchor": anchor_name(suite), **shape}


def _metrics(file: Answered) -> list[dict[str, Any]]:
    """A yardstick that records no answers cannot be paired; what it says by itself stands here."""
    about = file.about
    if file.answers:
        return []
    place = {"suite": about.suite, "contestant": about.contestant, "run": about.run, "step": about.step}
    return [place | dict(metric) for metric in about.metrics]


def _unmeasured(files: Sequence[Answered]) -> list[dict[str, str]]:
    return [
        {"contestant": file.about.contestant, "suite": file.about.suite, "why": file.about.unmeasured}
        for file in files
        if file.about.unmeasured
    ]
