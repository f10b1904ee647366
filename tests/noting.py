"""A scripted sampler that notes what it was asked."""

from selfplay.samplers.scripted import Scripted
from selfplay.types import Prompt


class Noting(Scripted):
    """``calls``: role, prompts and n of every call, in order."""

    def __init__(self, lines) -> None:
        super().__init__(lines)
        self.calls: list[tuple[str, list[Prompt], int]] = []
        self.choices: list[str] = []

    def sample(self, role, prompts_N, n=1, *, temperature=None):
        self.calls.append((role, list(prompts_N), n))
        return super().sample(role, prompts_N, n, temperature=temperature)

    def choose(self, role, prompts_N, choices, n=1, *, temperature=None):
        """Noted by ``sample``, through which a script chooses; the choices besides, in ``choices``."""
        self.choices = list(choices)
        return super().choose(role, prompts_N, choices, n, temperature=temperature)
