"""Methods beside one another: runs a sweep (selfplay/sweep.py), or tells finished runs apart.

    selfplay compare SWEEP [--folder FOLDER] [--dry-run] [KEY=VALUE ...]        small, or folder/mine.yaml
    selfplay compare RUN_FOLDER ... [--write table.md] [--report FOLDER]

    run folders --read_run--> runs --tables--> markdown: each arm's mean over seeds, then every run with its intervals

Reads summary.json and config.yaml, never the console. ``--report`` writes the HTML report of these runs besides.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from omegaconf import OmegaConf

from selfplay.tracking.summary import is_headline

ARMS = ("none", "truth", "random", "format")
"""Order of the rows: the method, its upper bound, the two that must not rise."""


USAGE = "selfplay: usage: selfplay compare SWEEP | RUN_FOLDER ... [--write FILE] [--report FOLDER]"


@dataclass(frozen=True)
class Run:
    """One summary.json, and the base that its config names."""

    recipe: str
    base: str
    arm: str  # "none" is the method itself
    seed: int
    steps: int
    seconds: float
    metrics: Mapping[str, Mapping[str, Any]]  # name -> first, best, last, low, high, definition

    @property
    def group(self) -> tuple[str, str, str]:
        return self.recipe, self.base, self.arm


def read_run(folder: Path) -> Run:
    """The run in a folder.

    Raises:
        ValueError: no finished run there.
    """
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        config = OmegaConf.load(folder / "config.yaml")
        return Run(
            recipe=summary["recipe"],
            base=Path(str(OmegaConf.select(config, "policy.base"))).name,
            arm=str(OmegaConf.select(config, "control.arm")),
            seed=summary["seed"],
            steps=summary["steps"],
            seconds=summary["seconds"],
            metrics={name: course for name, course in summary["metrics"].items() if is_headline(name)},
        )
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{folder} holds no finished run ({type(error).__name__}: {error}).") from error


def tables(runs: Sequence[Run]) -> str:
    """Both tables and the definitions of their columns, as markdown."""
    runs = sorted(runs, key=_order)
    names = list(dict.fromkeys(name for run in runs for name in run.metrics))
    titles = [short_name(name) for name in names]
    each = [_run_row(run, names) for run in runs]
    meanings = {short_name(name): run.metrics[name]["definition"] for run in runs for name in run.metrics}
    return "\n\n".join(
        [
            "First -> last, mean over seeds (lowest to highest last).",
            arms_table(runs),
            "Each run: first -> last [95 % interval of last], best in passing.",
            markdown(["recipe", "base", "arm", "seed", "seconds", *titles], each),
            "\n".join(f"- {title}: {meaning}" for title, meaning in meanings.items()),
        ]
    )


def arms_table(runs: Sequence[Run]) -> str:
    """One row for each recipe, base and arm: means over its seeds, as markdown."""
    runs = sorted(runs, key=_order)
    names = list(dict.fromkeys(name for run in runs for name in run.metrics))
    groups = dict.fromkeys(run.group for run in runs)
    rows = [_arm_row([run for run in runs if run.group == group], names) for group in groups]
    return markdown(["recipe", "base", "arm", "seeds", "steps", *map(short_name, names)], rows)


def short_name(name: str) -> str:
    """A column's title.

    >>> short_name("yardstick/arithmetic/pass@1"), short_name("duel/base/win_rate")
    ('arithmetic pass@1', 'base win_rate')
    """
    return " ".join(name.split("/")[1:])


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """
    >>> print(markdown(["arm", "pass@1"], [["truth", "0.9"]]))
    | arm | pass@1 |
    | --- | --- |
    | truth | 0.9 |
    """
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, ["---"] * len(header), *rows])


def _order(run: Run) -> tuple[str, str, int, int]:
    return run.recipe, run.base, ARMS.index(run.arm) if run.arm in ARMS else len(ARMS), run.seed


def _arm_row(runs: Sequence[Run], names: Sequence[str]) -> list[str]:
    cells = []
    for name in names:
        courses = [run.metrics[name] for run in runs if name in run.metrics]
        finite = [c for c in courses if c["first"] is not None and c["last"] is not None]
        if not finite:
            cells.append("")
            continue
        last = [course["last"] for course in finite]
        first = fmean(course["first"] for course in finite)
        cells.append(f"{first:.3f} -> {fmean(last):.3f} ({min(last):.3f} to {max(last):.3f})")
    steps = sorted({run.steps for run in runs})
    recipe, base, arm = runs[0].group
    return [recipe, base, _arm_name(arm), str(len({run.seed for run in runs})), ", ".join(map(str, steps)), *cells]


def _run_row(run: Run, names: Sequence[str]) -> list[str]:
    cells = [_course(run.metrics[name]) if name in run.metrics else "" for name in names]
    return [run.recipe, run.base, _arm_name(run.arm), str(run.seed), f"{run.seconds:.0f}", *cells]


def _course(course: Mapping[str, Any]) -> str:
    interval = ""
    if course["low"] is not None and course["high"] is not None:
        interval = f" [{course['low']:.3f}, {course['high']:.3f}]"
    best = f", best {course['best']:.3f}" if course["best"] is not None else ""
    return f"{_figure(course['first'])} -> {_figure(course['last'])}{interval}{best}"


def _figure(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3f}"


def _arm_name(arm: str) -> str:
    return "method" if arm == "none" else arm


@dataclass(frozen=True)
class Options:
    """The words of the verb."""

    folders: list[Path]
    table: Path | None = None  # --write
    report: Path | None = None  # --report


def main(words: Sequence[str] = ()) -> int:
    """Run a sweep, or print the tables of runs. 0: all of it, 1: a folder was left out or could not be written, 2:
    misuse; a sweep's own."""
    if _names_a_sweep(words):
        from selfplay.sweep import main as sweep

        return sweep(words)
    options = _options(words)
    if options is None:
        print(USAGE, file=sys.stderr)
        return 2
    runs: dict[Path, Run] = {}
    for folder in options.folders:
        try:
            runs[folder] = read_run(folder)
        except ValueError as error:
            print(f"selfplay: left out: {error}", file=sys.stderr)
    if not runs:
        return 1
    text = tables(list(runs.values()))
    print(text)
    try:
        _write(text, list(runs), options)
    except (OSError, ValueError) as error:  # the disk; somebody's file in the report's place, a run's file that is torn
        print(f"selfplay: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 1 if len(runs) < len(set(options.folders)) else 0


def _write(table: str, runs: Sequence[Path], options: Options) -> None:
    if options.table is not None:
        options.table.write_text(table + "\n", encoding="utf-8")
    if options.report is not None:
        from selfplay.report import write_report

        print(f"report: {write_report(options.report, runs, None, options.report.name)}")


def _names_a_sweep(words: Sequence[str]) -> bool:
    """Whether a file of YAML is among the words, or a single name that is no folder, or a shipped sweep and no run."""
    values = {place + 1 for place, word in enumerate(words) if word in ("--folder", "--write", "--report")}
    named = [word for place, word in enumerate(words) if place not in values and word[:1] != "-" and "=" not in word]
    files = [word for word in named if word.endswith((".yaml", ".yml"))]
    if files or len(named) != 1:
        return bool(files)
    from selfplay.sweep_file import sweep_names

    folder = Path(named[0])
    return not folder.is_dir() or (named[0] in sweep_names() and not (folder / "config.yaml").is_file())


def _options(words: Sequence[str]) -> Options | None:
    """None where the words cannot be read."""
    rest = list(words)
    found: dict[str, Path] = {}
    for name in ("--write", "--report"):
        if name in rest[:-1]:
            place = rest.index(name)
            found[name] = Path(rest[place + 1])
            del rest[place : place + 2]
    if not rest or any(word.startswith("-") for word in rest):
        return None
    return Options([Path(word) for word in rest], found.get("--write"), found.get("--report"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
