"""Bradley-Terry strengths against closed forms, the likelihood's own condition, and matrices without a maximum."""

from __future__ import annotations

import math
import random

import pytest

from selfplay.evaluation.bradley_terry import beats, bradley_terry
from selfplay.evaluation.pairwise import Wins, win_matrix
from selfplay.types import Judgment


@pytest.mark.parametrize(("won", "lost"), [(3, 1), (1, 1), (0.5, 9.5), (99, 1)])
def test_two_contestants_have_the_odds_of_their_wins(won, lost):
    strengths = bradley_terry({"x": {"y": won}, "y": {"x": lost}})
    assert strengths["x"] / strengths["y"] == pytest.approx(won / lost)
    assert math.prod(strengths.values()) == pytest.approx(1)
    assert beats(strengths, "x", "y") == pytest.approx(won / (won + lost))


def test_true_strengths_are_found_again():
    true = {"w": 8.0, "x": 2.0, "y": 1.0, "z": 0.25}
    wins: Wins = {a: {b: 100 * true[a] / (true[a] + true[b]) for b in true if b != a} for a in true}
    scale = math.prod(true.values()) ** 0.25
    assert bradley_terry(wins) == pytest.approx({name: strength / scale for name, strength in true.items()})


def test_at_the_maximum_expected_wins_are_the_wins():
    rng = random.Random(1)
    names = "abcdef"
    wins: Wins = {one: {two: float(rng.randint(0, 9)) for two in names if two != one} for one in names}
    strengths = bradley_terry(wins)
    for one in names:
        expected = sum((wins[one][two] + wins[two][one]) * beats(strengths, one, two) for two in wins[one])
        assert expected == pytest.approx(sum(wins[one].values()), abs=1e-6)


def test_ties_are_half_wins():
    tied = win_matrix([Judgment("x", "y", "tie")] * 2 + [Judgment("x", "y", "first")] * 2)
    assert bradley_terry(tied)["x"] ** 2 == pytest.approx(3)


def test_pairs_that_never_met_are_linked_by_others():
    chain: Wins = {"x": {"y": 2, "z": 0}, "y": {"x": 1, "z": 2}, "z": {"x": 0, "y": 1}}
    strengths = bradley_terry(chain)
    assert strengths["x"] / strengths["z"] == pytest.approx(4)


@pytest.mark.parametrize(
    "wins",
    [
        {"x": {"y": 3}, "y": {"x": 0}},
        {"x": {"y": 0}, "y": {"x": 0}},
        {"x": {"y": 1, "z": 1}, "y": {"x": 1, "z": 1}, "z": {"x": 0, "y": 0}},  # z never won
        {"x": {"y": 1, "z": 0}, "y": {"x": 1, "z": 0}, "z": {"x": 0, "y": 2}},  # z never lost
    ],
)
def test_without_a_maximum_it_says_so_and_a_prior_mends_it(wins):
    with pytest.raises(ValueError, match=r"no maximum: .*give a prior, e\.g\. 0\.5"):
        bradley_terry(wins)
    strengths = bradley_terry(wins, prior=0.5)
    assert all(0 < strength < math.inf for strength in strengths.values())
    if len(wins) == 2 and wins["x"]["y"]:
        assert strengths["x"] / strengths["y"] == pytest.approx(3.5 / 0.5)


@pytest.mark.parametrize(("wins", "prior"), [({}, 0.0), ({"x": {}}, 0.0), ({"x": {"y": 1}, "y": {"x": 1}}, -1.0)])
def test_what_cannot_be_fitted_is_refused(wins, prior):
    with pytest.raises(ValueError, match="needs two contestants and a prior from 0"):
        bradley_terry(wins, prior)


def test_too_few_rounds_are_not_passed_off_as_a_result():
    wins: Wins = {"x": {"y": 2, "z": 1}, "y": {"x": 1, "z": 5}, "z": {"x": 1, "y": 2}}
    with pytest.raises(ValueError, match="did not settle in 2 rounds"):
        bradley_terry(wins, most_rounds=2)
