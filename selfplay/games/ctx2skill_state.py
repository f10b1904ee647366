"""What one context's loop of Ctx2Skill has come to: questions put to agents, answers and gradings, rounds, skills.

Suffixes: ``_N`` tasks of a round, ``_G`` answers to one task, ``_K`` gradings of one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from selfplay.roles.replay import Probe, Replayed
from selfplay.roles.rubrics import By, Unanswered, is_solved, majority_grading
from selfplay.types import Challenge, Context, Grading, Planted, Prompt, Sampler, Seed, Side, Skill, Trace, Turn


@dataclass(slots=True, eq=False)
class Loop:
    """One visit to a context, from its first round to the choice of a version.

    A visit that goes on from an earlier one (`ctx2skill_memory`) begins with skills, after round ``start``.
    """

    seed: Seed
    context: Context
    turns: list[Turn] = field(default_factory=list)  # of the episode, in the order in which they were said
    asks: list[Ask] = field(default_factory=list)  # all questions
    start: int = 0  # rounds of earlier visits: this one's are numbered from start + 1
    origin: int = 0  # the round whose version of the reasoner's skill this visit began with
    begun: Mapping[Side, tuple[Skill, ...]] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)  # of this visit
    probes: list[Probe] = field(default_factory=list)
    replayed: dict[int, Replayed] = field(default_factory=dict)  # by the round whose skill it was
    selected: int | None = None  # the round whose skill is the outcome; 0 = no skill, None = nothing to choose by

    @property
    def now(self) -> Round:
        return self.rounds[-1]

    def skills(self, side: Side, number: int) -> tuple[Skill, ...]:
        """A side's set after round ``number``; nobody has a skill after round 0, a frozen side never. Of the rounds
        before this visit its own beginning alone is known."""
        if number > self.start:
            return self.rounds[number - self.start - 1].skills.get(side, ())
        return self.begun.get(side, ()) if number else ()


@dataclass(slots=True, eq=False)
class Round:
    """One round of one context. ``skills`` are the sets that it ended with."""

    number: int  # from 1, over all visits to its context
    asks: list[Ask] = field(default_factory=list)  # the challenger's, for tasks
    tasks_N: list[Challenge] = field(default_factory=list)
    authors_N: list[Ask] = field(default_factory=list)  # which of ``asks`` each task came from
    lost: list[Ask] = field(default_factory=list)  # of ``asks`` those whose tasks a failed call left without rubrics
    attempts_N_G: list[list[Attempt]] = field(default_factory=list)
    unaided_N_G: list[list[Attempt]] = field(default_factory=list)  # the first tasks without the skill, if there is one
    closed_N: list[Attempt] = field(
        default_factory=list
    )  # the first of these tasks without the document, where that is asked
    planted: list[tuple[Planted, list[Ask]]] = field(default_factory=list)
    proposed: dict[Side, Ask | None] = field(default_factory=dict)
    skills: dict[Side, tuple[Skill, ...]] = field(default_factory=dict)
    became: dict[Side, str] = field(
        default_factory=dict
    )  # "written", "kept" or "unreadable"; nothing for a frozen side

    @property
    def answered_N_G(self) -> list[list[Attempt]]:
        """Whatever the weights may learn from: with the skill and without."""
        return self.attempts_N_G + self.unaided_N_G


@dataclass(slots=True, eq=False)
class Ask:
    """A question to an agent, and what could be read of its replies."""

    loop: Loop
    prompt: Prompt
    read: Callable[[str], Any]  # a reply's text -> its value, None = unreadable
    group: str
    turns: list[Turn] = field(default_factory=list)  # one a try
    value: Any = None

    @property
    def replies(self) -> list[tuple[Turn, Any]]:
        """The replies that came, each with what was read of it: only the last can be readable."""
        came = [(turn, self.value if turn is self.turns[-1] else None) for turn in self.turns]
        return [(turn, value) for turn, value in came if not turn.failure]


def ask(sampler: Sampler, role: str, asks: Sequence[Ask], tries: int) -> None:
    """Put all questions in one call, then in each further call those that are still without a value.

    Always ``tries`` calls, perhaps with no prompts: their number must not depend on what was replied, since on several
    ranks calls are collective.
    """
    for _ in range(tries):
        still = [one for one in asks if one.value is None]
        for one, (turn,) in zip(still, sampler.sample(role, [one.prompt for one in still]), strict=True):
            turn.group, turn.objective = one.group, None  # learned from only where the game pays it
            one.turns.append(turn)
            one.loop.turns.append(turn)
            one.value = None if turn.failure else one.read(turn.text)


@dataclass(slots=True, eq=False)
class Attempt:
    """One answer to one task, and its K gradings (none where no answer came)."""

    challenge: Challenge
    answer: Ask
    gradings_K: list[Ask] = field(default_factory=list)

    @property
    def grading(self) -> Grading | None:
        """The majority of the gradings that could be read; None = there is none."""
        return majority_grading([one.value for one in self.gradings_K if one.value is not None])

    def solved(self, by: By, unanswered: Unanswered) -> bool | None:
        """None = to be left out of every count."""
        grading = self.grading
        if grading is None:
            return False if unanswered == "fail" else None
        return is_solved(grading, by)

    @property
    def trace(self) -> Trace:
        said, task = self.grading or Grading(()), self.challenge
        return Trace(task.task, task.rubrics, self.answer.value or "", said.rationale, said.statuses)
