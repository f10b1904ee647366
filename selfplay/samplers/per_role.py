"""Routes each role to a sampler of its own: the arena in which policies, scripts and people meet.

PerRole(solver=now, judge=frozen)      PerRole(solver=Human(), default=now)
"""

from __future__ import annotations

from collections.abc import Sequence

from selfplay.types import Prompt, Sampler, Turn


class PerRole:
    """
    Args:
        default: plays every role that is not named; None = such a role is an error.
        by_role: who plays a role.
    """

    def __init__(self, default: Sampler | None = None, **by_role: Sampler) -> None:
        self.default = default
        self.by_role = by_role

    def begin(self, *key: int | str) -> None:
        """Begins every sampler once, however many roles it plays."""
        samplers = [*self.by_role.values(), *([] if self.default is None else [self.default])]
        for sampler in {id(sampler): sampler for sampler in samplers}.values():
            sampler.begin(*key)

    def sample(
        self, role: str, prompts_N: Sequence[Prompt], n: int = 1, *, temperature: float | None = None
    ) -> list[list[Turn]]:
        """As the role's sampler does; ValueError where nobody plays the role."""
        return self._player(role).sample(role, prompts_N, n, temperature=temperature)

    def score(self, role: str, prompts_N: Sequence[Prompt], choices: Sequence[str]) -> list[list[float]]:
        """As the role's sampler does; ValueError where nobody plays the role."""
        return self._player(role).score(role, prompts_N, choices)

    def choose(
        self,
        role: str,
        prompts_N: Sequence[Prompt],
        choices: Sequence[str],
        n: int = 1,
        *,
        temperature: float | None = None,
    ) -> list[list[Turn]]:
        """As the role's sampler does; ValueError where nobody plays the role."""
        return self._player(role).choose(role, prompts_N, choices, n, temperature=temperature)

    def _player(self, role: str) -> Sampler:
        player = self.by_role.get(role, self.default)
        if player is None:
            raise ValueError(f"nobody plays the role {role!r}; name its sampler, or give a default.")
        return player
