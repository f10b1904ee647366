"""Intervals and estimators for yardsticks and duels. Pure functions; numpy, no torch.

Sources: Wilson (1927) for shares; Chen et al. (arXiv 2107.03374, equation 1) for pass@k; Hesterberg (arXiv
1411.5279, section 5.3) for the expanded percentile bootstrap.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

NORMAL = NormalDist()


def wilson(successes: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval for a share, ``(low, high)`` within [0, 1]; ``(0, 1)`` when nothing was tried.

    ``successes`` may be fractional (half a success for a tie): a score in [0, 1] with mean p varies by at most
    p(1 - p), so the interval is then wider than it need be, never narrower.

    >>> low, high = wilson(8, 10)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)

    Raises:
        ValueError: ``successes`` outside 0 to n.
    """
    if n == 0:
        return 0.0, 1.0
    if not 0 <= successes <= n:
        raise ValueError(f"successes={successes} must lie between 0 and n={n}.")
    share, weight = successes / n, z * z / n
    centre = (share + weight / 2) / (1 + weight)
    margin = math.sqrt(share * (1 - share) * weight + weight * weight / 4) / (1 + weight)
    return max(0.0, centre - margin), min(1.0, centre + margin)


def bootstrap_mean(
    values: Sequence[float], seed: int = 0, resamples: int = 2000, level: float = 0.95
) -> tuple[float, float]:
    """Expanded percentile interval for the mean of independent values, ``(low, high)``.

    ``values`` holds one number for each independent unit: average the samples of a problem first, then resample
    problems. The plain percentile interval is too short by about sqrt((n-1)/n) * z/t; the expanded one takes wider
    quantiles to make up for it. Equal values give an interval of width zero: use `wilson` there.

    >>> bootstrap_mean([0.25] * 8)
    (0.25, 0.25)

    Raises:
        ValueError: no values.
    """
    if not values:
        raise ValueError("values is empty; a mean needs at least one value.")
    row = np.asarray(values, dtype=np.float64)
    n = len(row)
    if n == 1 or np.ptp(row) == 0:
        return float(row[0]), float(row[0])
    picks = np.random.default_rng(seed).integers(n, size=(resamples, n))
    tail = expanded_tail(n, level)
    low, high = np.quantile(row[picks].mean(axis=1), [tail, 1 - tail])
    return float(low), float(high)


def expanded_tail(n: int, level: float = 0.95) -> float:
    """The tail probability at which a bootstrap of ``n`` values must be cut to cover ``level``.

    >>> round(expanded_tail(10**6), 4), round(expanded_tail(10), 4)
    (0.025, 0.0086)
    """
    return NORMAL.cdf(-math.sqrt(n / (n - 1)) * student_quantile((1 + level) / 2, n - 1))


def student_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t by its expansion in 1/degrees (Abramowitz and Stegun 26.7.5).

    Four terms: within 0.002 of the table from 6 degrees on, and too short below (4.05 for 4.30 at 2 degrees).

    >>> round(student_quantile(0.975, 10), 3), round(student_quantile(0.975, 85), 3)
    (2.228, 1.988)
    """
    z = NORMAL.inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees ** (power + 1) for power, term in enumerate(terms))


def stratified_interval(
    values_N_G: Sequence[Sequence[float]], seed: int = 0, resamples: int = 2000, level: float = 0.95
) -> tuple[float, float]:
    """Interval for the mean over strata of their means, ``(low, high)``: a bootstrap within each stratum.

    For strata that are all there is, e.g. the seven categories of lists: they are not drawn again, their samples are.
    """
    rng, tail = np.random.default_rng(seed), (1 - level) / 2
    rows = [np.asarray(values_G, dtype=np.float64) for values_G in values_N_G]
    means = [row[rng.integers(len(row), size=(resamples, len(row)))].mean(axis=1) for row in rows]
    low, high = np.quantile(np.mean(means, axis=0), [tail, 1 - tail])
    return float(low), float(high)


def stratified_win_rates(
    one_N_G: Sequence[Sequence[float]],
    other_N_H: Sequence[Sequence[float]],
    seed: int = 0,
    resamples: int = 2000,
    level: float = 0.95,
) -> tuple[float, float, float, float]:
    """How often a value of ``one`` is above one of ``other`` in the same stratum, ties as halves: all pairings.

    Returns:
        The rate, its interval ``low`` and ``high`` (bootstrap within strata, of both sides), and the share of ties.

    >>> rate, low, high, ties = stratified_win_rates([[1, 2]], [[1, 1]])
    >>> rate, ties
    (0.75, 0.5)
    """
    rng, tail = np.random.default_rng(seed), (1 - level) / 2
    rates, drawn, ties = [], [], []
    for one_G, other_H in zip(one_N_G, other_N_H, strict=True):
        one, other = np.asarray(one_G, dtype=np.float64), np.asarray(other_H, dtype=np.float64)
        values = np.unique(np.concatenate([one, other]))  # in rising order
        share, other_share = (_shares(side, values) for side in (one, other))
        rates.append(_rate(share, other_share))
        ties.append((share * other_share).sum())
        again = rng.multinomial(len(one), share, resamples) / len(one)
        other_again = rng.multinomial(len(other), other_share, resamples) / len(other)
        drawn.append(_rate(again, other_again))
    low, high = np.quantile(np.mean(drawn, axis=0), [tail, 1 - tail])
    return float(np.mean(rates)), float(low), float(high), float(np.mean(ties))


def _shares(side: np.ndarray, values: np.ndarray) -> np.ndarray:
    return (side[:, None] == values).mean(axis=0)


def _rate(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """P(one above other) + P(equal) / 2, of shares of rising values, along the last axis."""
    below = other.cumsum(axis=-1) - other / 2
    return (one * below).sum(axis=-1)


def mean_interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95 % interval for the mean of scores in [0, 1]: the bootstrap, or Wilson's where all scores are equal.

    Six right answers in six do not prove a rate of exactly one, which is what the bootstrap would say.

    >>> tuple(round(bound, 3) for bound in mean_interval([1.0] * 6))
    (0.61, 1.0)
    """
    if len(set(values)) == 1:
        return wilson(sum(values), len(values))
    return bootstrap_mean(values, seed)


def pass_at_k(n: int, right: int, k: int) -> float:
    """Chance that at least one of ``k`` draws is right, unbiased from ``right`` of ``n`` samples.

    >>> pass_at_k(n=8, right=2, k=1), pass_at_k(n=4, right=2, k=2)
    (0.25, 0.8333333333333334)

    Raises:
        ValueError: k outside 1 to n, or right outside 0 to n.
    """
    if not 1 <= k <= n or not 0 <= right <= n:
        raise ValueError(f"pass@k needs 1 <= k <= n and 0 <= right <= n, not n={n}, right={right}, k={k}.")
    return 1 - math.comb(n - right, k) / math.comb(n, k)


def plurality(answers_G: Sequence[str | None]) -> str | None:
    """The most frequent answer; of equally frequent ones the first met. None (unreadable) never wins.

    >>> plurality([None, None, "7", "9", "9", "7"])
    '7'
    """
    votes = Counter(answer for answer in answers_G if answer is not None)
    return votes.most_common(1)[0][0] if votes else None
