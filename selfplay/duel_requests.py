"""What is asked in a duel, and what the truth says of an answer.

Held-out problems where the domain of the first run has a split, its requests otherwise; the instructions of the files
where answers come from files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from selfplay.configuration import RecipeError, build
from selfplay.domains.prompts import Prompts
from selfplay.duel_contestants import Contestant, Run
from selfplay.evaluation.contests import instruction_of
from selfplay.evaluation.judges import Quality
from selfplay.types import Domain, OpenDomain, Problem, Request, Seed

LOOKED_THROUGH = 2000
"""Requests of an open domain among which the instructions of a file are looked for."""

ASKED_BY = ("_target_", "wording", "path", "name", "split", "field", "held_out")
"""Keys of a domain that decide what is asked, and which of it was never played."""

_PLACE = "\0"


@dataclass(frozen=True)
class Subject:
    """What a contest is about. ``truth`` says what ``quality`` measures; None where it is not known."""

    requests: dict[str, Request]  # by item
    words: str  # "100 held-out problems"
    quality: Quality
    truth: str | None


def subject_of(house: Run | None, contestants: Sequence[Contestant], requests: int, seed: int) -> Subject:
    """At most ``requests`` requests, the same for the same seed.

    Raises:
        RecipeError: files that answered nothing in common, or runs that cannot be asked the same.
    """
    _refuse_different_domains(contestants)
    files = [contestant for contestant in contestants if contestant.outputs]
    domain = None if house is None else build(house.config, "domain")
    if not files:
        if domain is None:
            raise RecipeError("nobody here can answer; name a run's folder or a file of answers.")
        open_ended = isinstance(domain, OpenDomain)
        return _open_subject(domain, requests, seed) if open_ended else _held_out(domain, requests, seed)
    instructions = _common(files)
    shown = dict(list(instructions.items())[:requests])
    words = f"{len(shown)} of {len(instructions)} instructions of {' and '.join(f.name for f in files)}"
    if domain is None:
        return Subject({item: Request(text, text) for item, text in shown.items()}, words, lambda *_: None, None)
    known, quality, truth = _recognised(domain, list(shown.values()))
    found = {item: known.get(text, Request(text, text)) for item, text in shown.items()}
    return Subject(found, words, quality, truth if known else None)


def answers_of(contestant: Contestant, contestants: Sequence[Contestant]) -> dict[str, list[str]]:
    """Item -> answers of a file, named as ``subject_of`` names them."""
    by_item = _named(contestants)
    found: dict[str, list[str]] = {}
    for output in contestant.outputs:
        found.setdefault(output.item if by_item else output.instruction, []).append(output.output)
    return found


def _open_subject(domain: OpenDomain, requests: int, seed: int) -> Subject:
    if isinstance(domain, Prompts) and domain.held_out:
        try:
            held_out = domain.held_out_requests(requests, seed)
        except ValueError as error:
            raise RecipeError(str(error)) from error
        asked = {str(number): request for number, request in enumerate(held_out)}
        return Subject(asked, f"{len(asked)} held-out prompts", domain.quality, None)
    drawn = {str(index): domain.request(Seed(index, "duel")) for index in range(requests)}
    distinct = len({instruction_of(request) for request in drawn.values()})
    repeated = f"{distinct} different ones, to which alone the interval speaks; " if distinct < requests else ""
    words = f"{requests} requests of the domain ({repeated}none is held out)"
    return Subject(drawn, words, domain.quality, _truth_of(domain, drawn["0"]))


def _held_out(domain: Domain, requests: int, seed: int) -> Subject:
    """Evenly over the levels, as far as they have problems."""
    levels = domain.held_out_problems(requests, seed)
    turns = zip_longest(*(levels[level] for level in sorted(levels)))
    problems = [problem for turn in turns for problem in turn if problem is not None][:requests]
    if not problems:
        raise RecipeError("domain: holds out no problem, so there is nothing to ask; name a run of another domain.")
    known = {problem.key: problem for problem in problems}
    quality = _rightness(domain, known)
    return Subject(_asked(domain, known), f"{len(known)} held-out problems", quality, "right against wrong")


def _asked(domain: Domain, problems: dict[str, Problem]) -> dict[str, Request]:
    return {key: Request(domain.solve_prompt(problem), problem.text, key) for key, problem in problems.items()}


def _rightness(domain: Domain, problems: dict[str, Problem]) -> Quality:
    def quality(request: Request, answer: str) -> float | None:
        problem = problems.get(request.about)
        right = None if problem is None else domain.is_right(problem, domain.read_answer(answer))
        return None if right is None else float(right)

    return quality


def _recognised(domain: Domain | OpenDomain, instructions: list[str]) -> tuple[dict[str, Request], Quality, str | None]:
    """Instruction -> the domain's request for it, those it knows; its quality, and what that measures."""
    if isinstance(domain, OpenDomain):
        asked = (domain.request(Seed(index, "duel")) for index in range(LOOKED_THROUGH))
        by_text = {instruction_of(request): request for request in asked}
        known = {text: by_text[text] for text in instructions if text in by_text}
        truth = _truth_of(domain, next(iter(known.values()))) if known else None
        return known, domain.quality, truth
    prompt = domain.solve_prompt(Problem(_PLACE, _PLACE, 0))
    before, _, after = prompt.partition(_PLACE) if isinstance(prompt, str) else ("", "", "")
    problems = {}
    for text in instructions:
        if text.startswith(before) and text.endswith(after):
            problem = domain.read_problem(text[len(before) : len(text) - len(after)])
            if problem is not None:
                problems[text] = problem
    known = {text: Request(text, problem.text, problem.key) for text, problem in problems.items()}
    by_key = {problem.key: problem for problem in problems.values()}
    return known, _rightness(domain, by_key), "right against wrong"


def _truth_of(domain: OpenDomain, request: Request) -> str | None:
    return None if domain.quality(request, "") is None else "hidden quality: the better of the two"


def _named(contestants: Sequence[Contestant]) -> bool:
    """Whether every file names its requests; otherwise the instruction is the name."""
    return all(output.item for contestant in contestants for output in contestant.outputs)


def _common(files: Sequence[Contestant]) -> dict[str, str]:
    """Item -> instruction of what all files answered, in the first one's order."""
    by_item = _named(files)
    read = [{(o.item if by_item else o.instruction): o.instruction for o in file.outputs} for file in files]
    common = {item: text for item, text in read[0].items() if all(other.get(item) == text for other in read[1:])}
    if not common:
        raise RecipeError(
            f"{' and '.join(file.name for file in files)} answered no instruction in common; give files of one set."
        )
    return common


def _refuse_different_domains(contestants: Sequence[Contestant]) -> None:
    """Bases and sizes may differ; what is asked, and how it is worded, may not."""
    runs = [contestant.run for contestant in contestants if contestant.run is not None]
    for run in runs[1:]:
        for key in ASKED_BY:
            here, there = runs[0].config.domain.get(key), run.config.domain.get(key)
            if here != there:
                raise RecipeError(
                    f"{run.name} plays domain.{key}={there}, {runs[0].name} {here}: they cannot be asked the same; "
                    "name runs of one domain, wording and split."
                )
