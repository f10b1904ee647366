"""What the log learns of one SERL episode: how the judge judged, and what the answers look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from selfplay.evaluation.pairwise import compare_orders, first_share, triads, win_matrix
from selfplay.evaluation.texts import distinct_n
from selfplay.roles.judge import length_weight
from selfplay.types import Judgment, Request, Seed, Turn


@dataclass(slots=True)
class Contest:
    """The answers to one request and what the judge has said of them so far."""

    seed: Seed
    request: Request
    answers_N: list[Turn]
    texts_N: list[str]  # as they are judged: without their thinking
    judgments: list[Judgment] = field(default_factory=list)  # by the answers' numbers
    replies: list[Turn] = field(default_factory=list)  # the judge's turns, one for each judgment

    @property
    def words_N(self) -> list[int]:
        """Lengths as arXiv 2511.07922 counts them in its release: words between white space."""
        return [len(text.split()) for text in self.texts_N]

    def shown(self, first: int, second: int) -> tuple[str, str, str]:
        """What the judge is asked about: the request and two answers, in this order."""
        return self.request.shown, self.texts_N[first], self.texts_N[second]


def serl_facts(contest: Contest, alpha: float | None, qualities_N: Sequence[float] | None) -> dict[str, float]:
    """Facts of one episode; a share of nothing is left out.

    Args:
        alpha: of the Length Control Module, None for none.
        qualities_N: the hidden quality of each answer; None where it is not known.

    Returns:
        Of the judgments ``unreadable_verdicts``, ``ties``; of those with a winner ``first_share`` (how many named whom
        the judge saw first) and ``kept_comparisons`` (how many the length control counts). Of pairings of both orders
        ``order_flips``, and of those that flipped ``flips_to_first``. ``intransitive_triads`` of those decided. Of the
        answers ``answer_words`` (mean), ``empty_answers``, ``distinct_1``, ``distinct_2``. Where quality is known, its
        mean, and ``judge_accuracy``: of judgments on answers of different quality, how many named the better (a tie
        is half, an unreadable verdict none).
    """
    judgments, words_N = contest.judgments, contest.words_N
    won = [(int(j.winner), int(j.loser)) for j in judgments if j.winner is not None and j.loser is not None]
    orders = compare_orders(judgments)
    flips = orders.to_first + orders.to_second
    facts = {
        "unreadable_verdicts": _share([judgment.verdict is None for judgment in judgments]),
        "ties": _share([judgment.verdict == "tie" for judgment in judgments]),
        "first_share": first_share(judgments),
        "kept_comparisons": _share([length_weight(words_N[w], words_N[lost], alpha) > 0 for w, lost in won]),
        "order_flips": orders.flips,
        "flips_to_first": orders.to_first / flips if flips else None,
        "intransitive_triads": triads(win_matrix(judgments)).intransitive,
        "answer_words": fmean(words_N),
        "empty_answers": _share([words == 0 for words in words_N]),
        "distinct_1": distinct_n(contest.texts_N, 1),
        "distinct_2": distinct_n(contest.texts_N, 2),
    }
    if qualities_N is not None:
        facts |= {"quality": fmean(qualities_N), "judge_accuracy": _accuracy(judgments, qualities_N)}
    return {name: value for name, value in facts.items() if value is not None}


def _accuracy(judgments: Sequence[Judgment], qualities_N: Sequence[float]) -> float | None:
    """Several pairs in one episode, so each judgment is its own item here."""
    right = []
    for judgment in judgments:
        first, second = qualities_N[int(judgment.first)], qualities_N[int(judgment.second)]
        if first != second:
            better = "first" if first > second else "second"
            right.append({better: 1.0, "tie": 0.5}.get(judgment.verdict or "", 0.0))
    return fmean(right) if right else None


def _share(holds: Sequence[bool]) -> float | None:
    return fmean(holds) if holds else None
