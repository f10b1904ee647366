"""What reasoner, challenger and judge of Ctx2Skill are paid when weights learn as well. The paper trains none.

The pieces are borrowed: shares of rubrics, since all-or-nothing alone leaves most groups without a difference; the
band of R-Zero (arXiv 2508.05004) and SPICE (arXiv 2510.24684) behind a validity gate (VHG, arXiv 2605.06660);
agreement with one's own majority as in SPELL (arXiv 2509.23863) and SERL (arXiv 2511.07922). None is ever negative:
a penalty for malformed tasks drove the proposer of Search Self-Play into a death spiral; nothing at all did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from selfplay.roles.proposer import Band, calibration
from selfplay.roles.rubrics import pass_rate


def reasoner_rewards(statuses: Sequence[bool], solved: bool, bonus: float = 0.5) -> dict[str, float]:
    """The share of rubrics passed, and ``bonus`` where the task is solved. Own design after arXiv 2604.27660, whose
    all-or-nothing verdict is the second part.

    >>> reasoner_rewards((True, True, False, True), solved=False), reasoner_rewards((True,), solved=True)
    ({'rubrics': 0.75, 'solved': 0.0}, {'rubrics': 1.0, 'solved': 0.5})
    """
    return {"rubrics": pass_rate(statuses), "solved": bonus * solved}


def task_reward(
    solved_G: Sequence[bool],
    closed_book: bool | None = None,
    band: Band = "triangle",
    low: float = 0.2,
    high: float = 0.8,
) -> float:
    """What one task earns: its difficulty where the gate lets it pass, else 0.

    Args:
        solved_G: outcomes of the answers that were judged; a task that none solved may be unsolvable and earns nothing.
        closed_book: whether it was solved without the document; then it says nothing about the document. None = not
            tried.
        band: ``roles.proposer.calibration``; ``triangle`` is 4p(1-p).

    >>> task_reward([True, False]), task_reward([True, False], closed_book=True), task_reward([])
    (1.0, 0.0, 0.0)
    """
    return 0.0 if closed_book or not solved_G else calibration(sum(solved_G), len(solved_G), band, low, high)


def challenger_reward(tasks: Sequence[float]) -> float:
    """A reply earns the mean of what its tasks earned; 0, never less, where it held none that could be read.

    >>> challenger_reward([1.0, 0.0]), challenger_reward([])
    (0.5, 0.0)
    """
    return fmean(tasks) if tasks else 0.0


def judge_reward(statuses: Sequence[bool] | None, wanted: Sequence[bool]) -> float:
    """The share of rubrics on which a grading agrees with what is taken for right: the majority of the K gradings of
    the same answer, or the known verdicts of a planted item. None (unreadable) or a list that does not match earns 0.

    >>> judge_reward((True, False), (True, True)), judge_reward(None, (True,)), judge_reward((True,), (True, True))
    (0.5, 0.0, 0.0)
    """
    if statuses is None or len(statuses) != len(wanted):
        return 0.0
    return fmean(said == right for said, right in zip(statuses, wanted, strict=True))
