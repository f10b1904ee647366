"""Which policy answers better, by a judge that is named: win rate of A against B, with intervals; ratings of several.

    words --contestants, requests, judge--> answers, one policy after another --hold--> comparisons --> table, files

    selfplay duel runs/quickstart base                           by the truth: right against wrong on held-out problems
    selfplay duel RUN RUN/checkpoints/step-000010 base --judge base --requests 200      more than two are rated
    selfplay duel RUN model_outputs.json --judge http://localhost:8000/v1#MODEL --write FOLDER
    selfplay duel annotations.json                               what somebody's judge has said already, counted

A, B: a run's folder, one of its checkpoints, ``base`` (the frozen base of the first run), or a file of answers in
AlpacaEval's format. ``--judge truth`` (the default) | ``base`` | a run's folder (its judge) | ``http://HOST/v1#MODEL``;
``--requests 100 --answers 1`` (of each to a request) ``--temperature 1 --seed 0 --role ROLE`` (who answers).
``--write FOLDER`` leaves the answers, annotations.json and duel.json there, and overwrites nothing; ``--api-key-env
NAME`` is the environment variable that holds an endpoint's key.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from selfplay.configuration import RecipeError, one_line
from selfplay.duel_contestants import BASE, Contestant, answering_role, find_house, names_run, read_contestants
from selfplay.duel_judges import choose_judge
from selfplay.duel_report import Bout, Report, file_names, pairs_of, refuse_taken, show, write
from selfplay.duel_requests import Subject, answers_of, subject_of
from selfplay.duel_words import DuelWords, read_words
from selfplay.evaluation.alpaca import is_annotations, read_annotations
from selfplay.evaluation.contests import Round, Setting, contest_metrics, hold, scores_of
from selfplay.evaluation.judges import Pairing
from selfplay.evaluation.ratings import rating_definition, ratings
from selfplay.samplers.openai import EndpointError

if TYPE_CHECKING:
    from selfplay.duel_stage import Stage  # which imports torch


def duel(words: DuelWords) -> Report:
    """Hold the contests that the words ask for; every mistake that can be seen is found before a model is loaded.

    Raises:
        RecipeError: one line with the mend.
    """
    house = find_house([*words.contestants, words.judge])
    contestants = read_contestants(words.contestants, house)
    subject = subject_of(house, contestants, words.requests, words.seed)
    choice = choose_judge(words.judge, house, subject, words.seed, words.api_key_env)
    roles = [answering_role(c.run, words.role) if c.run is not None else "" for c in contestants]
    if words.write is not None:
        refuse_taken(words.write, len(contestants))

    from selfplay.duel_stage import Stage

    stage = Stage()
    rounds = _answered(words, contestants, roles, subject, stage)
    judge, names = choice.make(stage), tuple(contestant.name for contestant in contestants)
    bouts = []
    for a, b in pairs_of(names):
        setting = Setting(a, b, subject.words, _answers_said(words, contestants, judge.pairing), judge.name)
        comparisons = tuple(hold(rounds, a, b, judge))
        bouts.append(Bout(setting, comparisons, tuple(contest_metrics(comparisons, setting, words.seed))))
    return _rated(Report(names, tuple(bouts), _said(words, subject), rounds), subject, judge.name, words.seed)


def _answered(
    words: DuelWords, contestants: Sequence[Contestant], roles: Sequence[str], subject: Subject, stage: Stage
) -> tuple[Round, ...]:
    """Each contestant's answers to all requests, one policy after another."""
    answers: dict[str, dict[str, list[str]]] = {}
    for place, (contestant, role) in enumerate(zip(contestants, roles, strict=True)):
        if contestant.run is None:
            answers[contestant.name] = answers_of(contestant, contestants)
        else:  # noise of its own for each: equal noise would make equal answers, and nothing but ties
            key, n = ("duel", words.seed, place), words.answers
            answers[contestant.name] = stage.answers(contestant, role, subject.requests, n, words.temperature, key)
    return tuple(
        Round(item, request, {name: given[item] for name, given in answers.items()})
        for item, request in subject.requests.items()
    )


def recorded(path: Path, seed: int) -> Report:
    """The report of an annotations.json, judged by whoever wrote it.

    Raises:
        RecipeError: a file that cannot be read so.
    """
    try:
        found = read_annotations(path)
    except ValueError as error:
        raise RecipeError(one_line(error)) from error
    requests = len({comparison.item for comparison in found.comparisons})
    annotator = found.annotator or "whoever wrote the file"
    setting = Setting(found.a, found.b, f"{requests} requests of {path.name}", "as recorded there", annotator)
    bout = Bout(setting, found.comparisons, tuple(contest_metrics(found.comparisons, setting, seed)))
    return Report((found.a, found.b), (bout,), {"file": str(path)})


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: 0 held, 1 an endpoint that stays away or a report not written, 2 a mistake in the words."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # a game of one's own that lies beside its recipe
    try:
        given = read_words(list(sys.argv[1:] if words is None else words))
        alone = len(given.contestants) == 1
        report = recorded(_annotations_file(given), given.seed) if alone else duel(given)
    except RecipeError as error:
        print(f"selfplay: {error}", file=sys.stderr)
        return 2
    except EndpointError as error:
        print(f"selfplay: {one_line(error)}", file=sys.stderr)
        return 1
    show(report)
    return 0 if given.write is None else _write(report, given.write)


def _write(report: Report, folder: Path) -> int:
    try:
        write(report, folder)
    except ValueError as error:
        print(f"selfplay: {one_line(error)}", file=sys.stderr)
        return 1
    print(f"written to {folder}: {', '.join(file_names(len(report.names)))}")
    return 0


def _annotations_file(given: DuelWords) -> Path:
    """The one word, where it is a file of annotations."""
    (word,) = given.contestants
    path = Path(word).expanduser()
    if word == BASE or names_run(word) or not path.is_file():
        raise RecipeError(f"{word} alone: a duel is between two; add base, another run's folder or a file of answers.")
    try:
        judged = is_annotations(path)
    except ValueError as error:
        raise RecipeError(one_line(error)) from error
    if not judged:
        raise RecipeError(f"{word} holds the answers of one; add another file of answers, or a run's folder.")
    if given.write is not None:
        raise RecipeError(f"--write {given.write}: {word} alone is only shown; leave --write out.")
    return path


def _rated(report: Report, subject: Subject, judge: str, seed: int) -> Report:
    """Ratings too, where more than two met and something could be read."""
    scores = {(bout.setting.a, bout.setting.b): scores_of(bout.comparisons) for bout in report.bouts}
    if len(report.names) < 3 or not any(scores.values()):
        return report
    anchor = BASE if BASE in report.names else report.names[0]
    words = rating_definition(anchor, subject.words, judge)
    return Report(
        report.names, report.bouts, report.words, report.rounds, tuple(ratings(scores, anchor, seed=seed)), words
    )


def _answers_said(words: DuelWords, contestants: Sequence[Contestant], pairing: Pairing) -> str:
    number = "1 answer" if words.answers == 1 else f"{words.answers} answers"
    parts = []
    if any(contestant.run is not None for contestant in contestants):
        parts.append(f"{number} of each at temperature {words.temperature:g}, seed {words.seed}")
    if any(contestant.outputs for contestant in contestants):
        parts.append("answers from files as they are there")
    met = "every answer of the one met every one of the other" if pairing == "every" else "the k-th answers met"
    return ", ".join([*parts, f"{met} in both orders"])


def _said(words: DuelWords, subject: Subject) -> dict[str, object]:
    given = {key: value for key, value in asdict(words).items() if key not in ("contestants", "write")}
    return {"asked_for": [*words.contestants], **given, "requests_held": subject.words}


if __name__ == "__main__":
    sys.exit(main())
