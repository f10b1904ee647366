"""Prompts without right answers, from wherever: which are held out, the order of the others, how they are put.

    prompts --hash of the text--> held out | played, in an order of its own in every pass

Which prompt an episode is about follows from its seed's index alone, so that every process and a resume agree;
``seeds.topics`` only label such episodes.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from selfplay.domains.held_out import held_out
from selfplay.types import Message, Pair, Prompt, Request, Seed

HELD_OUT_SHARE = 0.02
"""Share of all prompts that is kept for measuring unless a recipe says otherwise: 100 of 5,000."""


@dataclass(frozen=True)
class Pool:
    """Prompts by row, and the rows of those that are played and of those that are held out."""

    prompts: Sequence[Prompt]
    played: Sequence[int]
    held_out: Sequence[int]  # each text once

    @classmethod
    def of(cls, prompts: Sequence[Prompt], texts: Iterable[str | None], share: float) -> Pool:
        """
        Args:
            prompts: by row; may be read only when asked for.
            texts: of all rows, as ``shown_text`` gives them; None for a row without a prompt, which is left out.
            share: of all prompts that is held out. Prompts that differ in white space alone are one prompt.

        Raises:
            ValueError: no prompt is left to play.
        """
        played: list[int] = []
        measured: dict[str, int] = {}
        for row, text in enumerate(texts):
            if text is None:
                continue
            key = " ".join(text.split())
            if held_out(key, share):
                measured.setdefault(key, row)
            else:
                played.append(row)
        if not played:
            raise ValueError(
                f"domain.held_out={share} leaves none of {len(measured)} prompts to play; give more prompts, or hold "
                "out none with domain.held_out=0."
            )
        return cls(prompts, played, list(measured.values()))


class Prompts(ABC):
    """A domain of prompts, the quality of whose answers is unknown.

    Args:
        template: what the actor and the judge are shown, with ``{prompt}`` in it; around the last message of a talk.
        seed: of the order.
        held_out: share of the prompts that is never played, by a hash of the text.

    Raises:
        ValueError: a template without ``{prompt}``, or a share that is none.
    """

    wording = "boxed"
    knows_quality = False

    def __init__(self, template: str, seed: int, held_out: float) -> None:
        if "{prompt}" not in template:
            raise ValueError(f"domain.template={template!r} has no place for the prompt; put {{prompt}} into it.")
        if isinstance(held_out, bool) or not isinstance(held_out, int | float) or not 0 <= held_out < 1:
            raise ValueError(f"domain.held_out={held_out!r} must be a share from 0 and below 1, e.g. 0.02.")
        self.template, self.seed, self.held_out = template, seed, float(held_out)
        self._pass: tuple[int, list[int]] = (-1, [])  # the order of the pass asked for last

    @property
    @abstractmethod
    def pool(self) -> Pool:
        """The prompts; read when first asked for where that takes a network. ValueError where it fails."""

    def request(self, seed: Seed) -> Request:
        pool = self.pool
        number, place = divmod(seed.index, len(pool.played))
        if self._pass[0] != number:
            order = random.Random(f"{self.seed} {number}").sample(range(len(pool.played)), len(pool.played))
            self._pass = (number, order)
        return self._request(pool.prompts[pool.played[self._pass[1][place]]])

    def held_out_requests(self, n: int, seed: int) -> list[Request]:
        """Up to ``n`` prompts that are never played, in an order of the seed's.

        Raises:
            ValueError: none is held out.
        """
        pool = self.pool
        if not pool.held_out:
            raise ValueError(
                f"domain.held_out={self.held_out:g} holds out none of {len(pool.played)} prompts, so there is nothing "
                "to measure on; give a larger share, e.g. domain.held_out=0.2."
            )
        rows = random.Random(f"held-out {seed}").sample(pool.held_out, min(n, len(pool.held_out)))
        return [self._request(pool.prompts[row]) for row in rows]

    def is_well_formed(self, request: Request, answer: str) -> bool:
        """Whether there is an answer at all."""
        return bool(answer.strip())

    def quality(self, request: Request, answer: str) -> float | None:
        return None

    def is_on_topic(self, request: Request, answer: str) -> bool | None:
        return None

    def held_out_pairs(self, n: int, seed: int) -> list[Pair]:
        """None: whose answer is better is unknown. A file of judged pairs: ``domains.judged_pairs.PairFile``."""
        return []

    def _request(self, prompt: Prompt) -> Request:
        if isinstance(prompt, str):
            text = self._in_template(prompt)
            return Request(text, text)
        *before, last = prompt
        talk = [*before, {**last, "content": self._in_template(last["content"])}]
        return Request(talk, shown_text(talk))

    def _in_template(self, text: str) -> str:
        return self.template.replace("{prompt}", text)  # not format: prompts hold braces of their own


def read_prompt(value: Any) -> Prompt | None:
    """A field's value as a prompt: a text as it is, messages up to the user's last; None where there is none.

    What follows the user's last message is an answer already. A talk of one message is that message.

    >>> read_prompt([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}])
    'Hello'
    >>> read_prompt(" ") is read_prompt(3) is read_prompt([{"role": "assistant", "content": "Hi"}]) is None
    True
    """
    if isinstance(value, str):
        return value if value.strip() else None
    if not isinstance(value, Sequence) or not all(map(_is_message, value)):
        return None
    talk: list[Message] = [{"role": message["role"], "content": message["content"]} for message in value]
    while talk and talk[-1]["role"] != "user":
        talk.pop()
    if not talk or not talk[-1]["content"].strip():
        return None
    return talk[0]["content"] if len(talk) == 1 else talk


def shown_text(prompt: Prompt) -> str:
    """A prompt as one text, for the judge.

    >>> shown_text([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}])
    'System: Be kind.\\n\\nUser: Hello'
    """
    if isinstance(prompt, str):
        return prompt
    return "\n\n".join(f"{message['role'].capitalize()}: {message['content']}" for message in prompt)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str) and isinstance(value.get("content"), str)
