"""Bradley-Terry over all checkpoints of all runs, fitted to every resample at once.

    wins of every pair in every unit --resamples--> wins_B_K_K --Newton--> Elo_B_K from the anchor --> intervals

The likelihood is that of `selfplay.evaluation.bradley_terry`, whose iteration would take minutes for so many
contestants; the prior is that of `selfplay.evaluation.ratings`. A unit counts as one contest of each pair.
"""

from __future__ import annotations

import math

import numpy as np

from selfplay.comparison.suite import Suite
from selfplay.evaluation.ratings import PRIOR
from selfplay.evaluation.statistics import expanded_tail

RESAMPLES = 400
ROUNDS = 100
SETTLED = 1e-9
LARGEST_STEP = 2.0  # nats of log-strength in one round: far from the maximum a full step overshoots
NEVER_ZERO = 1e-300
ELO = 400 / math.log(10)


def elo_intervals(suite: Suite, anchor: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rating and 95 % bounds of each contestant, (K,): expanded percentiles of the distance from the anchor (None: from
    the mean of all)."""
    wins_K_K, wins_B_K_K = _wins(suite)
    elo_K, elo_B_K = elos(wins_K_K[None], anchor)[0], elos(wins_B_K_K, anchor)
    tail = expanded_tail(max(2, suite.resampling.units))
    low_K, high_K = np.quantile(elo_B_K, [tail, 1 - tail], axis=0)
    return elo_K, low_K, high_K


def elos(wins_B_K_K: np.ndarray, anchor: int | None = None, prior: float = PRIOR) -> np.ndarray:
    """Elo of each contestant from each table of wins, (B, K): Newton's method on the log-likelihood.

    Raises:
        ValueError: no convergence, which a prior above 0 rules out.

    >>> elos(np.array([[[0.0, 3.0], [1.0, 0.0]]]), anchor=1, prior=0).round(1).tolist()
    [[190.8, 0.0]]
    """
    b, k, _ = wins_B_K_K.shape
    apart = 1 - np.eye(k)
    wins = (wins_B_K_K + prior) * apart
    met = wins + wins.transpose(0, 2, 1)
    strength = np.zeros((b, k))
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(strength[:, None, :] - strength[:, :, None]))
        slope = (wins - met * chance).sum(axis=2)
        bend = met * chance * (1 - chance)
        curvature = np.eye(k) * bend.sum(axis=2)[:, :, None] - bend + 1 / k  # + 1/k: strengths add up to zero
        step = np.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
        step *= np.minimum(1, LARGEST_STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), NEVER_ZERO))
        strength += step
        if np.abs(step).max() < SETTLED:
            origin = strength[:, [anchor]] if anchor is not None else strength.mean(axis=1, keepdims=True)
            return ELO * (strength - origin)
    raise ValueError(f"Bradley-Terry did not settle in {ROUNDS} rounds; give a prior, e.g. 0.5.")


def _wins(suite: Suite) -> tuple[np.ndarray, np.ndarray]:
    """Wins of all, (K, K), and of the resamples, (B, K, K); a table's row beats its column."""
    k, resampling = len(suite.abouts), suite.resampling
    pairs = [(a, b) for a in range(k) for b in range(a + 1, k)]
    values = np.array([suite.wins_U(a, b) for a, b in pairs]).reshape(len(pairs), -1)
    rate_P = np.clip(resampling.mean(values), 0, 1) if pairs else np.zeros(0)
    drawn_P_B = np.clip(resampling.drawn(values)[:, :RESAMPLES], 0, 1) if pairs else np.zeros((0, RESAMPLES))
    wins, drawn = np.zeros((k, k)), np.zeros((drawn_P_B.shape[1], k, k))
    for place, (a, b) in enumerate(pairs):
        wins[a, b], wins[b, a] = rate_P[place], 1 - rate_P[place]
        drawn[:, a, b], drawn[:, b, a] = drawn_P_B[place], 1 - drawn_P_B[place]
    return wins * resampling.units, drawn * resampling.units
