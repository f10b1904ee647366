"""The minimal length-controlled win rate on judges whose taste is known."""

from __future__ import annotations

import numpy as np
import pytest

from selfplay.evaluation.length_control import RIDGE, VARIANT, Row, length_controlled
from selfplay.evaluation.statistics import wilson


def judged(seed: int, requests: int, policy: float, length: float, shift: float = 0.5) -> list[Row]:
    """Verdicts drawn from the model itself: log-odds policy + length * tanh(difference / spread)."""
    rng = np.random.default_rng(seed)
    differences = rng.normal(shift, 1, size=requests) * 100
    odds = policy + length * np.tanh(differences / differences.std(ddof=1))
    won = rng.random(requests) < 1 / (1 + np.exp(-odds))
    return [(str(n), float(d), float(w)) for n, (d, w) in enumerate(zip(differences, won, strict=True))]


def raw(rows: list[Row]) -> float:
    return float(np.mean([score for _, _, score in rows]))


def test_a_judge_of_length_alone_finds_no_difference():
    rows = judged(seed=0, requests=3000, policy=0.0, length=3.0)
    found = length_controlled(rows, resamples=200)
    assert found is not None
    assert raw(rows) > 0.6
    assert found.rate == pytest.approx(0.5, abs=0.03)
    assert found.low <= 0.5 <= found.high
    assert found.length_effect == pytest.approx(3, abs=0.3)


def test_a_judge_of_quality_alone_is_left_as_it_was():
    rows = judged(seed=1, requests=3000, policy=0.8, length=0.0)
    found = length_controlled(rows, resamples=200)
    assert found is not None
    assert found.rate == pytest.approx(raw(rows), abs=0.02)
    assert found.rate == pytest.approx(1 / (1 + np.exp(-0.8)), abs=0.03)
    assert found.length_effect == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize(("policy", "length"), [(0.7, 2.0), (-1.0, 0.0), (0.0, -3.0)])
def test_swapping_the_sides_gives_the_complement(policy, length):
    rows = judged(seed=2, requests=80, policy=policy, length=length)
    one = length_controlled(rows)
    other = length_controlled([(item, -difference, 1 - score) for item, difference, score in rows])
    assert one is not None
    assert other is not None
    assert one.rate == pytest.approx(1 - other.rate, abs=1e-9)
    assert (one.low, one.high) == (pytest.approx(1 - other.high, abs=1e-6), pytest.approx(1 - other.low, abs=1e-6))


def test_without_differences_of_length_it_is_the_win_rate():
    rows: list[Row] = [(str(n), 0.0, score) for n, score in enumerate([1, 1, 0.5, 0, 1, 1, 1, 0])]
    found = length_controlled(rows)
    assert found is not None
    assert found.rate == pytest.approx(raw(rows), abs=0.002)  # drawn towards 1/2 by the ridge alone
    assert found.length_effect == 0


def test_requests_weigh_the_same_whatever_their_answers():
    """One request judged 30 times and lost, three judged twice and won."""
    rows: list[Row] = [("much", d, 0.0) for d in (-5.0, 5.0) * 15]
    rows += [(str(n), d, 1.0) for n in range(3) for d in (-5.0, 5.0)]
    found = length_controlled(rows)
    assert found is not None
    assert found.rate == pytest.approx(0.75, abs=0.01)


def test_it_is_the_maximum_of_the_penalised_likelihood():
    rows = judged(seed=4, requests=50, policy=0.3, length=1.0)
    found = length_controlled(rows, resamples=2)
    assert found is not None
    differences, scores = np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
    lengths = np.tanh(differences / differences.std(ddof=1))
    policy = np.log(found.rate / (1 - found.rate))

    def loss(policy: float, effect: float) -> float:
        odds = policy + effect * lengths
        return float((np.logaddexp(0, odds) - scores * odds).sum() + RIDGE / 2 * (policy**2 + effect**2))

    best = loss(policy, found.length_effect)
    for change in (-0.01, 0.01):
        assert loss(policy + change, found.length_effect) > best
        assert loss(policy, found.length_effect + change) > best


def test_lengths_that_cannot_be_told_from_the_policies_give_nothing_or_a_warning():
    assert length_controlled([]) is None
    assert length_controlled([("1", 7.0, 1.0), ("2", 7.0, 0.0)]) is None  # A is 7 longer everywhere
    apart = length_controlled([(str(n), 10.0 + n, float(n % 2)) for n in range(20)])
    near = length_controlled([(str(n), n - 10.0, float(n % 2)) for n in range(20)])
    assert apart is not None
    assert near is not None
    assert (apart.extrapolated, near.extrapolated) == (True, False)


def test_winning_everything_is_finite_and_has_wilsons_interval():
    found = length_controlled([(str(n), float(n - 5), 1.0) for n in range(10)])
    assert found is not None
    assert 0.95 < found.rate < 1
    assert (found.low, found.high) == wilson(10, 10)


def test_the_interval_covers_the_truth():
    """Nominally 95 of 100; the truth is the rate at equal lengths, from which the win rate itself is far away."""
    truth, trials = 1 / (1 + np.exp(-0.4)), 120
    covered = 0
    for trial in range(trials):
        found = length_controlled(judged(trial, requests=80, policy=0.4, length=2.0), seed=trial, resamples=200)
        assert found is not None
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / trials <= 0.99


def test_it_is_not_called_what_it_is_not():
    assert "minimal" in VARIANT
    assert VARIANT.endswith("not AlpacaEval LC")
