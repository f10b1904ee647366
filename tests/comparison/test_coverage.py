"""The promise of every interval: the truth in 95 of 100 cases, give or take 1.5. The whole table: coverage.py."""

import pytest

from tests.comparison.coverage import CASES

TRIALS = {"Elo": 600, "win": 1000}
QUICK = (
    "mean, 40 problems, base at 0.33",
    "mean, 100 problems, trained to 0.90",
    "difference, 40 problems, +0.20",
    "difference, 100 problems, none",
    "difference, 206 problems, +0.20",
    "mean, strata of 6, 40, 40 problems",
    "difference, strata of 6, 40, 40 problems",
    "difference, 40 contexts of 18 tasks",
    "win rate, 100 problems",
    "quality difference, 7 requests, 32 answers",
    "win rate, 7 requests, 32 answers",
    "Elo, 100 problems, 4 contestants",
)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in QUICK], ids=lambda case: case.name)
def test_an_interval_holds_the_truth_in_95_of_100(case):
    held = case.held(TRIALS.get(case.name.split()[0], 2000))
    assert 0.935 <= held.mean() <= 0.965


def test_every_quick_case_is_a_main_one():
    assert {case.name for case in CASES if case.is_main} >= set(QUICK)
