"""What the log learns of one context of Ctx2Skill, and the notes from which its skills are stored.

The in-loop solve rate is no evidence of progress: tasks get harder as the challenger learns, and the judge is a model.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple
from statistics import fmean

from selfplay.games.ctx2skill_pay import truth_of
from selfplay.games.ctx2skill_settings import Settings
from selfplay.games.ctx2skill_state import Attempt, Loop, Round
from selfplay.roles.replay import Combine
from selfplay.roles.rubrics import is_solved, pass_rate
from selfplay.roles.skill_rewards import judge_reward
from selfplay.roles.skills import skill_text
from selfplay.types import ContextDomain, Side


def facts_of(loop: Loop, domain: ContextDomain, settings: Settings) -> dict[str, float]:
    """Facts of one episode; a share of nothing is left out.

    Returns:
        Of the tasks ``admitted`` (how many could be read and checked) and ``valid_tasks`` (share of those wanted). Of
        the answers judged in the rounds ``solve_rate``, ``solve_rate_<round>`` and ``rubric_pass_rate`` (mean share of
        rubrics), of all of them ``unjudged`` (without answer or verdict). ``skill_words_<round>`` (of the reasoner,
        between white space), ``challenger_skill_words_<round>``, ``selected_round`` (0 = none, or the version that
        the visit began with, as ``selected_carried`` tells), ``selected_last``, ``replay_score`` of the selected
        version. Rounds are counted within the visit. ``closed_book_solved``: share of tasks solved without the
        document, ``unaided_solve_rate`` of answers without the skill. ``planted_accuracy``: share of planted rubrics
        judged rightly, an unreadable list none. Where the domain knows the truth, ``true_solve_rate`` of the answers
        and ``judge_accuracy`` of their verdicts. Of each agent's replies ``unreadable_<role>``, and of all calls
        ``failed_calls``; ``replies_<role>`` and, where tokens are known, ``tokens_<role>`` are what the visit asked
        for, whatever for.
    """
    by, unanswered = settings.verdict, settings.unanswered
    attempts = [one for done in loop.rounds for one in _attempts(done)]
    tasks = sum(len(done.tasks_N) for done in loop.rounds)
    closed = [one.solved(by, "leave_out") for done in loop.rounds for one in done.closed_N]
    unaided = [one for done in loop.rounds for ones_G in done.unaided_N_G for one in ones_G]
    truths = [(one, known) for one in attempts if (known := truth_of(one, domain)) is not None]
    judged = [(grading, known) for one, known in truths if (grading := one.grading) is not None]
    items = [(item, one) for done in loop.rounds for item, asks_K in done.planted for one in asks_K if one.replies]
    planted = [judge_reward(one.value and one.value.statuses, item.statuses) for item, one in items]
    facts: dict[str, float | None] = {
        "admitted": float(tasks),
        "valid_tasks": tasks / (settings.rounds * settings.tasks),
        "solve_rate": _share([one.solved(by, unanswered) for one in attempts]),
        "rubric_pass_rate": _mean([pass_rate(said.statuses) for one in attempts if (said := one.grading) is not None]),
        "unjudged": _share([one.grading is None for one in attempts]),
        "closed_book_solved": _share(closed),
        "unaided_solve_rate": _share([one.solved(by, unanswered) for one in unaided]),
        "planted_accuracy": _mean(planted),
        "true_solve_rate": _share([known for _, known in truths]),
        "judge_accuracy": _share([is_solved(grading, by) == known for grading, known in judged]),
        "failed_calls": _share([bool(turn.failure) for turn in loop.turns]),
    }
    for place, done in enumerate(loop.rounds, start=1):
        facts[f"solve_rate_{place}"] = _share([one.solved(by, unanswered) for one in _attempts(done)])
        facts[f"skill_words_{place}"] = _words(loop, "reasoner", done.number)
        facts[f"challenger_skill_words_{place}"] = _words(loop, "challenger", done.number)
    if loop.selected is not None:
        facts["selected_round"] = float(max(0, loop.selected - loop.start))
        facts["selected_last"] = float(loop.selected == loop.now.number)
        if loop.start:
            facts["selected_carried"] = float(0 < loop.selected <= loop.start)
        if loop.selected in loop.replayed:
            facts["replay_score"] = loop.replayed[loop.selected].score(_combine(settings))
    facts |= {f"unreadable_{role}": share for role, share in _unreadable(loop)}
    facts |= _spent(loop)
    return {name: value for name, value in facts.items() if value is not None}


def notes_of(loop: Loop, settings: Settings) -> dict[str, str]:
    """What the skill store writes: ``context``, the texts of every version, their provenance, the choice.

    ``skill/<side>/<round>`` is the set in Markdown (empty = no skill yet), ``round/<round>`` JSON of its tasks, what
    became of them and of each side's skill, ``replay`` JSON of every version's score, ``selected`` a round or empty,
    ``began`` JSON of the round before the visit's first and of that whose version of the reasoner's skill it took up.
    With `Settings.carry` ``left``: JSON of what the next visit begins with, each side's entries as name, description
    and body, for Markdown does not keep every white space.
    """
    notes = {"context": loop.context.key, "selected": "" if loop.selected is None else str(loop.selected)}
    notes["began"] = _json({"round": loop.start, "reasoner": loop.origin})
    if loop.origin:
        notes[f"skill/reasoner/{loop.origin}"] = skill_text(loop.skills("reasoner", loop.origin), "json")
    for done in loop.rounds:
        for side in ("reasoner", "challenger"):
            notes[f"skill/{side}/{done.number}"] = skill_text(loop.skills(side, done.number), "json")
        tasks = [_task_note(ones_G, settings) for ones_G in done.attempts_N_G]
        notes[f"round/{done.number}"] = _json({"tasks": tasks, "became": done.became})
    if settings.carry:
        ends: dict[Side, int] = {"reasoner": loop.selected or 0, "challenger": loop.now.number}
        notes["left"] = _json({side: [astuple(one) for one in loop.skills(side, at)] for side, at in ends.items()})
    notes["probes"] = _json([asdict(one) for one in loop.probes])
    scores = {
        number: {
            "hard": [version.hard.solved, version.hard.valid],
            "easy": [version.easy.solved, version.easy.valid],
            "score": version.score(_combine(settings)),
        }
        for number, version in loop.replayed.items()
    }
    notes["replay"] = _json(scores)
    return notes


def chosen_skill(notes: Mapping[str, str]) -> str:
    """The reasoner's skill set that an episode came to, as Markdown; empty where no round, or round 0, was chosen.

    >>> chosen_skill({"selected": "1", "skill/reasoner/1": "mip reverse"}), chosen_skill({"selected": ""})
    ('mip reverse', '')
    """
    return notes.get(f"skill/reasoner/{notes['selected']}", "")


def _task_note(ones_G: Sequence[Attempt], settings: Settings) -> dict[str, object]:
    first = ones_G[0]
    return {
        "task": first.challenge.task,
        "rubrics": len(first.challenge.rubrics),
        "solved": first.solved(settings.verdict, settings.unanswered),
        "pass_rate": pass_rate(first.trace.statuses),
    }


def _combine(settings: Settings) -> Combine:
    return "sum" if settings.select == "sum" else "product"


def _attempts(done: Round) -> list[Attempt]:
    return [one for ones_G in done.attempts_N_G for one in ones_G]


def _words(loop: Loop, side: Side, number: int) -> float:
    return float(sum(len(skill.body.split()) for skill in loop.skills(side, number)))


def _unreadable(loop: Loop) -> Iterator[tuple[str, float]]:
    """Share of an agent's replies that had to be asked for again, or never became readable."""
    read: dict[str, list[bool]] = {}
    for turn, value in (reply for one in loop.asks for reply in one.replies):
        if turn.role != "reasoner":  # every answer is readable
            read.setdefault(turn.role, []).append(value is None)
    for role, wrong in sorted(read.items()):
        yield role, fmean(wrong)


def _spent(loop: Loop) -> dict[str, float]:
    replies = Counter(turn.role for turn in loop.turns)
    tokens: Counter[str] = Counter()
    for turn in loop.turns:
        if turn.text_ids is not None:
            tokens[turn.role] += len(turn.text_ids)
    spent = [(f"replies_{role}", number) for role, number in sorted(replies.items())]
    return {name: float(number) for name, number in [*spent, *((f"tokens_{r}", n) for r, n in sorted(tokens.items()))]}


def _share(holds: Sequence[bool | None]) -> float | None:
    return _mean([float(one) for one in holds if one is not None])


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
