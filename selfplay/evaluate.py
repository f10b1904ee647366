"""Measure a saved policy again: the same numbers as its run's own yardsticks, or other suites.

    words --entrants, suites--> measurements --show, write--> table, RUN/evaluations/<suite>-<n>/

    selfplay evaluate runs/quickstart                                the run's own suites, its last adapters
    selfplay evaluate runs/quickstart --suite answers --checkpoints all
    selfplay evaluate runs/quickstart/checkpoints/step-000010 --suite arithmetic my_suite.yaml
    selfplay evaluate base --suite arithmetic                        the base `small`, bare
    selfplay evaluate base:Qwen/Qwen3-8B policy=qwen3_8b --suite my_suite.yaml

A suite is one of the run's own by name, a shipped one (recipes/suite/), or a file with a yardstick or an evaluation
group. ``--write FOLDER`` writes there instead of RUN/evaluations; nothing is ever overwritten. A bare base by itself is
written only where ``--write`` says so. After ``base:NAME``, KEY=VALUE words say how it is loaded and sampled.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from omegaconf import DictConfig, OmegaConf

from selfplay.arena_entrants import CannotMeasure, Entrant, bare, of_checkpoint, of_run
from selfplay.arena_suites import SuiteNode, load_suite, read_suites, shipped_suites
from selfplay.configuration import RecipeError, compose, one_line
from selfplay.duel_contestants import BASE, Run
from selfplay.evaluate_report import EVALUATIONS, Evaluation, show, write
from selfplay.evaluation.records import Recorded

if TYPE_CHECKING:
    from selfplay.arena_stage import Stage


@dataclass(frozen=True)
class Words:
    policy: str  # a run's folder, a checkpoint's, "base" or "base:NAME"
    suites: tuple[str, ...]  # () = the run's own
    checkpoints: str  # "all" or "last"
    write: Path | None
    overrides: tuple[str, ...]  # of a bare base's config


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RecipeError(f"{message}; see selfplay evaluate --help.")


def read_words(words: Sequence[str]) -> Words:
    """
    >>> read_words(["runs/a", "--suite", "arithmetic"]).suites
    ('arithmetic',)

    Raises:
        RecipeError: an unknown word.
    """
    parser = _Parser(prog="selfplay evaluate", add_help=False, allow_abbrev=False)
    parser.add_argument("policy")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--suite", nargs="+", default=())
    parser.add_argument("--checkpoints", choices=("all", "last"), default="last")
    parser.add_argument("--write", type=Path)
    found = parser.parse_args(list(words))
    return Words(found.policy, tuple(found.suite), found.checkpoints, found.write, tuple(found.overrides))


def evaluate(words: Words) -> list[Evaluation]:
    """One for each policy and suite; every mistake that can be seen is found before a model is loaded.

    Raises:
        RecipeError: one line with the mend.
    """
    entrants = _entrants(words)
    own, suites = _suites(words, entrants[0])
    for suite in suites:
        suite.build()

    from selfplay.arena_stage import Stage

    stage = Stage(entrants)
    return [_measure(stage, entrant, suite, suite.name in own) for suite in suites for entrant in entrants]


def _entrants(words: Words) -> list[Entrant]:
    name, _, base = words.policy.partition(":")
    if name == BASE:
        return [_bare(base or "small", words.overrides)]
    if words.overrides:
        raise RecipeError(f"{words.overrides[0]}: only a bare base takes KEY=VALUE words; a run is measured as it was.")
    folder = Path(words.policy).expanduser()
    if not folder.is_dir():
        raise RecipeError(f"{words.policy}: there is no such folder; give a run's folder, a checkpoint's, or base.")
    if folder.resolve().parent.name == "checkpoints":
        return [of_checkpoint(folder)]
    return of_run(folder, "all" if words.checkpoints == "all" else "last")


def _bare(base: str, overrides: Sequence[str]) -> Entrant:
    """A base that no run stands on."""
    config = compose(["recipe=sqlm_small", *overrides, f"policy.base={base}"])
    plain = OmegaConf.create({key: OmegaConf.to_container(config[key], resolve=True) for key in ("policy", "sampler")})
    plain.game = OmegaConf.to_container(config.game, resolve=True)
    assert isinstance(plain, DictConfig)
    return bare(Entrant("", Path(), Run("", Path(), plain), 0, last=True))


def _suites(words: Words, entrant: Entrant) -> tuple[set[str], list[SuiteNode]]:
    """The names of the run's own suites, and those that are asked for."""
    yardsticks = OmegaConf.select(entrant.run.config, "evaluation.yardsticks")
    own = read_suites(yardsticks or {})
    if not words.suites and not own:
        raise RecipeError(f"{words.policy} has no suite of its own; name one: --suite {' or '.join(shipped_suites())}.")
    found: dict[str, SuiteNode] = {} if words.suites else dict(own)
    for word in words.suites:
        found |= {word: own[word]} if word in own else read_suites({Path(word).stem: load_suite(word, tuple(own))})
    kept = {name for name, suite in found.items() if suite is own.get(name)}
    return kept, list(found.values())


def _measure(stage: Stage, entrant: Entrant, suite: SuiteNode, is_own: bool) -> Evaluation:
    """As the run's examiner does; a suite that is not the run's own meets no opponent."""
    from selfplay.learner.examiner import of_suite

    yardstick = suite.build(entrant.skills())
    try:
        before = None
        if is_own and not entrant.bare and OmegaConf.select(entrant.run.config, "evaluation.duel"):
            before = yardstick.measure(stage.sampler(bare(entrant), yardstick.roles, suite.tokens))
        measured = yardstick.measure(stage.sampler(entrant, yardstick.roles, suite.tokens), before)
    except CannotMeasure as reason:
        raise RecipeError(f"suite {suite.name}: {entrant.name} cannot be measured on it: {reason}.") from reason
    metrics = tuple(of_suite(suite.name, metric) for metric in measured.metrics)
    records = measured.records if isinstance(measured, Recorded) else None
    return Evaluation(entrant, suite, metrics, records)


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: 0 measured, 1 it could not be written, 2 a mistake in the words."""
    try:
        given = read_words(sys.argv[1:] if words is None else words)
        evaluations = evaluate(given)
    except RecipeError as error:
        print(f"selfplay: {error}", file=sys.stderr)
        return 2
    entrant = evaluations[0].entrant
    target = given.write or (None if entrant.bare else entrant.folder / EVALUATIONS)
    written: list[Path] = []
    try:
        written = [] if target is None else write(evaluations, target)
    except OSError as error:
        print(f"selfplay: {target}: cannot be written ({one_line(error)}); name another folder.", file=sys.stderr)
    show(evaluations)
    for folder in written:
        print(f"written to {folder}")
    return 0 if written or target is None else 1


if __name__ == "__main__":
    sys.exit(main())
