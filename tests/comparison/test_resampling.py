"""Intervals on rows small enough to be worked out, and what holds for any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from selfplay.comparison.resampling import Resampling, strata_of
from selfplay.evaluation.statistics import wilson


@pytest.mark.parametrize(
    ("labels", "members"),
    [
        ("aabb", [[0, 1], [2, 3]]),
        ("aab", [[0, 1, 2]]),  # alone: joins the smallest other
        ("aabbbc", [[0, 1, 5], [2, 3, 4]]),
        ("aabc", [[0, 1], [2, 3]]),  # two that are alone make up one
        ("a", [[0]]),
    ],
)
def test_strata_by_hand(labels, members):
    strata = strata_of(labels)
    assert [stratum.members.tolist() for stratum in strata] == members
    assert sum(stratum.weight for stratum in strata) == pytest.approx(1)


def test_strata_leave_out_the_spread_between_them():
    values = np.array([[0.0, 0.2] * 20 + [0.8, 1.0] * 20])
    _, low, high = Resampling(strata_of("a" * 40 + "b" * 40)).intervals(values)
    _, low_all, high_all = Resampling(strata_of("a" * 80)).intervals(values)
    assert (high - low)[0] == pytest.approx(2 * 1.96 * 0.1 / np.sqrt(80), rel=0.12)
    assert (high_all - low_all)[0] == pytest.approx(2 * 1.96 * np.std(values) / np.sqrt(80), rel=0.12)


def test_all_right_does_not_prove_a_rate_of_one():
    mean, low, high = Resampling(strata_of("a" * 20)).intervals(np.ones((1, 20)), (0, 1))
    assert (mean[0], low[0], high[0]) == (1, pytest.approx(wilson(20, 20)[0]), 1)


def test_one_wrong_answer_leaves_no_bound_at_nothing():
    values = np.ones((1, 40))
    values[0, 3] = 0.875
    _, low, _ = Resampling(strata_of("a" * 40)).intervals(values, (0, 1))
    assert low[0] == pytest.approx(wilson(float(values.sum()), 40)[0])


def test_pairing_makes_differences_sharper_than_their_sides():
    rng = np.random.default_rng(0)
    base = rng.random(100)
    sides = np.stack([base, base + 0.05 + 0.01 * rng.random(100)])
    resampling = Resampling(strata_of("a" * 100))
    _, low, high = resampling.intervals(sides)
    _, low_of_both, high_of_both = resampling.intervals(sides[1:] - sides[:1])
    assert (high_of_both - low_of_both)[0] < (high - low).min() / 20


@given(arrays(np.float64, (3, 12), elements=st.integers(0, 8).map(lambda right: right / 8)))
def test_bounds_enclose_the_mean_within_the_limits(values):
    mean, low, high = Resampling(strata_of("aaaabbbbcccc"), resamples=200).intervals(values, (0, 1))
    assert np.all((low >= 0) & (low <= mean) & (mean <= high) & (high <= 1))


def test_the_same_seed_gives_the_same_bounds():
    values = np.random.default_rng(0).random((2, 15))
    one, again, other = (Resampling(strata_of("a" * 15), seed).intervals(values)[1] for seed in (0, 0, 1))
    assert one.tolist() == again.tolist() != other.tolist()
