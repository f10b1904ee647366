"""The five agents of Ctx2Skill (arXiv 2604.27660): what each is asked, of which context, and how its reply is read.

challenger, reasoner, judge, and a proposer and a generator in one instance for each side. What a side is shown holds
its own skill and never the other's; the judge is shown neither skill nor context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from selfplay.games.ctx2skill_settings import Settings
from selfplay.games.ctx2skill_state import Ask, Attempt, Loop
from selfplay.roles.rubrics import side_of
from selfplay.roles.skills import skill_text
from selfplay.roles.verdicts import judged_text
from selfplay.types import (
    Challenge,
    Context,
    ContextDomain,
    Grading,
    Labelled,
    Planted,
    Prompt,
    Proposal,
    Side,
    Skill,
    Trace,
)


class Agents:
    """Turns the state of a loop into questions."""

    def __init__(self, domain: ContextDomain, settings: Settings) -> None:
        self.domain, self.set = domain, settings
        self.compact = domain.wording == "compact"

    def tasks(self, loop: Loop) -> list[Ask]:
        """M questions for a task each in the compact wording, else one for M tasks. Replies to one prompt are a group;
        where a round has one reply, the replies of all rounds are."""
        skill = self._skill(loop, "challenger")
        prompt = self.domain.challenge_prompt(loop.context, skill, 1 if self.compact else self.set.tasks)
        group = f"{loop.seed.index}/challenger" + (f"/{loop.now.number}" if self.compact else "")

        def read(text: str) -> list[Challenge] | None:
            return self.domain.read_task(loop.context, text) or None

        return [_ask(loop, prompt, read, group) for _ in range(self.set.tasks if self.compact else 1)]

    def rubrics(self, loop: Loop) -> list[list[Ask]]:
        """For each task of the round the questions for its rubrics; none where it came with them."""
        asks_N: list[list[Ask]] = []
        for at, task in enumerate(loop.now.tasks_N):
            prompt = None if task.rubrics else self.domain.rubric_prompt(loop.context, task.task)
            asks: list[Ask] = []
            if prompt is not None:
                group = f"{loop.seed.index}/challenger/{loop.now.number}/rubrics/{at}"
                asks = [_ask(loop, prompt, self._read_rubrics, group) for _ in range(self.set.rubric_votes)]
            asks_N.append(asks)
        return asks_N

    def _read_rubrics(self, text: str) -> tuple[str, ...] | None:
        return tuple(self.domain.read_rubrics(text) or ()) or None

    def attempt(self, loop: Loop, skills: Sequence[Skill], task: Challenge, name: str, closed: bool = False) -> Attempt:
        """An answer to a task, with these skills; ``closed`` takes document and system prompt away. What is judged is
        what follows the thinking."""
        context = replace(loop.context, system="", document="") if closed else loop.context
        prompt = self.domain.reason_prompt(context, skill_text(skills, self.domain.wording), task.task)
        return Attempt(task, _ask(loop, prompt, judged_text, f"{loop.seed.index}/reasoner/{name}"))

    def gradings(self, attempt: Attempt, number: int = 0) -> list[Ask]:
        """K questions about the attempt's answer, which is the ``number``-th to its task; none where no answer came."""
        answer, task = attempt.answer, attempt.challenge
        if answer.value is None:
            return []
        group = answer.group.replace("/reasoner/", "/judge/") + f"/{number}"
        return self._judge(answer.loop, Planted(task.task, task.rubrics, answer.value, ()), group)

    def planted(self, loop: Loop) -> list[tuple[Planted, list[Ask]]]:
        """Items of known verdict made from the round's first answers, each with its K questions."""
        found = []
        for at, attempts_G in enumerate(loop.now.attempts_N_G[: self.set.planted]):
            task, answer = attempts_G[0].challenge.task, attempts_G[0].answer.value
            seed = f"{loop.seed.index} {loop.now.number} {at}"
            item = None if answer is None else self.domain.plant(task, answer, seed)
            if item is not None:
                group = f"{loop.seed.index}/judge/{loop.now.number}/planted/{at}"
                found.append((item, self._judge(loop, item, group)))
        return found

    def proposal(self, loop: Loop, side: Side) -> Ask | None:
        """None for a side to which the round has nothing to say. With ``merged`` it asks for the skill itself."""
        traces = self.traces(loop, side)
        if not traces:
            return None
        form = self.domain.merged_prompt if self.set.merged else self.domain.propose_prompt
        overview = [task.task for task in loop.now.tasks_N]
        prompt = form(loop.context, traces, self._skill(loop, side), side, overview)
        if self.set.merged:
            return _ask(loop, prompt, self.domain.read_skill, self._group(loop, side, "generator"))
        return _ask(loop, prompt, self.domain.read_proposal, self._group(loop, side, "proposer"))

    def skill(self, loop: Loop, side: Side, proposal: Proposal) -> Ask:
        prompt = self.domain.generate_prompt(proposal.text, self._skill(loop, side), side)
        return _ask(loop, prompt, self.domain.read_skill, self._group(loop, side, "generator"))

    def traces(self, loop: Loop, side: Side) -> list[Trace]:
        """Of the round's tasks those that concern a side, by the first answer to each."""
        firsts = [(one, one.solved(self.set.verdict, self.set.unanswered)) for one, *_ in loop.now.attempts_N_G]
        return [one.trace for one, solved in firsts if solved is not None and side_of(solved) == side]

    def _judge(self, loop: Loop, item: Planted, group: str) -> list[Ask]:
        """A list of another length than the rubrics' is unreadable: nobody can tell which verdict is missing."""
        prompt = self.domain.judge_prompt(item.task, item.rubrics, item.answer)

        def read(text: str) -> Grading | None:
            said = self.domain.read_verdicts(text)
            return said if said is not None and len(said.statuses) == len(item.rubrics) else None

        return [_ask(loop, prompt, read, group) for _ in range(self.set.judgments)]

    def _skill(self, loop: Loop, side: Side) -> str:
        """What a side knows in this round: what it had learned when the last one ended."""
        return skill_text(loop.skills(side, loop.now.number - 1), self.domain.wording)

    def _group(self, loop: Loop, side: Side, agent: str) -> str:
        return f"{loop.seed.index}/{side}_{agent}/{loop.now.number}"


def _ask(loop: Loop, prompt: Prompt, read: Callable[[str], object | None], group: str) -> Ask:
    loop.asks.append(Ask(loop, _about(loop.context, prompt), read, group))
    return loop.asks[-1]


def _about(context: Context, prompt: Prompt) -> Prompt:
    """The prompt with its context's name on it, so that costs can be counted by context."""
    return Labelled(prompt, f"context {context.key}") if isinstance(prompt, list) else prompt
