"""Elo of many tables at once is what the package's Bradley-Terry says of each."""

import math

import numpy as np
import pytest

from selfplay.comparison.rating import elos
from selfplay.evaluation.bradley_terry import bradley_terry


def test_newton_and_minorise_maximise_agree():
    wins = np.random.default_rng(0).random((3, 6, 6)) * 20
    wins[0, 2, :] = 0  # never won: the prior gives a number all the same
    wins *= 1 - np.eye(6)
    for table, elo in zip(wins, elos(wins, anchor=1), strict=True):
        plain = {a: {b: float(table[a, b]) for b in range(6) if b != a} for a in range(6)}
        strengths = bradley_terry(plain, prior=0.5)
        assert elo.tolist() == pytest.approx(
            [400 * math.log10(strengths[k] / strengths[1]) for k in range(6)], abs=1e-4
        )


def test_who_always_wins_gets_a_number():
    wins = np.array([[[0.0, 500.0], [0.0, 0.0]]])
    (elo,) = elos(wins, anchor=1)
    assert elo.tolist() == pytest.approx([400 * math.log10(500.5 / 0.5), 0], abs=1e-6)
