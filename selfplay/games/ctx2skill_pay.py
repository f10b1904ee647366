"""Who is paid what in Ctx2Skill when weights learn as well; the paper trains none. Rewards: `roles/skill_rewards.py`.

Only answers and verdicts of the rounds are paid: replay and closed-book turns measure. A turn whose call failed, or
whose answer no judge was heard on, is not learned from. Truth goes into ``measures``, never into a reward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from selfplay.games.ctx2skill_settings import Settings
from selfplay.games.ctx2skill_state import Attempt, Loop, Round
from selfplay.roles.rubrics import is_solved
from selfplay.roles.skill_rewards import challenger_reward, judge_reward, reasoner_rewards, task_reward
from selfplay.types import ContextDomain, Turn


def pay(loop: Loop, domain: ContextDomain, settings: Settings) -> None:
    """Pay the turns of the agents that learn, in place."""
    for done in loop.rounds:
        if "challenger" in settings.learns:
            _pay_challenger(done, domain, settings)
        for attempt in (one for ones_G in done.answered_N_G for one in ones_G):
            known = truth_of(attempt, domain)
            if "reasoner" in settings.learns:
                _pay_reasoner(attempt, known, settings)
            if "judge" in settings.learns:
                _pay_judge(attempt, known, settings)
        if "judge" in settings.learns:
            for item, asks_K in done.planted:
                for one in asks_K:
                    for turn, said in one.replies:
                        right = judge_reward(said and said.statuses, item.statuses)
                        _reinforce(turn, {"planted": right}, said is not None, right)


def truth_of(attempt: Attempt, domain: ContextDomain) -> bool | None:
    """Whether the answer is right, for measuring; None where there is none or nobody knows."""
    answer = attempt.answer.value
    return None if answer is None else domain.truth(attempt.answer.loop.context, attempt.challenge.task, answer)


def _pay_challenger(done: Round, domain: ContextDomain, settings: Settings) -> None:
    """A reply earns the mean of its tasks; one that cannot be read, or whose tasks got no rubrics, earns 0."""
    for one in done.asks:
        numbers = [at for at, author in enumerate(done.authors_N) if author is one]
        earned = _earned(done, numbers, settings, lambda attempt: attempt.solved(settings.verdict, "leave_out"))
        deserved = _earned(done, numbers, settings, lambda attempt: truth_of(attempt, domain))
        for turn, tasks in one.replies:
            if tasks is None or not (numbers or one in done.lost):
                _reinforce(turn, {"calibration": 0.0}, tasks is not None, 0.0)
            elif earned:
                truth = challenger_reward(deserved) if deserved else None
                _reinforce(turn, {"calibration": challenger_reward(earned)}, True, truth)


def _earned(
    done: Round, numbers: Sequence[int], settings: Settings, outcome: Callable[[Attempt], bool | None]
) -> list[float]:
    """What each of these tasks earns by the outcomes of its answers; a task without any is left out."""
    earned = []
    for at in numbers:
        closed = done.closed_N[at].solved(settings.verdict, "leave_out") if at < len(done.closed_N) else None
        solved_G = [solved for attempt in done.attempts_N_G[at] if (solved := outcome(attempt)) is not None]
        if solved_G:
            earned.append(task_reward(solved_G, closed, settings.band, settings.low, settings.high))
    return earned


def _pay_reasoner(attempt: Attempt, known: bool | None, settings: Settings) -> None:
    grading = attempt.grading
    if grading is None:
        return
    solved = is_solved(grading, settings.verdict)
    for turn, answer in attempt.answer.replies:
        rewards = reasoner_rewards(grading.statuses, solved, settings.bonus)
        _reinforce(turn, rewards, bool(answer and answer.strip()), None if known is None else float(known))


def _pay_judge(attempt: Attempt, known: bool | None, settings: Settings) -> None:
    """Each grading by its agreement with the majority of the K."""
    grading = attempt.grading
    for one in attempt.gradings_K:
        for turn, said in one.replies:
            agrees = judge_reward(said and said.statuses, grading.statuses if grading else ())
            right = said is not None and is_solved(said, settings.verdict) == known
            _reinforce(turn, {"agreement": agrees}, said is not None, None if known is None else float(right))


def _reinforce(turn: Turn, rewards: dict[str, float], readable: bool, truth: float | None) -> None:
    turn.objective, turn.rewards = "reinforce", rewards
    turn.measures = {"format": float(readable)} | ({} if truth is None else {"truth": truth})
