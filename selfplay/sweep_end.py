"""The end of a sweep: its finished runs meet in the arena, get their model cards, and are reported together.

    runs --measure_all--> arena/answers --standings--> arena/standings.json --write_report--> report/report.html

What was measured before is not measured again, so that it may be killed anywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfplay.configuration import one_line
from selfplay.tracking.files import write_json

if TYPE_CHECKING:
    from selfplay.sweep import Plan


def conclude(plan: Plan) -> None:
    """Measure the finished runs in the arena, write standings, model cards and the report, and say what came of it.

    Raises:
        ValueError: a suite or a place that cannot be used; what was measured before stays.
        OSError: the disk refused.
    """
    from selfplay.report import write_report

    numbers = _measure(plan) if plan.suites else None
    for run in plan.runs:
        _write_cards(run, [other for other in plan.runs if other != run])
    page = write_report(plan.folder / "report", plan.runs, numbers, f"Comparison: {plan.folder.name}")
    for row in numbers["differences"] if numbers else []:
        print(f"{row['suite']}: {_contestant(row['a'])} against {_contestant(row['b'])}: {row['words']}")
    print(f"report: {page}")
    if list(plan.folder.glob("*/wandb/offline-run-*")):
        print(f"W&B: upload the offline runs with: wandb sync {plan.folder}/*/wandb/offline-run-*")


def _measure(plan: Plan) -> Mapping[str, Any]:
    """The standings. A run whose adapters were removed stands there with what it answered before, if it did."""
    from selfplay.arena_entrants import holds_policy
    from selfplay.comparison.standings import standings
    from selfplay.comparison_arena import measure_all

    arena = plan.folder / "arena"
    there = [run for run in plan.runs if holds_policy(run)]
    for run in plan.runs:
        if run not in there:
            _say(f"{run.name} is finished, but its adapters and checkpoints are gone: it is not measured")
    if there:
        measure_all(there, plan.suites, arena)
    numbers = standings(arena)
    arena.mkdir(exist_ok=True)
    write_json(arena / "standings.json", numbers)
    return numbers


def _write_cards(run: Path, beside: Sequence[Path]) -> None:
    """The report is whole without a card, so what stands against one is only told."""
    from selfplay.model_card import FAULTS, write_cards

    try:
        write_cards(run, beside=beside)
    except FAULTS as error:
        _say(f"{run.name}: no model card was written ({type(error).__name__}: {one_line(error)})")


def _contestant(side: Mapping[str, str]) -> str:
    """
    >>> _contestant({"recipe": "", "arm": "base", "base": "small"})
    'the base small'
    >>> _contestant({"recipe": "sqlm_small", "arm": "none", "base": "small"})
    'sqlm_small (small)'
    """
    if side["arm"] == "base":
        return f"the base {side['base']}"
    arm = "" if side["arm"] == "none" else f" {side['arm']}"
    return f"{side['recipe']}{arm} ({side['base']})"


def _say(line: str) -> None:
    print(f"selfplay: {line}", file=sys.stderr, flush=True)
