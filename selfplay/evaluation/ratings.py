"""Ratings of many contestants: Bradley-Terry strengths on the Elo scale, with intervals over resampled requests.

    scores of every pair --bradley_terry--> strengths --400 log10--> ratings around an anchor

The fit takes all contests at once; nothing depends on the order in which they were held, as it does in online Elo.
A pair's score on a request counts as one contest, so that several answers to a request are no further evidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from selfplay.evaluation.bradley_terry import bradley_terry
from selfplay.evaluation.pairwise import Wins
from selfplay.evaluation.statistics import expanded_tail

PRIOR = 0.5
"""Wins added to both sides of every pair: a contestant that won or lost everything still gets a number."""

ANCHOR = 1000.0

PairScores = Mapping[tuple[str, str], Mapping[str, float]]
"""(A, B) -> request -> score of A from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One contestant; the bounds are of its distance from the anchor (95 %), which has no interval of its own."""

    name: str
    elo: float  # 400 log10(strength / the anchor's strength) + 1000
    low: float
    high: float


def ratings(scores: PairScores, anchor: str, prior: float = PRIOR, seed: int = 0, resamples: int = 300) -> list[Rating]:
    """Everybody's rating, the best first.

    A request is resampled as a whole: all pairs keep or lose it together. The interval is the expanded percentile one.

    Args:
        scores: as ``contests.scores_of`` gives them for each pair; pairs may lack requests.
        anchor: who stands at 1000.

    Raises:
        ValueError: an unknown anchor, no request, or, with ``prior=0``, two camps of which one never beat the other, if
            only in a resample.

    >>> even = ratings({("x", "y"): {"1": 0.75, "2": 0.75}}, anchor="y", prior=0)
    >>> [(rating.name, round(rating.elo, 1)) for rating in even]
    [('x', 1190.8), ('y', 1000.0)]
    """
    names = list(dict.fromkeys(name for pair in scores for name in pair))
    items = list(dict.fromkeys(item for of_pair in scores.values() for item in of_pair))
    if anchor not in names or not items:
        raise ValueError(f"ratings need requests and an anchor among {', '.join(names)}, not {anchor!r}.")
    elos = _elos(_wins(scores, dict.fromkeys(items, 1), names), anchor, prior)
    rng, n = np.random.default_rng(seed), len(items)
    drawn = []
    for _ in range(resamples if n > 1 else 1):
        times = dict(zip(items, rng.multinomial(n, np.full(n, 1 / n)).tolist(), strict=True))
        drawn.append(_elos(_wins(scores, times, names), anchor, prior, tolerance=1e-5))
    tail = expanded_tail(n) if n > 1 else 0.0
    rated = []
    for name in names:
        low, high = np.quantile([one[name] for one in drawn], [tail, 1 - tail])
        rated.append(Rating(name, elos[name], float(low), float(high)))
    return sorted(rated, key=lambda rating: -rating.elo)


def rating_definition(anchor: str, requests: str, judge: str, prior: float = PRIOR) -> str:
    """The words that go with the numbers."""
    return (
        f"Bradley-Terry fit on the Elo scale (400 log10 of strength, {anchor} = {ANCHOR:g}; not online Elo), prior: "
        f"{prior:g} wins added to both sides of every pair; all pairs on {requests}, both orders, judged by {judge}; "
        "95 % interval of the distance from the anchor: bootstrap over requests"
    )


def _wins(scores: PairScores, times: Mapping[str, int], names: Sequence[str]) -> Wins:
    wins: Wins = {a: {b: 0.0 for b in names if b != a} for a in names}
    for (a, b), of_pair in scores.items():
        met = [(times[item], score) for item, score in of_pair.items()]
        wins[a][b] += sum(count * score for count, score in met)
        wins[b][a] += sum(count * (1 - score) for count, score in met)
    return wins


def _elos(wins: Wins, anchor: str, prior: float, tolerance: float = 1e-10) -> dict[str, float]:
    strengths = bradley_terry(wins, prior, tolerance)
    return {str(name): 400 * math.log10(s / strengths[anchor]) + ANCHOR for name, s in strengths.items()}
