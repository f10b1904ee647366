"""The ``json`` wording of Ctx2Skill (arXiv 2604.27660): prompts for instruction-tuned models, and readers for replies.

A domain of documents is this class and where its contexts come from. The texts stand in `skill_prompts.py` beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from selfplay.roles import skill_prompts as words
from selfplay.roles.judge_prompt import quoted
from selfplay.roles.planted import plant
from selfplay.roles.skill_json import read_generated, read_proposal, read_rubrics, read_tasks, read_verdicts
from selfplay.roles.skills import Place, inject, read_skills, without_markers, write_skill
from selfplay.types import Challenge, Context, Grading, Planted, Prompt, Proposal, Side, Skill, Trace

Existing = Literal["names", "whole"]
"""What proposer and generator see of the skills that are there: names and descriptions (the release), or all of them.
Under game.replacement=replace the former leave them nothing to carry over from."""


@dataclass(frozen=True, slots=True)
class Longest:
    """Characters shown of each text, as they are quoted; the middle of longer ones is left out. 400,000 characters of
    English are about 100,000 tokens, or 200 pages."""

    system: int = 20_000
    document: int = 400_000
    task: int = 8_000
    rubric: int = 1_000
    answer: int = 40_000
    line: int = 200  # of an overview


class JsonWording:
    """
    Args:
        fewest_rubrics, most_rubrics: of a task; the paper asks for 8 to 15.
        inject: the skills after the system prompt (``append``, the release) or before it (``prepend``, the paper).
        existing: how much proposer and generator are shown of the skills that are there.
        longest: bounds of what is shown.

    Raises:
        ValueError: bounds that hold nothing, or an unknown word.
    """

    wording = "json"

    def __init__(
        self,
        fewest_rubrics: int = 8,
        most_rubrics: int = 15,
        inject: Place = "append",
        existing: Existing = "names",
        longest: Longest | Mapping[str, int] = Longest(),
    ) -> None:
        if not 1 <= fewest_rubrics <= most_rubrics:
            raise ValueError(
                f"domain.fewest_rubrics={fewest_rubrics}, domain.most_rubrics={most_rubrics}: need 1 <= fewest <= "
                "most, e.g. 8 and 15."
            )
        for key, value, known in (("inject", inject, get_args(Place)), ("existing", existing, get_args(Existing))):
            if value not in known:
                raise ValueError(f"domain.{key}={value!r}: unknown; choose one of {', '.join(known)}.")
        self.rubrics = {"fewest": fewest_rubrics, "most": most_rubrics}
        self.place: Place = inject
        self.existing: Existing = existing
        self.longest = longest if isinstance(longest, Longest) else Longest(**longest)

    def challenge_prompt(self, context: Context, skill: str, number: int) -> Prompt:
        """One reply with ``number`` tasks; the challenger's skills stand in the system prompt."""
        text = words.CHALLENGE.format(material=block(self._material(context)), number=number, **self.rubrics)
        return self._messages("", skill, text)

    def rubric_prompt(self, context: Context, task: str) -> Prompt | None:
        """None: the tasks come with theirs."""
        return None

    def reason_prompt(self, context: Context, skill: str, task: str) -> Prompt:
        """The reasoner's skills stand in the context's own system prompt; without a document it is a closed book."""
        parts = {"task": quoted(task, self.longest.task)}
        if not context.document:
            return self._messages(context.system, skill, words.REASON_CLOSED_BOOK.format(material=block(parts)))
        parts = {"document": quoted(context.document, self.longest.document), **parts}
        return self._messages(context.system, skill, words.REASON.format(material=block(parts)))

    def judge_prompt(self, task: str, rubrics: Sequence[str], answer: str) -> Prompt:
        """Rubrics and answer, as in the release; the task is not shown."""
        parts = {"rubrics": self._rubrics(rubrics), "answer": quoted(answer, self.longest.answer)}
        return self._messages("", "", words.JUDGE.format(material=block(parts), number=len(rubrics)))

    def propose_prompt(
        self,
        context: Context,
        traces: Sequence[Trace],
        skill: str,
        side: Side = "reasoner",
        overview: Sequence[str] = (),
    ) -> Prompt:
        return self._propose(context, traces, skill, side, overview, words.DIAGNOSE[side] + "\n" + words.PROPOSAL)

    def merged_prompt(
        self,
        context: Context,
        traces: Sequence[Trace],
        skill: str,
        side: Side = "reasoner",
        overview: Sequence[str] = (),
    ) -> Prompt:
        """Proposer and generator in one agent, the paper's ablation; the reply is a generator's."""
        return self._propose(context, traces, skill, side, overview, words.DIAGNOSE[side] + "\n" + words.SKILL_FORM)

    def generate_prompt(self, proposal: str, skill: str, side: Side = "reasoner") -> Prompt:
        parts = {"proposal": quoted(proposal, self.longest.answer), "skills": self._known(skill)}
        text = words.GENERATE.format(material=block(parts), owner=words.OWNER[side])
        return self._messages("", "", text + "\n" + words.SKILL_FORM)

    def read_task(self, context: Context, text: str) -> list[Challenge] | None:
        return read_tasks(text, **self.rubrics)

    def read_rubrics(self, text: str) -> tuple[str, ...] | None:
        return read_rubrics(text, **self.rubrics)

    def read_verdicts(self, text: str) -> Grading | None:
        return read_verdicts(text)

    def read_proposal(self, text: str) -> Proposal | None:
        return read_proposal(text)

    def read_skill(self, text: str) -> Skill | None:
        return read_generated(text)

    def plant(self, task: str, answer: str, seed: str) -> Planted | None:
        return plant(task, answer, seed)

    def _propose(
        self, context: Context, traces: Sequence[Trace], skill: str, side: Side, overview: Sequence[str], question: str
    ) -> Prompt:
        parts = self._material(context)
        parts["tasks"] = many(quoted(" ".join(task.split()), self.longest.line) for task in overview)
        parts["traces"] = many(map(self._trace, traces))
        parts["skills"] = self._known(skill)
        text = words.PROPOSE.format(
            material=block(parts), which=words.WHICH[side], owner=words.OWNER[side], question=question
        )
        return self._messages("", "", text)

    def _material(self, context: Context) -> dict[str, str]:
        return {
            "system_prompt": quoted(context.system, self.longest.system),
            "document": quoted(context.document, self.longest.document),
        }

    def _trace(self, trace: Trace) -> str:
        parts = {
            "task": quoted(trace.task, self.longest.task),
            "rubrics": self._rubrics(trace.rubrics),
            "answer": quoted(trace.answer, self.longest.answer),
            "rationale of the judge": quoted(trace.rationale, self.longest.task),
            "statuses": str([["no", "yes"][status] for status in trace.statuses]).replace("'", '"'),
            "failed rubrics": str([number for number, status in enumerate(trace.statuses, start=1) if not status]),
        }
        return block(parts)

    def _rubrics(self, rubrics: Sequence[str]) -> str:
        return many(quoted(rubric, self.longest.rubric) for rubric in rubrics)

    def _known(self, skill: str) -> str:
        skills = read_skills(skill) or ()
        if self.existing == "whole":
            return many(quoted(write_skill(entry), self.longest.answer) for entry in skills)
        return many(quoted(f"{entry.name}: {entry.description}", self.longest.rubric) for entry in skills)

    def _messages(self, system: str, skill: str, text: str) -> Prompt:
        system = without_markers(inject(system, read_skills(skill) or (), self.place))
        head = [{"role": "system", "content": system}] if system else []
        return [*head, {"role": "user", "content": text}]


def block(parts: Mapping[str, str]) -> str:
    """JSON of parts that are JSON already, one a line.

    >>> print(block({"task": quoted("Add.", 9), "answer": quoted("7", 9)}))
    {
    "task": "Add.",
    "answer": "7"
    }
    """
    return "{\n" + ",\n".join(f'"{name}": {part}' for name, part in parts.items()) + "\n}"


def many(items: Iterable[str]) -> str:
    """A JSON list of items that are JSON already, one a line."""
    lines = list(items)
    return "[\n" + ",\n".join(lines) + "\n]" if lines else "[]"
