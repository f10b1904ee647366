"""A contest: two policies answer the same requests, and a judge compares the answers in both orders.

    answers of A and B --showings--> a judge --> judgments --compared--> comparisons --contest_metrics--> win rate

A request's score is the mean over its readable judgments (a win of A 1, a tie 1/2, a loss 0), and the win rate is the
mean over requests: several answers to one request, and both orders of showing, make a cluster and not new evidence.
Suffixes: ``_N`` requests, ``_J`` judgments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from selfplay.evaluation.judges import Judge, Pairing, Showing
from selfplay.evaluation.length_control import VARIANT, length_controlled
from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.pairwise import compare_orders, first_share
from selfplay.evaluation.statistics import bootstrap_mean, wilson
from selfplay.types import Judgment, Request, Verdict

FEWEST = 7
"""Of fewer requests the bootstrap's interval is too short (``statistics.student_quantile``): Wilson's stands in."""


@dataclass(frozen=True, slots=True)
class Round:
    """One request, and each contestant's answers to it as they are judged (without their thinking)."""

    item: str  # "17": a request drawn twice counts twice
    request: Request
    answers: Mapping[str, Sequence[str]]  # contestant -> its answers, one or more


@dataclass(frozen=True, slots=True)
class Comparison:
    """One answer of A against one of B, judged once."""

    item: str
    pairing: str  # "0-1": the first answer of A against the second of B
    instruction: str
    text_a: str
    text_b: str
    a_first: bool | None  # whether the judge saw A's first; None where nobody wrote it down
    score: float | None  # of A: 1 won, 0.5 tied, 0 lost, or between (a judge's probability); None = unreadable


@dataclass(frozen=True, slots=True)
class Setting:
    """What the definitions say of a contest."""

    a: str
    b: str
    requests: str  # "40 held-out problems"
    answers: str  # "2 answers of each at temperature 1, seed 0, every pairing in both orders"
    judge: str

    @property
    def words(self) -> str:
        return f"{self.a} against {self.b} on {self.requests}, {self.answers}, judged by {self.judge}"


def hold(rounds_N: Sequence[Round], a: str, b: str, judge: Judge) -> list[Comparison]:
    """Let the judge compare the answers of two contestants, everything in both orders, in one batch."""
    met: list[tuple[Round, int, int, bool]] = []
    showings_J: list[Showing] = []
    for one in rounds_N:
        for i, j in pairings(len(one.answers[a]), len(one.answers[b]), judge.pairing):
            texts = {a: one.answers[a][i], b: one.answers[b][j]}
            for first, second in ((a, b), (b, a)):
                met.append((one, i, j, first == a))
                showing = Showing(one.request, first, second, texts[first], texts[second], f"{one.item}/{i}-{j}")
                showings_J.append(showing)
    return [
        Comparison(
            item=one.item,
            pairing=f"{i}-{j}",
            instruction=instruction_of(one.request),
            text_a=one.answers[a][i],
            text_b=one.answers[b][j],
            a_first=a_first,
            score=_score(judgment, a_first),
        )
        for (one, i, j, a_first), judgment in zip(met, judge.judge(showings_J), strict=True)
    ]


def pairings(answers_a: int, answers_b: int, pairing: Pairing) -> list[tuple[int, int]]:
    """
    >>> pairings(2, 2, "every"), pairings(2, 3, "matched")
    ([(0, 0), (0, 1), (1, 0), (1, 1)], [(0, 0), (1, 1)])
    """
    if pairing == "matched":
        return [(k, k) for k in range(min(answers_a, answers_b))]
    return [(i, j) for i in range(answers_a) for j in range(answers_b)]


def instruction_of(request: Request) -> str:
    """The request as one text: its prompt, or what the judge is shown where that is a conversation.

    >>> instruction_of(Request("list animals", "animals"))
    'list animals'
    """
    return request.prompt if isinstance(request.prompt, str) else request.shown


def scores_of(comparisons_J: Sequence[Comparison]) -> dict[str, float]:
    """Item -> mean score of A over its readable judgments; an item without one is left out."""
    by_item: dict[str, list[float]] = {}
    for comparison in comparisons_J:
        if comparison.score is not None:
            by_item.setdefault(comparison.item, []).append(comparison.score)
    return {item: fmean(scores) for item, scores in by_item.items()}


def request_interval(scores_N: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean score: requests resampled, or Wilson's where that cannot work.

    Wilson's where there are fewer than 7 requests, or where all scored the same.
    """
    if len(scores_N) < FEWEST or len(set(scores_N)) == 1:
        return wilson(min(sum(scores_N), len(scores_N)), len(scores_N))
    return bootstrap_mean(scores_N, seed)


def finding(rate: Metric, a: str, b: str) -> str:
    """What the interval allows to be said.

    >>> finding(Metric("duel/y/win_rate", 0.6, 0.45, 0.74), "x", "y")
    'no evidence of a difference: the 95 % interval covers 0.5'
    """
    if rate.low is None or rate.high is None or rate.low <= 0.5 <= rate.high:
        return "no evidence of a difference: the 95 % interval covers 0.5"
    better, worse = (a, b) if rate.value > 0.5 else (b, a)
    return f"{better} is better than {worse} by this judge: the 95 % interval does not cover 0.5"


def contest_metrics(comparisons_J: Sequence[Comparison], setting: Setting, seed: int = 0) -> list[Metric]:
    """``duel/<B>/win_rate`` and what stands beside it; a figure of nothing is left out.

    ``win_rate`` and its intervals by the bootstrap (``low``, ``high``) and by Wilson (``win_rate_wilson``, the same
    value), ``win_rate_length_controlled``, and the shares and lengths that say how far to trust them.
    """
    scores = list(scores_of(comparisons_J).values())
    found = [*_rates(scores, comparisons_J, setting, seed), *_shares(comparisons_J, setting), *_lengths(comparisons_J)]
    return [Metric(f"duel/{setting.b}/{m.name}", m.value, m.low, m.high, m.definition) for m in found]


def _rates(
    scores_N: Sequence[float], comparisons_J: Sequence[Comparison], setting: Setting, seed: int
) -> Iterator[Metric]:
    n = len(scores_N)
    if not n:
        return
    rate = min(fmean(scores_N), 1.0)
    what = f"mean over {n} requests of A's mean score (win 1, tie 1/2, loss 0; unreadable left out); 95 % interval:"
    resampled = f"{what} bootstrap over requests (Wilson below {FEWEST} or where all scored the same); {setting.words}"
    yield Metric("win_rate", rate, *request_interval(scores_N, seed), resampled)
    over_requests = wilson(min(sum(scores_N), n), n)
    yield Metric("win_rate_wilson", rate, *over_requests, f"{what} Wilson over requests; {setting.words}")
    controlled = length_controlled(
        [(c.item, len(c.text_a) - len(c.text_b), c.score) for c in comparisons_J if c.score is not None], seed
    )
    if controlled is not None:
        extrapolated = "; EXTRAPOLATED: one side is longer in every pairing" if controlled.extrapolated else ""
        yield Metric(
            "win_rate_length_controlled",
            controlled.rate,
            controlled.low,
            controlled.high,
            f"{VARIANT}; length in characters{extrapolated}; 95 % interval: bootstrap over requests; {setting.words}",
        )


def _shares(comparisons_J: Sequence[Comparison], setting: Setting) -> Iterator[Metric]:
    judgments_J = [_judgment(c) for c in comparisons_J if c.a_first is not None]
    read = [c.score for c in comparisons_J if c.score is not None]
    orders, total = compare_orders(judgments_J), len(comparisons_J)
    ties = read.count(0.5) / len(read) if read else None
    flips = f"{orders.readable} pairs of judgments of the same two answers in both orders that both name the same place"
    first = "judgments with a winner that name whom the judge saw first; 0.5 knows no order"
    for name, value, of in (
        ("ties", ties, f"{len(read)} readable judgments"),
        ("order_flips", orders.flips, flips),
        ("first_share", first_share(judgments_J), first),
        ("unreadable", 1 - len(read) / total if total else None, f"{total} judgments"),
    ):
        if value is not None:
            yield Metric(name, value, definition=f"share of {of}; {setting.words}")


def _lengths(comparisons_J: Sequence[Comparison]) -> Iterator[Metric]:
    for side, texts in (("a", [c.text_a for c in comparisons_J]), ("b", [c.text_b for c in comparisons_J])):
        if texts:
            of = f"mean length of {side.upper()}'s answers, as they were judged"
            yield Metric(f"characters_{side}", fmean(map(len, texts)), definition=f"{of}, in characters")
            yield Metric(
                f"words_{side}", fmean(len(text.split()) for text in texts), definition=f"{of}, between white space"
            )


def _score(judgment: Judgment, a_first: bool) -> float | None:
    if judgment.verdict is None:
        return None
    return {"tie": 0.5, "first": float(a_first), "second": float(not a_first)}[judgment.verdict]


def _judgment(comparison: Comparison) -> Judgment:
    """A soft score names the likelier winner."""
    score, (first, second) = comparison.score, ("a", "b") if comparison.a_first else ("b", "a")
    verdict: Verdict | None = None
    if score is not None:
        verdict = "tie" if score == 0.5 else "first" if (score > 0.5) == comparison.a_first else "second"
    return Judgment(first, second, verdict, f"{comparison.item}/{comparison.pairing}")
