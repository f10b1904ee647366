"""What a yardstick leaves behind besides its metrics: every answer with its score, so that others can count again.

A yardstick whose measurement has ``records`` takes part in comparisons paired by request; one that has none (a user's
own, say) still gives its metrics. Pure data: no torch, no numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Drawn = Literal["requests", "samples", "strata"]
"""What chance has picked, and so what an interval draws again: requests within each stratum (held-out problems of each
operand length); samples of each request, where the requests are all there are (seven categories); or whole strata
(contexts, whose tasks stand or fall together)."""

SHARE = "share right"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one request."""

    request: str  # the same for every policy: "27+85", "animals", "rules-0003/mip cat dog"
    stratum: str  # "2 digits", "animals", "rules-0003"
    sample: int  # 0, 1, ...: equal numbers of two policies heard the same noise
    score: float  # 1.0 right, 0.0 wrong; or a quality
    prompt: str  # as a person reads it
    text: str  # as it was said
    condition: str = ""  # "skill", "none": what the policy was given, where there are several
    own: bool = True  # False = a control beside the policy as it plays, e.g. with the true rules


@dataclass(frozen=True)
class Records:
    """All answers of one measurement, and what is needed to count them."""

    answers: tuple[Answer, ...]
    drawn: Drawn
    unit: str  # SHARE, "hidden quality"
    definition: str  # what the mean over the answers is: k, n, temperature, split
    limits: tuple[float, float] | None = None  # of a score; None = no bound is known


@runtime_checkable
class Recorded(Protocol):
    """A measurement that kept its answers."""

    @property
    def records(self) -> Records | None: ...
