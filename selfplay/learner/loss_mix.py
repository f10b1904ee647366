"""How much the loss of each role counts in their sum: the recipe's ``learner.loss_mix``. No tensors here.

    sum           every role 1: the sum of SERL's paper (arXiv 2511.07922, J = J_actor + J_judge)
    ramp          the game's first role a = min(p, 1/2), every other role max(1 - a, 1/2), where p is the share of the
                  planned windows that are over: SERL's release, which so begins with the judge alone
    {role: w}     fixed weights; 0 = the role plays and is not learned from, though an adapter that it shares moves

A weight multiplies the whole loss of a role, its KL term too, as in the release (which has no KL). It is one number
for a whole window and all ranks, so accumulation and world size change nothing, and a resume goes on where it was.

It matters where roles share an adapter. With an adapter of its own for each role, AdamW divides a constant factor out
again: only 0 and, through the moments and the common clipping of the gradient, a changing weight have an effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

Word = Literal["sum", "ramp"]


@dataclass(frozen=True)
class LossMix:
    """
    Args:
        roles: of the game, in its order.
        windows: planned in the whole run; what a ramp's progress is counted in.
        mix: one of ``Word``, or a weight from 0 for every role.

    Raises:
        ValueError: a ramp in a game of one role, which would have nothing to learn at first.

    >>> ramp = LossMix(("actor", "judge"), windows=10, mix="ramp")
    >>> [ramp.at(window) for window in (0, 3, 5, 9)]  # doctest: +NORMALIZE_WHITESPACE
    [{'actor': 0.0, 'judge': 1.0}, {'actor': 0.3, 'judge': 0.7},
     {'actor': 0.5, 'judge': 0.5}, {'actor': 0.5, 'judge': 0.5}]
    """

    roles: Sequence[str]
    windows: int
    mix: Word | Mapping[str, float] = "sum"

    def __post_init__(self) -> None:
        if self.mix == "ramp" and len(self.roles) < 2:
            raise ValueError(f"learner.loss_mix=ramp needs two roles, and this game has {len(self.roles)}; set sum.")

    def at(self, window: int) -> dict[str, float]:
        """Every role's weight in a window, counted from 0."""
        if self.mix == "sum":
            return dict.fromkeys(self.roles, 1.0)
        if self.mix == "ramp":
            rising = min(window / self.windows, 0.5)
            return dict.fromkeys(self.roles, max(1 - rising, 0.5)) | {self.roles[0]: rising}
        weights = cast(Mapping[str, float], self.mix)
        return {role: float(weights[role]) for role in self.roles}
