"""Rewards -> advantages: how much better than its peers a turn was. Peers share role and group.

GRPO's (r - mean) / (std + epsilon) with the unbiased std (arXiv 2402.03300, and the releases of SQLM and SERL);
``none`` leaves the std out (Dr. GRPO, arXiv 2503.20783); a running mean per role serves games whose groups have one
member (SPIRAL's role-conditioned baseline, arXiv 2506.24119). Suffix: ``_N`` turns, of any roles and groups.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from selfplay.types import Turn

Scale = Literal["group", "batch", "none"]
"""Divide by the spread of the group, by that of all the role's rewards in the batch, or by nothing."""


class RoleBaselines:
    """An exponential moving average of each role's mean reward.

    Args:
        decay: weight of the past at each window; the first window is its own baseline.

    Raises:
        ValueError: a decay outside [0, 1).
    """

    def __init__(self, decay: float = 0.95) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay={decay}: must be from 0 to below 1, e.g. 0.95.")
        self.decay = decay
        self.means: dict[str, float] = {}

    def before(self, role: str, rewards_N: Sequence[float]) -> float:
        """The role's baseline for these rewards, which then enter the average."""
        mean = _mean(rewards_N)
        baseline = self.means.get(role, mean)
        self.means[role] = self.decay * baseline + (1 - self.decay) * mean
        return baseline

    def state_dict(self) -> dict[str, Any]:
        return {"means": dict(self.means)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.means = dict(state["means"])


def assign_advantages(
    turns_N: Sequence[Turn], scale: Scale = "group", baselines: RoleBaselines | None = None, epsilon: float = 1e-4
) -> dict[str, float]:
    """Set ``advantage`` on every turn, in place.

    Args:
        turns_N: one window's turns of all processes, so that batch-wide figures are the same everywhere.
        scale: what centred rewards are divided by. A spread of 0 leaves an advantage of exactly 0.
        baselines: centre on the role's running mean; None centres on the group's own mean.
        epsilon: added to the spread, in units of reward.

    Returns:
        For each role with turns to reinforce, ``role/<role>/`` + ``dead_groups`` (share of groups in which every
        advantage is 0), ``groups_of_one`` (share), ``advantage_spread`` (root mean square).

    Raises:
        ValueError: an unknown scale, or scale="group" with ``baselines``.
    """
    if scale not in get_args(Scale):
        raise ValueError(f"learner.scale={scale!r}: unknown; choose one of {', '.join(get_args(Scale))}.")
    if scale == "group" and baselines is not None:
        raise ValueError(
            "learner.scale=group: not with learner.baseline=role_ema, whose groups may have one member and no spread; "
            "choose learner.scale=batch or none."
        )
    groups_of: dict[str, dict[str, list[Turn]]] = {}
    for turn in turns_N:
        turn.advantage = 1.0 if turn.objective == "imitate" else 0.0
        if turn.objective == "reinforce":
            groups_of.setdefault(turn.role, {}).setdefault(turn.group, []).append(turn)
    report: dict[str, float] = {}
    for role in sorted(groups_of):
        groups = list(groups_of[role].values())
        rewards_N = [turn.reward for group in groups for turn in group]
        baseline = baselines.before(role, rewards_N) if baselines else None
        spread = {"group": None, "batch": _spread(rewards_N) + epsilon, "none": 1.0}[scale]
        for group in groups:
            _assign(group, baseline, spread, epsilon)
        report |= {f"role/{role}/{name}": value for name, value in _report(groups).items()}
    return report


def _assign(group: Sequence[Turn], baseline: float | None, spread: float | None, epsilon: float) -> None:
    """``baseline`` and ``spread`` are those of the role; None = take the group's own."""
    rewards_G = [turn.reward for turn in group]
    if baseline is None and min(rewards_G) == max(rewards_G):
        return  # rounding of the mean must not turn equal rewards into advantages
    centre = _mean(rewards_G) if baseline is None else baseline
    divisor = _spread(rewards_G) + epsilon if spread is None else spread
    for turn, reward in zip(group, rewards_G, strict=True):
        turn.advantage = (reward - centre) / divisor


def _report(groups: Sequence[Sequence[Turn]]) -> dict[str, float]:
    advantages_N = [turn.advantage for group in groups for turn in group]
    return {
        "dead_groups": _mean([float(all(turn.advantage == 0.0 for turn in group)) for group in groups]),
        "groups_of_one": _mean([float(len(group) == 1) for group in groups]),
        "advantage_spread": math.sqrt(_mean([advantage**2 for advantage in advantages_N])),
    }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)  # fsum: the same whatever the order


def _spread(values: Sequence[float]) -> float:
    """Unbiased standard deviation; 0 for fewer than two values."""
    if len(values) < 2:
        return 0.0
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
