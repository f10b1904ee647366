"""SQLM, Self-Questioning Language Models (arXiv 2508.03682): one asks, one answers, the majority counts as right.

    topics_B --proposer--> questions_B_G --gate--> problems_N --solver--> answers_N_G --vote--> rewards

    selfplay play recipe=sqlm_small

The truth, where the domain knows it, goes into ``facts`` and ``measures``, never into a reward.
Suffixes: ``_B`` seeds, ``_N`` admitted problems of all seeds, ``_G`` samples of one prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, get_args

from selfplay.games.settings import Invalid, at_least, one_of, plays_on
from selfplay.roles.proposer import Band, calibration, check_band
from selfplay.roles.solver import Poll, Tie, agreement, hold_poll, poll_facts
from selfplay.types import Admission, Domain, Episode, Rejection, Sampler, Seed, TaskGate, Turn

NO_PROBLEMS = "SQLM needs problems with answers, which it has not; choose domain=arithmetic, or game=serl"


class SQLM:
    """One seed is one row of the topic prompt: ``proposals`` questions, each admitted one answered ``answers`` times.

    ``band``, ``low``, ``high`` say which agreement pays the proposer (``roles.proposer.calibration``); ``tie`` and
    ``min_votes`` how the vote is decided (``roles.solver.majority``); the proposer learns in every
    ``proposer_period``-th window. ValueError for a setting that cannot work; its text starts with the key.
    """

    roles: tuple[str, ...] = ("proposer", "solver")

    def __init__(
        self,
        domain: Domain,
        gate: TaskGate,
        proposals: int = 4,
        answers: int = 4,
        band: Band = "paper",
        low: float = 0.2,
        high: float = 0.8,
        tie: Tie = "first",
        min_votes: int = 1,
        invalid: Invalid = "mask",
        proposer_period: int = 5,
    ) -> None:
        plays_on(domain, "read_problem", NO_PROBLEMS)
        at_least("game.proposals", proposals, 1, "a row needs a question")
        at_least("game.answers", answers, 2, "a group of one has no peers and no majority")
        at_least("game.min_votes", min_votes, 1, "an elected answer has a vote")
        at_least("game.proposer_period", proposer_period, 1, "1 is every window; policy.frozen=[proposer] is never")
        one_of("game.tie", tie, Tie)
        one_of("game.invalid", invalid, Invalid)
        check_band(band, low, high, min_votes, answers)
        self.domain, self.gate, self.invalid = domain, gate, invalid
        self.proposals, self.answers = proposals, answers
        self.hold_poll = partial(hold_poll, domain, tie=tie, min_votes=min_votes)
        self.calibration = partial(calibration, band=band, low=low, high=high)
        self.periods: Mapping[str, int] = {"proposer": proposer_period}
        self.rows_per_seed: Mapping[str, int] = {"proposer": proposals, "solver": proposals * answers}

    def play(self, seeds_B: Sequence[Seed], sampler: Sampler) -> list[Episode]:
        """Two rounds: all questions, then all answers to those admitted (perhaps none)."""
        prompts_B = [self.domain.propose_prompt(seed.topic) for seed in seeds_B]
        questions_B_G = sampler.sample("proposer", prompts_B, n=self.proposals)
        admissions_B_G = [self.gate.admit([turn.text for turn in turns_G]) for turns_G in questions_B_G]
        problems_N = [a.problem for admissions_G in admissions_B_G for a in admissions_G if a.problem is not None]
        prompts_N = [self.domain.solve_prompt(problem) for problem in problems_N]
        answers_N_G = iter(sampler.sample("solver", prompts_N, n=self.answers))
        rows = zip(seeds_B, questions_B_G, admissions_B_G, strict=True)
        return [self._episode(*row, answers_N_G) for row in rows]

    def _episode(
        self, seed: Seed, questions_G: list[Turn], admissions_G: list[Admission], answers_N_G: Iterator[list[Turn]]
    ) -> Episode:
        episode, polls = Episode(seed, turns=list(questions_G)), []
        for number, (question, admission) in enumerate(zip(questions_G, admissions_G, strict=True)):
            question.group = f"{seed.index}/proposer"
            if admission.problem is None:
                self._turn_away(question)
                continue
            answers_G = next(answers_N_G)
            for answer in answers_G:
                answer.group = f"{seed.index}/solver/{number}"
            polls.append(self.hold_poll(admission.problem, [answer.text for answer in answers_G]))
            self._pay(question, answers_G, polls[-1])
            episode.turns += answers_G
        reasons = [admission.reason for admission in admissions_G]
        episode.facts = {"admitted": float(len(polls))} | poll_facts(polls, self.answers)
        episode.facts |= {f"rejected_{reason}": float(reasons.count(reason)) for reason in get_args(Rejection)}
        episode.notes["asked"] = " ".join(poll.problem.key for poll in polls)
        episode.notes["elected"] = " ".join(poll.vote.answer for poll in polls if poll.vote.answer is not None)
        return episode

    def _turn_away(self, question: Turn) -> None:
        question.measures = {"format": 0.0, "truth": 0.0}
        if self.invalid == "zero":
            question.rewards = {"calibration": 0.0}
        else:
            question.objective = None

    def _pay(self, question: Turn, answers_G: Sequence[Turn], poll: Poll) -> None:
        """One vote pays both roles; ``measures`` are what control arms would pay in its place."""
        question.rewards = {"calibration": self.calibration(poll.vote.votes, poll.vote.ballots)}
        question.measures = {"format": 1.0}
        for turn, answer in zip(answers_G, poll.answers_G, strict=True):
            turn.rewards = {"majority": agreement(answer, poll.vote)}
            turn.measures = {"format": float(answer is not None)}
        if poll.rights_G is not None:
            known = [right for right in poll.rights_G if right is not None]
            question.measures["truth"] = self.calibration(sum(known), len(known))
            for turn, right in zip(answers_G, poll.rights_G, strict=True):
                if right is not None:
                    turn.measures["truth"] = float(right)

    def remember(self, episodes: Sequence[Episode]) -> None:
        """A problem asked once is known to the gate for the rest of the run."""
        self.gate.remember([key for episode in episodes for key in episode.notes["asked"].split()])

    def state_dict(self) -> dict[str, Any]:
        return {"gate": self.gate.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.gate.load_state_dict(state["gate"])
