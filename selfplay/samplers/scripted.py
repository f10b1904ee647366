"""A script plays the roles: for tests, golden transcripts and dry runs. No model, no tokens, no chance.

>>> script = Scripted({"proposer": ["3+4", "27+85"], "solver": lambda prompt, k: f"{prompt} >{k}"})
>>> [turn.text for turn in script.sample("proposer", ["propose"], n=3)[0]]
['3+4', '27+85', '3+4']
>>> [turn.text for turn in script.sample("solver", ["solve 3+4"], n=2)[0]]
['solve 3+4 >0', 'solve 3+4 >1']
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle

from selfplay.types import Prompt, Turn

Line = Sequence[str] | Callable[[Prompt, int], str]
"""Texts said in turn and then from the start again, or a function of the prompt and the sample's number (from 0)."""


class Scripted:
    """
    Args:
        lines: what each role says.

    Raises:
        ValueError: a role without a single text.
    """

    def __init__(self, lines: Mapping[str, Line]) -> None:
        self._say: dict[str, Callable[[Prompt, int], str]] = {}
        for role, line in lines.items():
            if callable(line):
                self._say[role] = line
            elif line:
                self._say[role] = _in_turn(line)
            else:
                raise ValueError(f"the script of {role!r} is empty; give it at least one text.")

    def begin(self, *key: int | str) -> None:
        """Nothing: a script has no weights to take up and no randomness to seed."""

    def sample(
        self, role: str, prompts_N: Sequence[Prompt], n: int = 1, *, temperature: float | None = None
    ) -> list[list[Turn]]:
        """Turns without token ids and log-probabilities; ``temperature`` changes nothing.

        Raises:
            ValueError: a role that the script does not have.
        """
        say = self._line_of(role)
        return [[Turn(role, prompt, say(prompt, k)) for k in range(n)] for prompt in prompts_N]

    def score(self, role: str, prompts_N: Sequence[Prompt], choices: Sequence[str]) -> list[list[float]]:
        """A script is certain: log-probability 0 for the choice that it says next, minus infinity for the others."""
        say = self._line_of(role)
        said_N = [say(prompt, 0) for prompt in prompts_N]
        return [[0.0 if choice == said else -math.inf for choice in choices] for said in said_N]

    def choose(
        self,
        role: str,
        prompts_N: Sequence[Prompt],
        choices: Sequence[str],
        n: int = 1,
        *,
        temperature: float | None = None,
    ) -> list[list[Turn]]:
        """What the script says, be it one of the choices or not: a game reads it as it reads any reply."""
        return self.sample(role, prompts_N, n)

    def _line_of(self, role: str) -> Callable[[Prompt, int], str]:
        if role not in self._say:
            raise ValueError(f"the script has no role {role!r}; it has {', '.join(sorted(self._say)) or 'none'}.")
        return self._say[role]


def _in_turn(texts: Sequence[str]) -> Callable[[Prompt, int], str]:
    endless = cycle(texts)
    return lambda prompt, k: next(endless)
