"""What a duel prints, and the files that ``--write`` leaves."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from rich.console import Console
from rich.table import Table

from selfplay.configuration import RecipeError
from selfplay.evaluation.alpaca import Annotations, Output, write_annotations, write_json, write_outputs
from selfplay.evaluation.contests import Comparison, Round, Setting, finding, instruction_of
from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.ratings import Rating
from selfplay.tracking.console import PLAIN_WIDTH
from selfplay.tracking.run_info import installed_versions

NOTHING_READ = "no finding: not one judgment could be read"


@dataclass(frozen=True)
class Bout:
    """One pair's contest."""

    setting: Setting
    comparisons: tuple[Comparison, ...]
    metrics: tuple[Metric, ...]

    @property
    def rate(self) -> Metric | None:
        return self.figure("win_rate")

    @property
    def finding(self) -> str:
        return NOTHING_READ if self.rate is None else finding(self.rate, self.setting.a, self.setting.b)

    def figure(self, name: str) -> Metric | None:
        return next((metric for metric in self.metrics if metric.name == f"duel/{self.setting.b}/{name}"), None)


@dataclass(frozen=True)
class Report:
    """All pairs' contests, and the ratings where there are more than two contestants."""

    names: tuple[str, ...]
    bouts: tuple[Bout, ...]
    words: Mapping[str, Any]  # how it was asked for: judge, requests, answers, temperature, seed
    rounds: tuple[Round, ...] = ()
    rated: tuple[Rating, ...] = field(default=())
    rating_words: str = ""


def pairs_of(names: Sequence[str]) -> list[tuple[str, str]]:
    """
    >>> pairs_of(["x", "y", "z"])
    [('x', 'y'), ('x', 'z'), ('y', 'z')]
    """
    return [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]


def file_names(contestants: int) -> list[str]:
    """What ``write`` will write.

    >>> file_names(2)
    ['model_outputs_a.json', 'model_outputs_b.json', 'annotations.json', 'duel.json']
    """
    letters = ascii_lowercase[:contestants]
    pairs = [f"_{a}_{b}" for i, a in enumerate(letters) for b in letters[i + 1 :]] if contestants > 2 else [""]
    return [*(f"model_outputs_{x}.json" for x in letters), *(f"annotations{pair}.json" for pair in pairs), "duel.json"]


def refuse_taken(folder: Path, contestants: int) -> None:
    """Raises RecipeError where a file of an earlier duel lies in the folder, or it cannot be made."""
    taken = [name for name in file_names(contestants) if (folder / name).exists()]
    if taken:
        raise RecipeError(f"--write {folder}: holds {taken[0]} already; name another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecipeError(f"--write {folder}: cannot be made ({error.strerror}); name another folder.") from error


def write(report: Report, folder: Path) -> None:
    """Answers and annotations in AlpacaEval's format, and duel.json with every figure and its definition.

    Raises:
        ValueError: a file that exists or cannot be written.
    """
    names = file_names(len(report.names))
    outputs, annotations = names[: len(report.names)], names[len(report.names) : -1]
    for name, file in zip(report.names, outputs, strict=True):
        rows = [
            Output(instruction_of(one.request), text, name, one.item)
            for one in report.rounds
            for text in one.answers[name]
        ]
        write_outputs(folder / file, rows)
    for bout, file in zip(report.bouts, annotations, strict=True):
        setting = bout.setting
        write_annotations(folder / file, Annotations(setting.a, setting.b, setting.judge, bout.comparisons))
    write_json(folder / "duel.json", as_json(report))


def as_json(report: Report) -> dict[str, Any]:
    """duel.json. Keys of ``metrics`` are metrics' names, under the pair they belong to."""
    pairs = [
        {
            "a": bout.setting.a,
            "b": bout.setting.b,
            "finding": bout.finding,
            "metrics": {metric.name: _figures(metric) for metric in bout.metrics},
        }
        for bout in report.bouts
    ]
    rated = [asdict(rating) for rating in report.rated]
    ratings = {"ratings": rated, "ratings_definition": report.rating_words} if rated else {}
    return {**report.words, "contestants": list(report.names), "pairs": pairs, **ratings} | {
        "versions": installed_versions()
    }


def show(report: Report, console: Console | None = None) -> None:
    """The figures of a pair with their definitions, or everybody's rating and the win rate of each pair."""
    console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    if len(report.names) > 2:
        _show_ratings(report, console)
        return
    (bout,) = report.bouts
    console.print(bout.setting.words, markup=False, highlight=False)
    table = Table(box=None, pad_edge=False)
    for heading, justify in (("figure", "left"), ("", "right"), ("95 % interval", "right"), ("definition", "left")):
        table.add_column(heading, justify=justify, no_wrap=heading != "definition")  # type: ignore[arg-type]
    for metric in bout.metrics:
        name = metric.name.removeprefix(f"duel/{bout.setting.b}/")
        digits = 1 if name.startswith(("characters", "words")) else 3
        definition = metric.definition.removesuffix(f"; {bout.setting.words}")
        table.add_row(name, f"{metric.value:.{digits}f}", _interval(metric), definition)
    console.print(table, markup=False, highlight=False)
    console.print(bout.finding, markup=False, highlight=False)


def _show_ratings(report: Report, console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("contestant", "Elo", "95 % interval"):
        table.add_column(heading, justify="left" if heading == "contestant" else "right", no_wrap=True)
    for rating in report.rated:
        table.add_row(rating.name, f"{rating.elo:.0f}", f"[{rating.low:.0f}, {rating.high:.0f}]")
    console.print(table, markup=False, highlight=False)
    console.print(report.rating_words or NOTHING_READ, markup=False, highlight=False)
    pairs = Table(box=None, pad_edge=False)
    for heading in ("A", "B", "win rate of A", "95 % interval", "length-controlled, minimal", "finding"):
        pairs.add_column(heading)
    for bout in report.bouts:
        rate, controlled = bout.rate, bout.figure("win_rate_length_controlled")
        cells = ["", ""] if rate is None else [f"{rate.value:.3f}", _interval(rate)]
        other = "" if controlled is None else f"{controlled.value:.3f}"
        pairs.add_row(bout.setting.a, bout.setting.b, *cells, other, bout.finding.partition(":")[0])
    console.print(pairs, markup=False, highlight=False)


def _figures(metric: Metric) -> dict[str, Any]:
    return {"value": metric.value, "low": metric.low, "high": metric.high, "definition": metric.definition}


def _interval(metric: Metric) -> str:
    return "" if metric.low is None or metric.high is None else f"[{metric.low:.3f}, {metric.high:.3f}]"
