"""A person at the keyboard plays the roles: ``selfplay play recipe=sqlm_small players.solver=human``."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TextIO

from selfplay.types import Prompt, Turn


class PlayerLeft(Exception):
    """The person closed the input (Ctrl-D) where a reply was wanted; the game cannot go on."""


class Human:
    """Shows each prompt and reads one line for each reply; an empty line is an empty reply.

    Args:
        keyboard: where lines are read from; None = standard input.
        screen: where prompts are shown; None = standard output.
    """

    def __init__(self, keyboard: TextIO | None = None, screen: TextIO | None = None) -> None:
        self._keyboard = keyboard or sys.stdin
        self._screen = screen or sys.stdout

    def begin(self, *key: int | str) -> None:
        """Nothing: a person has no weights to take up and no randomness to seed."""

    def sample(
        self, role: str, prompts_N: Sequence[Prompt], n: int = 1, *, temperature: float | None = None
    ) -> list[list[Turn]]:
        """``n`` lines for each prompt, without token ids and log-probabilities; ``temperature`` changes nothing.

        Raises:
            PlayerLeft: the input ended.
        """
        turns_N_G = []
        for number, prompt in enumerate(prompts_N, start=1):
            self._show(f"\n[{role}, prompt {number} of {len(prompts_N)}]\n{as_text(prompt)}")
            turns_N_G.append([Turn(role, prompt, self._ask(role, f"reply {k + 1} of {n}")) for k in range(n)])
        return turns_N_G

    def score(self, role: str, prompts_N: Sequence[Prompt], choices: Sequence[str]) -> list[list[float]]:
        """Lets the person pick: log-probability 0 for the picked choice, minus infinity for the others.

        Raises:
            PlayerLeft: the input ended.
        """
        picked_N = [picked for (picked,) in self._pick_all(role, prompts_N, choices, n=1)]
        return [[0.0 if at == picked else -math.inf for at in range(len(choices))] for picked in picked_N]

    def choose(
        self,
        role: str,
        prompts_N: Sequence[Prompt],
        choices: Sequence[str],
        n: int = 1,
        *,
        temperature: float | None = None,
    ) -> list[list[Turn]]:
        """Lets the person pick ``n`` times for each prompt; ``temperature`` changes nothing.

        Raises:
            PlayerLeft: the input ended.
        """
        picked_N_G = self._pick_all(role, prompts_N, choices, n)
        return [
            [Turn(role, prompt, choices[at]) for at in picked_G]
            for prompt, picked_G in zip(prompts_N, picked_N_G, strict=True)
        ]

    def _pick_all(self, role: str, prompts_N: Sequence[Prompt], choices: Sequence[str], n: int) -> list[list[int]]:
        picked_N_G = []
        for prompt in prompts_N:
            self._show(f"\n[{role}]\n{as_text(prompt)}")
            picked_N_G.append([self._pick(role, choices) for _ in range(n)])
        return picked_N_G

    def _pick(self, role: str, choices: Sequence[str]) -> int:
        for number, choice in enumerate(choices, start=1):
            self._show(f"  {number}) {choice}")
        numbers = [str(number) for number in range(1, len(choices) + 1)]
        while (reply := self._ask(role, f"number, 1 to {len(choices)}").strip()) not in numbers:
            self._show(f"  {reply!r} is none of these numbers")
        return numbers.index(reply)

    def _ask(self, role: str, what: str) -> str:
        print(f"{what} > ", end="", file=self._screen, flush=True)
        line = self._keyboard.readline()
        if not line:  # an empty line still has its line break
            self._show("")
            raise PlayerLeft(f"the input ended where a reply of the {role} was wanted.")
        return line.rstrip("\r\n")

    def _show(self, text: str) -> None:
        print(text, file=self._screen, flush=True)


def as_text(prompt: Prompt) -> str:
    """A prompt as a person reads it.

    >>> as_text([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "3+4?"}])
    'system: Be brief.\\nuser: 3+4?'
    """
    if isinstance(prompt, str):
        return str(prompt)
    return "\n".join(f"{message['role']}: {message['content']}" for message in prompt)
