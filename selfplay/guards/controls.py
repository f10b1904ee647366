"""Control arms: the same run paid differently, to show what the method's own reward is worth.

``none`` the method itself; ``random`` a fair coin, what updates alone do; ``format`` readability, what form alone
does; ``truth`` the ground truth, the upper bound. (arXiv 2506.10947 shows why a random arm is owed.)

A turn whose truth is unknown, where that of its role's others is known, cannot be paid and is not learned from: a
domain may know most answers and not all (``selfplay.domains.deadline``).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from selfplay.types import Episode, Turn

Arm = Literal["none", "random", "format", "truth"]


class Control:
    """
    Args:
        arm: what turns are paid in place of the game's rewards; see the head of this file.

    Raises:
        ValueError: an unknown arm.
    """

    def __init__(self, arm: Arm = "none") -> None:
        if arm not in get_args(Arm):
            raise ValueError(f"control={arm!r}: unknown; choose one of {', '.join(get_args(Arm))}.")
        self.arm = arm
        self._measured: set[str] = set()  # roles that the game has measured so far

    def repay(self, episodes: Sequence[Episode], key: tuple[int | str, ...]) -> None:
        """Replace the rewards of all turns that are learned from, in place.

        Args:
            episodes: as the game paid them.
            key: of this window, e.g. (run seed, window); the coins follow from it and from each seed's index, so they
                are the same however the seeds are split over processes.

        Raises:
            ValueError: the game or its domain has never measured what the arm pays a role.
        """
        if self.arm == "none":
            return
        self._measured |= {turn.role for episode in episodes for turn in episode.turns if self.arm in turn.measures}
        for episode in episodes:
            coin = random.Random(f"{key} {episode.seed.index}")
            for turn in episode.turns:
                heads = float(coin.random() < 0.5)  # tossed for every turn, so that masking one moves no other's coin
                if turn.objective is None:
                    continue
                if self.arm == "random":
                    turn.rewards = {self.arm: heads}
                elif self.arm in turn.measures:
                    turn.rewards = {self.arm: turn.measures[self.arm]}
                else:
                    self._leave_out(turn)

    def state_dict(self) -> dict[str, Any]:
        return {"measured": sorted(self._measured)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._measured = set(state["measured"])

    def _leave_out(self, turn: Turn) -> None:
        if turn.role in self._measured:
            turn.rewards, turn.objective = {}, None
            return
        lack = "this domain has no ground truth" if self.arm == "truth" else "this game does not measure it"
        raise ValueError(f"control={self.arm}: cannot pay the {turn.role}, since {lack}; choose none or random.")
