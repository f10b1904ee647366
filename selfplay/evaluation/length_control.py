"""A win rate with the effect of length taken out, by a logistic regression of two coefficients.

    score of A ~ sigmoid(policy + length * tanh((len_A - len_B) / spread));   rate = sigmoid(policy)

AlpacaEval 2's length-controlled win rate (Dubois et al., arXiv 2404.04475) has a third term, the difficulty of each
instruction, which is fitted over many models and is not identifiable from one pair of policies. So this is the minimal
variant, it is called so wherever it is printed, and its numbers are not comparable with that leaderboard's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selfplay.evaluation.statistics import expanded_tail, wilson

Floats = npt.NDArray[np.float64]

RIDGE = 0.01
"""L2 penalty on both coefficients, in units of one request: keeps them finite where one side won everything."""

AT_ONCE = 1_000_000
"""Rows times resamples that are fitted together: bounds the memory, and changes nothing."""

VARIANT = (
    "length-controlled, minimal: intercept + tanh(standardised length difference), logistic, L2 ridge "
    f"{RIDGE:g}; not AlpacaEval LC"
)

Row = tuple[str, float, float]
"""(request, length of A's answer minus length of B's, score of A from 0 to 1)."""


@dataclass(frozen=True, slots=True)
class LengthControlled:
    """``rate`` is what the fit predicts for A against B at equal lengths; ``low`` and ``high`` bound it (95 %)."""

    rate: float
    low: float
    high: float
    length_effect: float  # log-odds that A gains where its answer is longer by far
    extrapolated: bool  # one side was longer in every pairing: no judgment was made near equal lengths


def length_controlled(rows: Sequence[Row], seed: int = 0, resamples: int = 1000) -> LengthControlled | None:
    """The fit, each request weighing the same, and its expanded percentile interval over resampled requests.

    None where nothing was judged, or where every pairing has the same difference of lengths, which then cannot be told
    from the difference of the policies. Swapping A and B gives 1 - rate. The spread is that of all pairings, once.

    >>> fair = length_controlled([("1", 5, 1), ("1", -5, 0), ("2", 9, 1), ("2", -9, 0), ("3", 3, 1), ("3", -3, 0)])
    >>> round(fair.rate, 6), fair.length_effect > 2
    (0.5, True)
    """
    if not rows:
        return None
    differences, scores, shares, request_of_row = _merged(rows)
    if np.ptp(differences) == 0 and differences[0] != 0:
        return None
    spread = np.std([row[1] for row in rows], ddof=1) if np.ptp(differences) else 1.0
    lengths = np.tanh(differences / spread)
    policy, effect = _fit(lengths, scores, shares[None, :])[0]
    n = int(request_of_row.max()) + 1
    means = np.bincount(request_of_row, weights=shares * scores)
    if n == 1 or np.ptp(means) == 0:
        low, high = wilson(float(min(max(means.sum(), 0.0), n)), n)
    else:
        picks = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
        parts = np.array_split(picks, max(1, len(rows) * resamples // AT_ONCE))
        fits = [_fit(lengths, scores, part[:, request_of_row] * shares) for part in parts if len(part)]
        drawn = _sigmoid(np.concatenate(fits)[:, 0])
        tail = expanded_tail(n)
        low, high = map(float, np.quantile(drawn, [tail, 1 - tail]))
    apart = bool((differences > 0).all() or (differences < 0).all())
    return LengthControlled(float(_sigmoid(policy)), low, high, float(effect), apart)


def _merged(rows: Sequence[Row]) -> tuple[Floats, Floats, Floats, npt.NDArray[np.intp]]:
    """Rows of one request and one difference as one: difference, mean score, share of its request, number of it.

    >>> [part.tolist() for part in _merged([("x", 5, 1), ("x", 5, 0), ("x", 2, 1), ("y", 5, 0)])]
    [[5.0, 2.0, 5.0], [0.5, 1.0, 0.0], [0.6666666666666666, 0.3333333333333333, 1.0], [0, 0, 1]]
    """
    merged: dict[tuple[str, float], list[float]] = {}
    for item, difference, score in rows:
        merged.setdefault((item, difference), []).append(score)
    judged = Counter(item for item, _, _ in rows)
    numbers = {item: number for number, item in enumerate(judged)}
    return (
        np.array([difference for _, difference in merged], dtype=np.float64),
        np.array([sum(scores) / len(scores) for scores in merged.values()]),
        np.array([len(scores) / judged[item] for (item, _), scores in merged.items()]),
        np.array([numbers[item] for item, _ in merged]),
    )


def _fit(lengths_R: Floats, scores_R: Floats, weights_S_R: Floats, ridge: float = RIDGE) -> Floats:
    """Intercept and slope (S, 2) for each row of weights, by Newton's steps of bounded length.

    The penalised likelihood is strictly concave, so the maximum is one and the bounded steps find it.
    """
    fitted = np.zeros((len(weights_S_R), 2))
    for _ in range(200):
        chances = _sigmoid(fitted[:, :1] + fitted[:, 1:] * lengths_R)
        residuals, information = weights_S_R * (scores_R - chances), weights_S_R * chances * (1 - chances)
        g0 = residuals.sum(1) - ridge * fitted[:, 0]
        g1 = residuals @ lengths_R - ridge * fitted[:, 1]
        h00, h01 = information.sum(1) + ridge, information @ lengths_R
        h11 = information @ lengths_R**2 + ridge
        determinant = h00 * h11 - h01**2
        steps = np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0], axis=1) / determinant[:, None]
        size = np.linalg.norm(steps, axis=1, keepdims=True)
        fitted += steps / np.maximum(size, 1.0)
        if size.max() < 1e-9:
            return fitted
    raise AssertionError("the penalised logistic fit did not settle; it is concave and must")


def _sigmoid(x: Floats) -> Floats:
    return np.exp(-np.logaddexp(0, -x))
