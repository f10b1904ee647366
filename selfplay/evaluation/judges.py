"""Judges of a contest: whoever is shown a request and two answers, in an order, and says which is better.

A judge is a strategy object. The truth needs no model; every model that judges, the frozen base, a checkpoint's judge
role or an endpoint, is a sampler that plays the role ``judge``. Wording and reading come from outside, as functions.
Suffix: ``_J`` showings, and the judgments on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from selfplay.types import Contestant, Judgment, Prompt, Request, Sampler, Verdict

Pairing = Literal["every", "matched"]
"""Which answers to one request meet: every one of A every one of B, or the k-th of A the k-th of B."""

Ask = Callable[[Request, str, str], Prompt]
"""(request, first answer, second answer) -> the judge's prompt."""

Read = Callable[[str], Verdict | None]
"""The judge's reply -> its verdict; never raises."""

Quality = Callable[[Request, str], float | None]
"""How good an answer is by the truth; None where it cannot be known. Never raises."""


@dataclass(frozen=True, slots=True)
class Showing:
    """Two answers to one request, in the order in which the judge sees them."""

    request: Request
    first: Contestant
    second: Contestant
    first_text: str
    second_text: str
    item: str  # the pairing: both orders of the same two texts have the same item, e.g. "17/0-0"


class Judge(Protocol):
    """``name`` is what a definition calls it; ``pairing`` what it should be shown, by what a judgment costs."""

    name: str
    pairing: Pairing

    def judge(self, showings_J: Sequence[Showing]) -> list[Judgment]:
        """One judgment for each showing, in order; collective where its sampler is."""
        ...


class TruthJudge:
    """The better quality wins, equal ones tie, an unknown one makes the judgment unreadable.

    Args:
        quality: of one answer.
        what: it measures, e.g. "right against wrong".
    """

    pairing: Pairing = "every"  # it costs nothing

    def __init__(self, quality: Quality, what: str) -> None:
        self.quality = quality
        self.name = f"ground truth ({what})"

    def judge(self, showings_J: Sequence[Showing]) -> list[Judgment]:
        return [Judgment(s.first, s.second, self._verdict(s), s.item) for s in showings_J]

    def _verdict(self, showing: Showing) -> Verdict | None:
        first = self.quality(showing.request, showing.first_text)
        second = self.quality(showing.request, showing.second_text)
        if first is None or second is None:
            return None
        return "tie" if first == second else "first" if first > second else "second"


class SampledJudge:
    """Whatever plays the role ``judge``; one reply to each showing.

    Args:
        sampler: a model, a server, a script, a person.
        name: who that is, e.g. "the frozen base small".
        ask, read: the wording of the question, and the reading of a reply.
        key: of the sampler's randomness.
        temperature: of the replies; 0 is greedy.
        choices: the bare verdicts, for a judge whose verdicts are scored; None lets it write.
        role: who judges.
    """

    pairing: Pairing = "matched"

    def __init__(
        self,
        sampler: Sampler,
        name: str,
        ask: Ask,
        read: Read,
        key: Sequence[int | str] = ("duel", "judge"),
        temperature: float = 0.0,
        choices: Sequence[str] | None = None,
        role: str = "judge",
    ) -> None:
        self.sampler, self.ask, self.read, self.key, self.temperature = sampler, ask, read, tuple(key), temperature
        self.choices, self.role = choices, role
        way = "one verdict" if choices is None else "one scored verdict"
        self.name = f"{name} (its role {role}, {way} at temperature {temperature:g})"

    def judge(self, showings_J: Sequence[Showing]) -> list[Judgment]:
        prompts_J = [self.ask(s.request, s.first_text, s.second_text) for s in showings_J]
        self.sampler.begin(*self.key)
        if self.choices is None:
            replies_J_1 = self.sampler.sample(self.role, prompts_J, n=1, temperature=self.temperature)
        else:
            replies_J_1 = self.sampler.choose(self.role, prompts_J, self.choices, n=1, temperature=self.temperature)
        return [
            Judgment(s.first, s.second, self.read(reply.text), s.item)
            for s, (reply,) in zip(showings_J, replies_J_1, strict=True)
        ]
