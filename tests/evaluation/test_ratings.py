"""Ratings on the Elo scale by closed forms, camps, and the intervals' promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from selfplay.evaluation.ratings import PairScores, rating_definition, ratings


def by_name(scores: PairScores, anchor: str = "z", **settings) -> dict[str, float]:
    return {rating.name: rating.elo for rating in ratings(scores, anchor, resamples=2, **settings)}


def scores(**rates: float) -> PairScores:
    """``xy=0.75``: x scores 0.75 against y on each of ten requests."""
    return {(a, b): dict.fromkeys(map(str, range(10)), rate) for (a, b), rate in rates.items()}


@pytest.mark.parametrize("rate", [0.5, 0.64, 0.75, 10 / 11])
def test_two_contestants_lie_as_far_apart_as_their_odds(rate):
    found = by_name(scores(xz=rate), prior=0)
    assert found == {"x": pytest.approx(1000 + 400 * math.log10(rate / (1 - rate))), "z": 1000}


def test_the_prior_is_added_to_both_sides_in_requests():
    assert by_name(scores(xz=1.0))["x"] == pytest.approx(1000 + 400 * math.log10(10.5 / 0.5))


def test_distances_add_up_and_the_best_comes_first():
    found = ratings(scores(xy=10 / 11, yz=0.5, xz=10 / 11), "z", prior=0, resamples=2)
    assert [(r.name, round(r.elo, 3)) for r in found] == [("x", 1400.0), ("y", 1000.0), ("z", 1000.0)]


def test_the_anchor_moves_all_alike():
    given = scores(xy=0.7, yz=0.6, xz=0.8)
    one, other = by_name(given), by_name(given, anchor="x")
    assert one["y"] - other["y"] == pytest.approx(one["x"] - 1000)
    assert other["x"] == 1000


def test_a_camp_that_won_everything_needs_the_prior():
    with pytest.raises(ValueError, match="no maximum"):
        by_name(scores(xz=1.0), prior=0)
    assert by_name(scores(xz=1.0))["x"] > 1000


@pytest.mark.parametrize(("given", "anchor"), [({}, "z"), (scores(xy=0.5), "z"), ({("x", "z"): {}}, "z")])
def test_what_cannot_be_rated_is_refused(given, anchor):
    with pytest.raises(ValueError, match="need requests and an anchor"):
        ratings(given, anchor)


def test_pairs_may_lack_requests():
    given = {("x", "z"): {"1": 1.0, "2": 0.5, "3": 0.0}, ("y", "z"): {"2": 0.5}}
    assert by_name(given) == pytest.approx({"x": 1000, "y": 1000, "z": 1000})


def test_the_interval_covers_the_distance():
    """Requests on which all of x's contests go well or badly together, as the same hard request does to a policy."""
    truth, trials, covered = 400 * math.log10(0.7 / 0.3), 60, 0
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        luck = rng.random(60)
        won = {str(n): float(u < 0.7) for n, u in enumerate(luck)}
        even = {str(n): float(w) for n, w in enumerate(rng.integers(0, 2, 60))}
        given = {("x", "y"): won, ("x", "z"): won, ("y", "z"): even}
        rated = {r.name: r for r in ratings(given, "z", prior=0, seed=trial, resamples=120)}
        covered += rated["x"].low <= 1000 + truth <= rated["x"].high
        assert (rated["z"].low, rated["z"].high) == (1000, 1000)
    assert covered / trials >= 0.88


def test_the_definition_names_prior_anchor_and_what_it_is_not():
    words = rating_definition("base", "40 requests", "the truth")
    for part in ("not online Elo", "base = 1000", "0.5 wins", "40 requests", "the truth", "bootstrap over requests"):
        assert part in words
