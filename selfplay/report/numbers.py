"""numbers.json: every number that a report shows, worked out from the run folders and standings.json alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfplay.report.alarms import guard_rows
from selfplay.report.costs import cost_of, difficulty_of
from selfplay.report.courses import panels, standing_panels
from selfplay.report.findings import arena_findings, headlines, name_of, own_findings
from selfplay.report.runs import Arm, Run, arms_of, differing_keys
from selfplay.report.stored import CHOSEN, StepFile, choose, scan_run
from selfplay.report.styles import Style, styles_of

Numbers = dict[str, Any]
GENERATOR = "selfplay report"
"""Stands in everything that a report writes, so that a later call knows its own files."""


@dataclass(frozen=True)
class Source:
    """The runs of a report with what was counted of their stored episodes."""

    arms: Mapping[Arm, Sequence[Run]]
    styles: Mapping[Arm, Style]
    files: Mapping[str, Sequence[StepFile]]  # run name -> its steps
    chosen: Mapping[str, Sequence[list[int]]]  # run name -> the episodes of each step to show

    @property
    def runs(self) -> list[Run]:
        return [run for some in self.arms.values() for run in some]


def read_source(runs: Sequence[Run], characters: int) -> Source:
    """Count all episodes, and choose those to show: every run gets an equal part of ``characters``.

    Raises:
        ValueError: an episode file that cannot be read.
    """
    files = {run.name: scan_run(run.folder) for run in runs}
    chosen = {name: choose(files_S, characters // len(runs)) for name, files_S in files.items()}
    arms = arms_of(runs)
    return Source(arms, styles_of(arms), files, chosen)


def numbers_of(source: Source, standings: Mapping[str, Any] | None, title: str) -> Numbers:
    """All plain JSON; what is not known is null."""
    arms, styles = source.arms, source.styles
    curves = panels(arms, styles)
    own = own_findings(curves, arms, styles)
    arena = arena_findings(standings, styles) if standings else []
    difficulties = [difficulty_of(some, styles[arm].label) for arm, some in arms.items()]
    return {
        "generator": GENERATOR,
        "title": title,
        "verdict": headlines(arena or own, [style.label for style in styles.values()]),
        "warnings": warnings_of(arms, styles),
        "runs": [_run_row(run, styles) for run in source.runs],
        "arena": {
            "suites": (standings or {}).get("suites", {}),
            "final": [_final_row(row, styles) for row in (standings or {}).get("final", [])],
            "differences": arena,
            **{name: (standings or {}).get(name, []) for name in ("conditions", "metrics", "unmeasured")},
            "definitions": (standings or {}).get("definitions", {}),
        },
        "curves": (standing_panels(standings, arms, styles) if standings else []) + curves,
        "findings": own,
        "alarms": [row for run in source.runs for row in guard_rows(run)],
        "difficulty": [found for found in difficulties if found],
        "cost": [cost_of(run, styles[run.arm].label, source.files[run.name]) for run in source.runs],
        "episodes": _episode_counts(source),
    }


def warnings_of(arms: Mapping[Arm, Sequence[Run]], styles: Mapping[Arm, Style]) -> list[str]:
    """What a reader must know before any number: runs that are not finished, runs that are no repetitions."""
    lines = []
    for arm, runs in arms.items():
        going = [f"{run.name} (step {run.steps} of {run.planned})" for run in runs if not run.finished]
        if going:
            lines.append(f"Not finished when this was written: {', '.join(going)}. Their last numbers are not final.")
        keys = differing_keys(runs)
        if keys:
            named = ", ".join(keys[:6]) + (f" and {len(keys) - 6} more" if len(keys) > 6 else "")
            lines.append(
                f"The runs of {styles[arm].label} differ in more than their seed ({named}): read them one by one."
            )
    return lines


def _run_row(run: Run, styles: Mapping[Arm, Style]) -> dict[str, Any]:
    return {
        "run": run.name,
        "label": styles[run.arm].label,
        "recipe": run.arm.recipe,
        "base": run.arm.base,
        "arm": run.arm.control,
        "seed": run.seed,
        "steps": run.steps,
        "planned": run.planned,
        "finished": run.finished,
    }


def _final_row(row: Mapping[str, Any], styles: Mapping[Arm, Style]) -> dict[str, Any]:
    return {**row, "label": name_of(Arm(row["recipe"], row["base"], row["arm"]), styles)}


def _episode_counts(source: Source) -> dict[str, Any]:
    stored = {name: sum(len(file.starts_E) for file in files_S) for name, files_S in source.files.items()}
    shown = {name: sum(map(len, chosen_S)) for name, chosen_S in source.chosen.items()}
    return {"stored": stored, "shown": shown, "chosen": "all" if stored == shown else CHOSEN}
