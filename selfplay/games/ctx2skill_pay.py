"""Who is paid what in Ctx2Skill when weights learn as well; the paper trains none. Rewards: `roles/skill_rewards.py`.

Only answers and verdicts of the rounds are paid: replay and closed-book turns measure. A turn whose call failed, or
whose answer no judge was heard on, is not learned from. Truth goes into ``measures``, never into a reward.
"""

from __future__ import annotations

from typing import Any

from selfplay.games.ctx2skill_settings import Settings
from selfplay.games.ctx2skill_state import Ask, Attempt, Loop, Round
from selfplay.roles.rubrics import is_solved
from selfplay.roles.skill_rewards import challenger_reward, judge_reward, reasoner_rewards, task_reward
from selfplay.types import ContextDomain, Turn


def pay(loop: Loop, domain: ContextDomain, settings: Settings) -> None:
    """Pay the turns of the agents that learn, in place."""
    for done in loop.rounds:
        if "challenger" in settings.learns:
            _pay_challenger(loop, done, domain, settings)
        for attempt in (one for ones_G in done.attempts_N_G for one in ones_G):
            known = truth_of(attempt, domain)
            if "reasoner" in settings.learns:
                _pay_reasoner(attempt, known, settings)
            if "judge" in settings.learns:
                _pay_judge(attempt, known, settings)
        if "judge" in settings.learns:
            for item, asks_K in done.planted:
                for one in asks_K:
                    for turn, said in _replies(one):
                        right = judge_reward(said and said.statuses, item.statuses)
                        _reinforce(turn, {"planted": right}, said is not None, right)


def truth_of(attempt: Attempt, domain: ContextDomain) -> bool | None:
    """Whether the answer is right, for measuring; None where there is none or nobody knows."""
    answer = attempt.answer.value
    return None if answer is None else domain.truth(attempt.answer.loop.context, attempt.challenge.task, answer)


def _pay_challenger(loop: Loop, done: Round, domain: ContextDomain, settings: Settings) -> None:
    """A reply earns the mean of its tasks; one that cannot be read, or whose tasks got no rubrics, earns 0."""
    band = {"band": settings.band, "low": settings.low, "high": settings.high}
    for one in done.asks:
        numbers = [at for at, author in enumerate(done.authors_N) if author is one]
        earned, deserved = [], []
        for at in numbers:
            solved_G = [attempt.solved(settings.verdict, "leave_out") for attempt in done.attempts_N_G[at]]
            judged_G = [solved for solved in solved_G if solved is not None]
            closed = done.closed_N[at].solved(settings.verdict, "leave_out") if done.closed_N else None
            if judged_G:
                earned.append(task_reward(judged_G, closed, **band))
            right_G = [truth_of(attempt, domain) for attempt in done.attempts_N_G[at]]
            known_G = [right for right in right_G if right is not None]
            if known_G:
                deserved.append(task_reward(known_G, closed, **band))
        for turn, tasks in _replies(one):
            if tasks is None or not numbers:
                _reinforce(turn, {"calibration": 0.0}, tasks is not None, 0.0)
            elif earned:
                truth = challenger_reward(deserved) if deserved else None
                _reinforce(turn, {"calibration": challenger_reward(earned)}, True, truth)


def _pay_reasoner(attempt: Attempt, known: bool | None, settings: Settings) -> None:
    grading = attempt.grading
    if grading is None:
        return
    solved = is_solved(grading, settings.verdict)
    for turn, answer in _replies(attempt.answer):
        rewards = reasoner_rewards(grading.statuses, solved, settings.bonus)
        _reinforce(turn, rewards, bool(answer and answer.strip()), None if known is None else float(known))


def _pay_judge(attempt: Attempt, known: bool | None, settings: Settings) -> None:
    """Each grading by its agreement with the majority of the K."""
    grading = attempt.grading
    for one in attempt.gradings_K:
        for turn, said in _replies(one):
            agrees = judge_reward(said and said.statuses, grading.statuses if grading else ())
            right = said is not None and is_solved(said, settings.verdict) == known
            _reinforce(turn, {"agreement": agrees}, said is not None, None if known is None else float(right))


def _replies(one: Ask) -> list[tuple[Turn, Any]]:
    """The replies that came, each with what was read of it: only the last can be readable."""
    came = [(turn, one.value if turn is one.turns[-1] else None) for turn in one.turns]
    return [(turn, value) for turn, value in came if not turn.failure]


def _reinforce(turn: Turn, rewards: dict[str, float], readable: bool, truth: float | None) -> None:
    turn.objective, turn.rewards = "reinforce", rewards
    turn.measures = {"format": float(readable)} | ({} if truth is None else {"truth": truth})
