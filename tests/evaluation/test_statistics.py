"""Hand-worked tables, and simulations of what an interval promises: to hold the truth in 95 of 100 cases."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.evaluation.statistics import (
    bootstrap_mean,
    expanded_tail,
    mean_interval,
    pass_at_k,
    plurality,
    student_quantile,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (8, 10, 0.4902, 0.9433),
        (10, 10, 0.7225, 1.0),
        (50, 100, 0.4038, 0.5962),
        (2.5, 5, 0.1704, 0.8296),  # ties make halves: (0.5 + 0.38416) / 1.76832 = 0.5, margin 0.58280 / 1.76832
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_table(successes, n, low, high):
    assert wilson(successes, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize("successes", [-1, 11])
def test_wilson_refuses_impossible_counts(successes):
    with pytest.raises(ValueError, match="between 0 and n=10"):
        wilson(successes, 10)


@pytest.mark.parametrize(("degrees", "table"), [(6, 2.4469), (10, 2.2281), (20, 2.0860), (60, 2.0003), (120, 1.9799)])
def test_student_quantile_table(degrees, table):
    assert student_quantile(0.975, degrees) == pytest.approx(table, abs=5e-4)


def test_expanded_tail_by_hand():
    # n = 20: t(0.975, 19) = 2.0930, times sqrt(20 / 19) = 2.1474; the normal tail beyond 2.1474 is 0.01588
    assert expanded_tail(20) == pytest.approx(0.01588, abs=2e-5)


def test_bootstrap_of_two_values_spans_them():
    assert bootstrap_mean([0.0, 1.0], seed=3) == (0.0, 1.0)


def test_bootstrap_is_the_same_for_the_same_seed_only():
    values = [0.0, 0.125, 0.5, 0.5, 0.875, 1.0, 0.25]
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)
    assert bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)


def test_bootstrap_width_matches_the_normal_one_for_many_values():
    values = [0.0, 1.0] * 500  # standard error 0.5 / sqrt(1000) = 0.01581, times 1.96 = 0.0310
    low, high = bootstrap_mean(values, resamples=20_000)
    assert (low, high) == (pytest.approx(0.469, abs=0.0015), pytest.approx(0.531, abs=0.0015))


def test_bootstrap_refuses_nothing():
    with pytest.raises(ValueError, match="empty"):
        bootstrap_mean([])


def test_mean_interval_never_claims_certainty():
    assert mean_interval([0.0] * 6) == wilson(0, 6)
    assert mean_interval([1.0] * 6)[0] == pytest.approx(0.6097, abs=5e-5)  # 1 / (1 + 3.8416 / 6)


@pytest.mark.parametrize("n", [20, 86])
def test_bootstrap_covers_the_truth_in_95_of_100(n):
    """Problems of unlike difficulty, 8 samples each, as a yardstick sees them; the true mean is 0.5."""
    rng = np.random.default_rng(0)
    trials, held = 2000, 0
    for trial in range(trials):
        difficulty = rng.beta(0.8, 0.8, size=n)
        low, high = bootstrap_mean((rng.binomial(8, difficulty) / 8).tolist(), seed=trial, resamples=1000)
        held += low <= 0.5 <= high
    assert held / trials == pytest.approx(0.95, abs=0.015)


def test_wilson_covers_the_truth_in_95_of_100():
    right = np.random.default_rng(0).binomial(86, 0.3, size=20_000)
    held = [low <= 0.3 <= high for low, high in (wilson(int(count), 86) for count in right)]
    assert sum(held) / len(held) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(("n", "right", "k"), [(8, 0, 3), (8, 3, 1), (6, 2, 3), (5, 4, 2), (5, 5, 5)])
def test_pass_at_k_counts_all_draws(n, right, k):
    draws = list(combinations([True] * right + [False] * (n - right), k))
    assert pass_at_k(n, right, k) == pytest.approx(sum(map(any, draws)) / len(draws))


@pytest.mark.parametrize(("n", "right", "k"), [(8, 9, 1), (8, 1, 9), (8, 1, 0), (8, -1, 1)])
def test_pass_at_k_refuses_impossible_counts(n, right, k):
    with pytest.raises(ValueError, match=r"pass@k needs"):
        pass_at_k(n, right, k)


@pytest.mark.parametrize(
    ("answers", "winner"),
    [
        (["7", "8", "8"], "8"),
        (["7", "8", "8", "7"], "7"),  # a tie goes to the first met
        ([None, None, None, "9"], "9"),  # unreadable answers have no vote
        ([None, None], None),
        ([], None),
    ],
)
def test_plurality(answers, winner):
    assert plurality(answers) == winner


@given(st.lists(st.one_of(st.none(), st.text(max_size=2)), max_size=12))
def test_plurality_is_never_beaten(answers):
    winner = plurality(answers)
    assert (winner is None) == all(answer is None for answer in answers)
    assert all(answers.count(winner) >= answers.count(other) for other in answers if other is not None)
