"""Judges as strategies: the truth by hand, and a sampler that plays the role judge."""

from __future__ import annotations

import pytest

from selfplay.evaluation.judges import SampledJudge, Showing, TruthJudge
from selfplay.types import Judgment, Request
from tests.noting import Noting

REQUEST = Request("list animals", "animals", "animals")


def showing(first_text: str, second_text: str, item: str = "7/0-0") -> Showing:
    return Showing(REQUEST, "x", "y", first_text, second_text, item)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("aaa", "a", "first"),
        ("", "a", "second"),
        ("b", "a", "tie"),
        ("?", "a", None),
        ("a", "?", None),
        ("?", "?", None),
    ],
)
def test_the_truth_compares_qualities_and_an_unknown_one_is_unreadable(first, second, verdict):
    judge = TruthJudge(lambda request, text: None if text == "?" else float(len(text)), "length")
    assert judge.judge([showing(first, second)]) == [Judgment("x", "y", verdict, "7/0-0")]
    assert judge.name == "ground truth (length)"


def test_the_truth_is_asked_about_the_request():
    judge = TruthJudge(lambda request, text: float(request.about == text), "naming")
    assert judge.judge([showing("animals", "tools")])[0].winner == "x"


def test_a_sampled_judge_is_any_sampler_in_the_role_judge():
    sampler = Noting({"judge": ["A", "B", "who knows"]})
    judge = SampledJudge(
        sampler,
        "a script",
        ask=lambda request, first, second: f"{request.shown}: {first} or {second}",
        read=lambda text: {"A": "first", "B": "second"}.get(text),  # type: ignore[arg-type,return-value]
    )
    shown = [showing("cat", "dog", "1"), showing("dog", "cat", "1"), showing("", "", "2")]
    assert judge.judge(shown) == [
        Judgment("x", "y", "first", "1"),
        Judgment("x", "y", "second", "1"),
        Judgment("x", "y", None, "2"),
    ]
    assert sampler.calls == [("judge", ["animals: cat or dog", "animals: dog or cat", "animals:  or "], 1)]
    assert judge.name == "a script (its role judge, one verdict at temperature 0)"
