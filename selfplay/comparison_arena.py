"""The common arena: every checkpoint of every run, and each bare base, answers the same held-out suites.

    runs --entrants--> policies, one model at a time --suites--> <out>/answers/<contestant>/<suite>.parquet

    python -m selfplay.comparison_arena runs/compare/small/* --suites arithmetic answers --out runs/compare/small/arena

``--suites`` are shipped ones by name (recipes/suite/) or files; ``--checkpoints last`` leaves earlier checkpoints out;
``--standings FILE`` writes what `selfplay.comparison.standings` makes of it. A file that is there for the same adapters
and suite, base and data of the suite is not measured again: kill it at any moment and start it again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from omegaconf import DictConfig, OmegaConf

from selfplay.arena_digest import data_prints
from selfplay.arena_entrants import CannotMeasure, Checkpoints, Entrant, entrants_of, stand_in
from selfplay.arena_suites import SuiteNode, load_suite, read_suites, with_tokens
from selfplay.comparison.answers_file import About, path_of, read_about, write_answers
from selfplay.comparison.standings import standings
from selfplay.configuration import RecipeError, one_line
from selfplay.evaluate_report import about_answers
from selfplay.evaluation.records import Answer, Recorded
from selfplay.tracking.files import write_json

if TYPE_CHECKING:
    from selfplay.arena_stage import Stage

Say = Callable[[str], None]
NO_ANSWERS = "its yardstick records no answers, so nothing can be paired; see its metrics"


@dataclass(frozen=True)
class Task:
    """One file that is not there yet."""

    entrant: Entrant
    suite: SuiteNode
    digest: str
    path: Path


def measure_all(
    runs: Sequence[Path],
    suites: Mapping[str, Any],
    out: Path,
    checkpoints: Checkpoints = "all",
    say: Say = print,
) -> list[Path]:
    """Measure whoever has not been measured yet.

    Args:
        runs: run folders.
        suites: name -> a yardstick's node, or an evaluation group's; see `selfplay.arena_suites`.
        out: the arena's folder.
        checkpoints: ``last`` measures only what the runs ended with, and the bases.

    Returns:
        The files of all contestants, new and old.

    Raises:
        RecipeError: a folder that is no run's, a suite that cannot be built, or adapters that do not fit.
    """
    entrants = entrants_of(runs, checkpoints)
    nodes = [_common(suite, entrants) for suite in read_suites(suites).values()]
    if not nodes:
        raise RecipeError("suites: there is none to measure on; name one, e.g. arithmetic.")
    tasks = [_task(entrant, suite, out) for entrant in entrants for suite in nodes]
    owed = [task for task in tasks if not _is_done(task)]
    if owed:
        from selfplay.arena_stage import Stage

        stage = Stage(entrants)
        for number, task in enumerate(sorted(owed, key=lambda task: task.entrant.loading), start=1):
            write_answers(task.path, *_measured(task, stage))
            say(f"arena {number}/{len(owed)}: {task.entrant.name} on {task.suite.name}")
    return [task.path for task in tasks]


def _common(suite: SuiteNode, entrants: Sequence[Entrant]) -> SuiteNode:
    configs, roles = [], []
    asked = suite.build().roles  # a mistake in it is found before a model is loaded
    for entrant in entrants:
        try:
            roles.append([stand_in(entrant, role) for role in asked])
            configs.append(entrant.run.config)
        except CannotMeasure:
            continue
    return with_tokens(suite, configs, roles)


def _task(entrant: Entrant, suite: SuiteNode, out: Path) -> Task:
    sampler: Any = OmegaConf.to_container(entrant.run.config.sampler)
    playing = {key: value for key, value in sampler.items() if key not in ("rows", "max_new_tokens", "merge")}
    digest = entrant.digest(suite.node, suite.tokens, playing, data_prints(suite.node))
    return Task(entrant, suite, digest, path_of(out, entrant.name, suite.name))


def _is_done(task: Task) -> bool:
    """Whether the file is there: the same answers, of a policy that stands where it stood."""
    about = read_about(task.path)
    return about is not None and (about.digest, about.last) == (task.digest, task.entrant.last)


def _measured(task: Task, stage: Stage) -> tuple[About, Sequence[Answer]]:
    entrant, about = task.entrant, partial(about_answers, task.entrant, task.suite.name, task.digest)
    yardstick = task.suite.build(entrant.skills())
    try:
        measured = yardstick.measure(stage.sampler(entrant, yardstick.roles, task.suite.tokens))
    except CannotMeasure as reason:
        return about(unmeasured=str(reason)), ()
    records = measured.records if isinstance(measured, Recorded) else None
    if records is None:
        return about(unmeasured=NO_ANSWERS, metrics=measured.metrics), ()
    return about(records=records, metrics=measured.metrics), records.answers


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RecipeError(f"{message}; see python -m selfplay.comparison_arena --help.")


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: 0 measured, 1 the disk refused, 2 a mistake in the words."""
    parser = _Parser(prog="selfplay.comparison_arena", description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--suites", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--checkpoints", choices=("all", "last"), default="all")
    parser.add_argument("--standings", type=Path)
    try:
        given = parser.parse_args(list(sys.argv[1:] if words is None else words))
        nodes: dict[str, DictConfig] = {Path(word).stem: load_suite(word) for word in given.suites}
        measure_all(given.runs, nodes, given.out, given.checkpoints)
        if given.standings is not None:
            write_json(given.standings, standings(given.out))
    except (RecipeError, ValueError) as error:
        print(f"selfplay: {one_line(error)}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"selfplay: {one_line(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
