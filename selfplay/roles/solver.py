"""The solver answers several times; an answer is paid when it is the one that the majority gave.

Self-Questioning Language Models (arXiv 2508.03682), reward R_S where no verifier is at hand. Suffixes: ``_G`` the
answers to one question, ``_P`` polls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from selfplay.types import Domain, Problem

Tie = Literal["first", "none"]
"""Who wins a tied vote: the answer met ``first`` (the release, by its Counter), or ``none`` of them."""


@dataclass(frozen=True, slots=True)
class Vote:
    """The outcome of one vote."""

    answer: str | None  # the elected answer; None = nobody was elected
    votes: int  # c: the answers equal to it; 0 when nobody was elected
    ballots: int  # n: all answers, the unreadable ones too

    @property
    def share(self) -> float:
        """c/n, between 0 and 1; 0 when there was nothing to count."""
        return self.votes / self.ballots if self.ballots else 0.0


def majority(answers_G: Sequence[str | None], tie: Tie = "first", min_votes: int = 1) -> Vote:
    """Elect the most frequent answer. None (an unreadable answer) is a ballot but never a candidate.

    Args:
        answers_G: answers to one question in the domain's normal form, in the order in which they were sampled.
        tie: who wins when several answers are equally frequent.
        min_votes: fewer equal answers than this elect nobody; 2 keeps a lone answer from being its own majority.

    Raises:
        ValueError: an unknown tie rule.

    >>> majority(["12", "7", "12", None])
    Vote(answer='12', votes=2, ballots=4)
    >>> majority(["7", "12", "12", "7"]).answer, majority(["7", "12", "12", "7"], tie="none").answer
    ('7', None)
    >>> majority(["7", "12"], min_votes=2)
    Vote(answer=None, votes=0, ballots=2)
    """
    if tie not in ("first", "none"):
        raise ValueError(f"tie={tie!r} is unknown; choose first or none.")
    # Equally frequent answers come in the order in which they were met.
    leading = Counter(answer for answer in answers_G if answer is not None).most_common(2)
    tied = len(leading) == 2 and leading[0][1] == leading[1][1]
    if not leading or leading[0][1] < min_votes or (tied and tie == "none"):
        return Vote(None, 0, len(answers_G))
    answer, votes = leading[0]
    return Vote(answer, votes, len(answers_G))


def agreement(answer: str | None, vote: Vote) -> float:
    """R_S: 1 for the elected answer, 0 for every other, and 0 for all when nobody was elected.

    >>> vote = majority(["12", "7", "12", None])
    >>> [agreement(answer, vote) for answer in ("12", "7", None)]
    [1.0, 0.0, 0.0]
    """
    return float(answer is not None and answer == vote.answer)


@dataclass(frozen=True, slots=True)
class Poll:
    """One problem put to the solver: what was read, who was elected, and, for measuring only, what was right."""

    problem: Problem
    answers_G: tuple[str | None, ...]  # in the domain's normal form; None = unreadable
    vote: Vote
    rights_G: tuple[bool | None, ...] | None  # None where the domain does not know the truth, of one answer or of all

    @property
    def elected_right(self) -> bool | None:
        """Whether the elected answer is the truth; None where nobody was elected or the truth is unknown."""
        if self.rights_G is None or self.vote.answer is None:
            return None
        return self.rights_G[self.answers_G.index(self.vote.answer)]


def hold_poll(domain: Domain, problem: Problem, texts_G: Sequence[str], tie: Tie = "first", min_votes: int = 1) -> Poll:
    """Read the answers in ``texts_G`` and take the vote; see ``majority`` for ``tie`` and ``min_votes``."""
    answers_G = tuple(domain.read_answer(text) for text in texts_G)
    known_G = [domain.is_right(problem, answer) for answer in answers_G]
    rights_G = None if all(right is None for right in known_G) else tuple(known_G)
    return Poll(problem, answers_G, majority(answers_G, tie, min_votes), rights_G)


def poll_facts(polls_P: Sequence[Poll], ballots: int) -> dict[str, float]:
    """Facts for the log; a mean that has nothing to be taken over is left out.

    Args:
        polls_P: the polls of one episode.
        ballots: answers to each problem (n).

    Returns:
        ``difficulty_<c>``: polls in which c of n answers agreed with the elected one, for c = 0 to n. Means over
        polls: ``vote_share`` (c/n), ``readable`` (share of answers), ``level`` of the problems; and, where the truth
        is known, ``answer_accuracy`` (share of answers) and ``vote_accuracy`` (share of elected answers).
    """
    facts = {f"difficulty_{votes}": float(sum(p.vote.votes == votes for p in polls_P)) for votes in range(ballots + 1)}
    means = {
        "vote_share": [poll.vote.share for poll in polls_P],
        "readable": [float(answer is not None) for poll in polls_P for answer in poll.answers_G],
        "level": [float(poll.problem.level) for poll in polls_P],
        "answer_accuracy": [float(right) for poll in polls_P for right in poll.rights_G or () if right is not None],
        "vote_accuracy": [float(poll.elected_right) for poll in polls_P if poll.elected_right is not None],
    }
    return facts | {name: fmean(values) for name, values in means.items() if values}
