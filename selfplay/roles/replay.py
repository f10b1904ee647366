"""Cross-time Replay: the tasks that told most are answered again with every round's skill; the best version stays.

Ctx2Skill (arXiv 2604.27660), with what its text leaves open as the release has it: of every round the failed task with
the lowest share of rubrics passed and the passed task with the fewest rubrics are kept as probes; a version's score is

    rho_h * rho_e,   rho = (solved + 1) / (valid + 1)   over the hard and over the easy probes

and of equal scores the earliest version wins. Probes that got no answer or no verdict are not counted at all.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from selfplay.roles.rubrics import pass_rate
from selfplay.types import Trace

Combine = Literal["product", "sum"]
"""How the two shares make one score: multiplied, or added (the paper's ablation, GPT-4.1 15.9 against 16.5)."""

Ties = Literal["random", "first"]
"""Which of the passed tasks with equally few rubrics becomes the probe: the release draws one."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A task kept for replay."""

    kind: Literal["hard", "easy"]
    round: int  # from 1: in which it was asked
    task: str
    rubrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How one version did on one kind of probe."""

    solved: int = 0
    valid: int = 0  # answered and judged

    @property
    def laplace(self) -> float:
        """(solved + 1) / (valid + 1): 1 where nothing was valid.

        >>> Tally(2, 5).laplace, Tally().laplace
        (0.5, 1.0)
        """
        return (self.solved + 1) / (self.valid + 1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How one version did on all probes."""

    hard: Tally = Tally()
    easy: Tally = Tally()

    def score(self, combine: Combine = "product") -> float:
        """
        >>> replayed = Replayed(hard=Tally(0, 1), easy=Tally(1, 1))
        >>> replayed.score(), replayed.score("sum")
        (0.5, 1.5)
        """
        hard, easy = self.hard.laplace, self.easy.laplace
        return hard * easy if combine == "product" else hard + easy


def hardest_failed(failed: Sequence[Trace]) -> Trace | None:
    """Lowest share of rubrics passed; the first of several, None of none."""
    return min(failed, key=lambda trace: pass_rate(trace.statuses), default=None)


def easiest_passed(passed: Sequence[Trace], ties: Ties = "random", key: str = "") -> Trace | None:
    """Fewest rubrics, None of none. Among several the release draws one, which here follows from ``key``; ``first``
    takes the first."""
    fewest = min((len(trace.rubrics) for trace in passed), default=0)
    easiest = [trace for trace in passed if len(trace.rubrics) == fewest]
    if not easiest:
        return None
    return easiest[0] if ties == "first" else random.Random(key).choice(easiest)


def tally(kinds: Sequence[str], solved: Sequence[bool | None]) -> Replayed:
    """Count one version's outcomes; None is a probe that got no answer or no verdict.

    >>> tally(["hard", "easy", "hard"], [True, True, None])
    Replayed(hard=Tally(solved=1, valid=1), easy=Tally(solved=1, valid=1))
    """
    outcomes = {
        kind: [outcome for of, outcome in zip(kinds, solved, strict=True) if of == kind and outcome is not None]
        for kind in ("hard", "easy")
    }
    return Replayed(*(Tally(sum(outcomes[kind]), len(outcomes[kind])) for kind in ("hard", "easy")))


def best_round(replayed: Mapping[int, Replayed], combine: Combine = "product") -> int | None:
    """The round with the highest score, the earliest of several; None where no probe was valid for any.

    ``replayed`` is by round; round 0 is no skill, which the paper does not let compete.

    >>> best_round({1: Replayed(Tally(1, 2)), 2: Replayed(Tally(2, 2)), 3: Replayed(Tally(2, 2))})
    2
    """
    if not any(version.hard.valid + version.easy.valid for version in replayed.values()):
        return None
    return max(sorted(replayed), key=lambda number: replayed[number].score(combine))
