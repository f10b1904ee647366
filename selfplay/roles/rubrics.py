"""From a judge's list to a verdict: solved means that every rubric passes.

Ctx2Skill (arXiv 2604.27660): y = product over rubrics of 1[pass]. The release trusts the judge's own ``overall`` field,
which may contradict its list; here the verdict is worked out from the list, and the other is the option ``overall``.
Failed tasks go to the reasoner's side, passed ones to the challenger's. An answer that never came, or that no judge
could be read on, is nobody's failure: it stands in neither numerator nor denominator (``Unanswered``).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Literal

from selfplay.types import Grading, Side

By = Literal["rubrics", "overall"]
"""What decides: the list of statuses, or the judge's own conclusion (the release)."""

Unanswered = Literal["leave_out", "fail"]
"""A task without an answer or without a verdict: left out, or failed with nothing passed (the release)."""


def is_solved(grading: Grading, by: By = "rubrics") -> bool:
    """
    >>> said = Grading(statuses=(True, False), overall=True)
    >>> is_solved(said), is_solved(said, by="overall")
    (False, True)
    """
    if by == "overall" and grading.overall is not None:
        return grading.overall
    return bool(grading.statuses) and all(grading.statuses)


def pass_rate(statuses: Sequence[bool]) -> float:
    """Share of rubrics passed; 0 of none, as the release counts a task without statuses.

    >>> pass_rate((True, False)), pass_rate(())
    (0.5, 0.0)
    """
    return fmean(statuses) if statuses else 0.0


def majority_grading(gradings_K: Sequence[Grading]) -> Grading | None:
    """What most of K gradings of one answer say of each rubric; a rubric passes with more than half of the voices.

    The rationale is that of the first. None where there is no grading.

    >>> majority_grading([Grading((True, True)), Grading((True, False)), Grading((False, False))]).statuses
    (True, False)
    """
    if not gradings_K:
        return None
    voices = zip(*(grading.statuses for grading in gradings_K), strict=True)
    overalls = [grading.overall for grading in gradings_K if grading.overall is not None]
    return Grading(
        tuple(2 * sum(voices_K) > len(voices_K) for voices_K in voices),
        2 * sum(overalls) > len(overalls) if overalls else None,
        gradings_K[0].rationale,
    )


def side_of(solved: bool) -> Side:
    """Whose skill a task teaches: the failed ones the reasoner's, the passed ones the challenger's.

    >>> side_of(False), side_of(True)
    ('reasoner', 'challenger')
    """
    return "challenger" if solved else "reasoner"
