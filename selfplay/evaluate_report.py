"""What `selfplay evaluate` and the arena keep of a measurement: tables for people, parquet and JSON for tools."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from selfplay.arena_entrants import Entrant, about_run
from selfplay.arena_suites import SuiteNode
from selfplay.comparison.answers_file import About, file_name, write_answers
from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.records import Records
from selfplay.tracking.files import write_json
from selfplay.tracking.run_info import installed_versions

EVALUATIONS = "evaluations"
PLAIN_WIDTH = 160


@dataclass(frozen=True)
class Evaluation:
    """One policy on one suite."""

    entrant: Entrant
    suite: SuiteNode
    metrics: tuple[Metric, ...]
    records: Records | None


def about_answers(
    entrant: Entrant,
    suite: str,
    digest: str,
    records: Records | None = None,
    metrics: Sequence[Metric] = (),
    unmeasured: str = "",
) -> About:
    """What the file of the answers says of itself."""
    who: dict[str, Any] = {"contestant": entrant.name, "step": entrant.step, "base": entrant.base, "last": entrant.last}
    keys = () if records is None else ("drawn", "unit", "definition", "limits")
    return About(
        **who,
        **about_run(entrant),
        suite=suite,
        digest=digest,
        **{key: getattr(records, key) for key in keys},
        metrics=tuple(_plain(metric) for metric in metrics),
        unmeasured=unmeasured,
    )


def show(evaluations: Sequence[Evaluation], console: Console | None = None) -> None:
    """A table for each suite: every figure of every policy with its interval, then what the figures mean."""
    console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    for name, of_suite in _by_suite(evaluations):
        table = Table(title=f"suite {name}", title_justify="left", box=None, pad_edge=False)
        for heading, justify in (("policy", "left"), ("figure", "left"), ("", "right"), ("95 % interval", "right")):
            table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
        meanings: dict[str, str] = {}
        for one in of_suite:
            for metric in one.metrics:
                figure = metric.name.removeprefix(f"yardstick/{name}/")
                meanings[figure] = metric.definition
                table.add_row(one.entrant.name, figure, f"{metric.value:.3f}", _interval(metric))
        console.print(table, markup=False, highlight=False)
        for figure, meaning in meanings.items():
            console.print(f"- {figure}: {meaning}", markup=False, highlight=False)


def write(evaluations: Sequence[Evaluation], target: Path) -> list[Path]:
    """``<target>/<suite>-<n>/``: evaluation.json, and a parquet of each policy's answers where they are recorded.

    Raises:
        OSError: the disk refused.
    """
    written = []
    for name, of_suite in _by_suite(evaluations):
        folder = _free(target, name)
        for one in of_suite:
            if one.records is not None:
                about = about_answers(one.entrant, name, _digest(one), one.records, one.metrics)
                write_answers(folder / f"{file_name(one.entrant.name)}.parquet", about, one.records.answers)
        write_json(folder / "evaluation.json", as_json(of_suite))
        written.append(folder)
    return written


def as_json(of_suite: Sequence[Evaluation]) -> dict[str, Any]:
    """evaluation.json. Names of metrics are those of metrics.jsonl and summary.json."""
    suite = of_suite[0].suite
    policies = []
    for one in of_suite:
        metrics = {metric.name: _figures(metric) for metric in one.metrics}
        adapters = None if one.entrant.bare else str(one.entrant.run.adapters)
        place = {"policy": one.entrant.name, "step": one.entrant.step, "base": one.entrant.base}
        policies.append(place | {"adapters": adapters, "metrics": metrics})
    return {
        "suite": suite.name,
        "settings": {**suite.node, "max_new_tokens": suite.tokens},
        "policies": policies,
        "versions": installed_versions(),
    }


def _figures(metric: Metric) -> dict[str, Any]:
    return {key: value for key, value in _plain(metric).items() if key != "name"}


def _plain(metric: Metric) -> dict[str, Any]:
    """JSON knows no NaN."""
    pairs = asdict(metric).items()
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in pairs}


def _digest(one: Evaluation) -> str:
    return one.entrant.digest(one.suite.node, one.suite.tokens)


def _by_suite(evaluations: Sequence[Evaluation]) -> Iterator[tuple[str, list[Evaluation]]]:
    for name in dict.fromkeys(one.suite.name for one in evaluations):
        yield name, [one for one in evaluations if one.suite.name == name]


def _free(target: Path, suite: str) -> Path:
    """A folder that nobody has, made."""
    target.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = target / f"{file_name(suite)}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("numbers do not end")


def _interval(metric: Metric) -> str:
    return "" if metric.low is None or metric.high is None else f"[{metric.low:.3f}, {metric.high:.3f}]"
