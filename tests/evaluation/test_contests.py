"""Contests by hand with scripted judges, and what the intervals promise, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from selfplay.evaluation.contests import (
    Comparison,
    Round,
    Setting,
    contest_metrics,
    finding,
    hold,
    request_interval,
    scores_of,
)
from selfplay.evaluation.judges import SampledJudge, TruthJudge
from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.statistics import bootstrap_mean, wilson
from selfplay.samplers.scripted import Scripted
from selfplay.types import Request

SETTING = Setting("now", "base", "2 requests", "2 answers of each in both orders", "a script")


def rounds(*answers: tuple[list[str], list[str]]) -> list[Round]:
    return [
        Round(str(n), Request(f"ask {n}", f"{n}"), {"now": now, "base": base})
        for n, (now, base) in enumerate(answers, start=1)
    ]


def longer() -> TruthJudge:
    return TruthJudge(lambda request, text: None if text == "?" else float(len(text)), "the longer")


def read(text: str):
    return {"A": "first", "B": "second", "T": "tie"}.get(text)


def scripted(replies: list[str]) -> SampledJudge:
    return SampledJudge(Scripted({"judge": replies}), "a script", lambda r, one, two: f"{one}|{two}", read)  # type: ignore[arg-type]


def values(comparisons, setting=SETTING) -> dict[str, float]:
    return {m.name.removeprefix("duel/base/"): m.value for m in contest_metrics(comparisons, setting)}


def test_the_truth_lets_every_answer_meet_every_one_in_both_orders():
    held = hold(rounds((["aa", "b"], ["c", "ddd"])), "now", "base", longer())
    assert [(c.pairing, c.a_first, c.score) for c in held] == [
        ("0-0", True, 1.0), ("0-0", False, 1.0), ("0-1", True, 0.0), ("0-1", False, 0.0),
        ("1-0", True, 0.5), ("1-0", False, 0.5), ("1-1", True, 0.0), ("1-1", False, 0.0),
    ]  # fmt: skip
    assert scores_of(held) == {"1": 0.375}
    assert held[2] == Comparison("1", "0-1", "ask 1", "aa", "ddd", True, 0.0)


def test_a_judge_that_costs_something_sees_matched_answers_only():
    held = hold(rounds((["a", "b"], ["c", "d", "e"])), "now", "base", scripted(["A"]))
    assert [(c.text_a, c.text_b, c.a_first, c.score) for c in held] == [
        ("a", "c", True, 1.0), ("a", "c", False, 0.0), ("b", "d", True, 1.0), ("b", "d", False, 0.0),
    ]  # fmt: skip


def test_a_request_counts_once_however_many_of_its_judgments_can_be_read():
    # request 1: won, unreadable; request 2: lost, tied: scores 1 and 1/4, whatever was left out
    held = hold(rounds((["a"], ["b"]), (["c"], ["d"])), "now", "base", scripted(["A", "?", "B", "T"]))
    assert scores_of(held) == {"1": 1.0, "2": 0.25}
    found = values(held)
    assert found["win_rate"] == found["win_rate_wilson"] == 0.625
    assert found["unreadable"] == 0.25
    assert found["ties"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("replies", "flips", "first", "rate"),
    [
        (["A", "A"], 1.0, 1.0, 0.5),  # whoever stands first wins: an order, no policy
        (["B", "B"], 1.0, 0.0, 0.5),
        (["A", "B"], 0.0, 0.5, 1.0),
        (["T", "T"], 0.0, None, 0.5),
        (["?", "?"], None, None, None),
    ],
)
def test_the_order_is_told_apart_from_the_policies(replies, flips, first, rate):
    found = values(hold(rounds((["a"], ["b"]), (["c"], ["d"])), "now", "base", scripted(replies)))
    assert (found.get("order_flips"), found.get("first_share"), found.get("win_rate")) == (flips, first, rate)


def test_a_flip_is_of_the_same_two_answers():
    # Two pairings of one request: the judge is consistent on each, though it decides them differently.
    held = hold(rounds((["a", "b"], ["c", "d"])), "now", "base", scripted(["A", "B", "B", "A"]))
    assert values(held)["order_flips"] == 0
    assert values(held)["win_rate"] == 0.5


def test_swapping_the_sides_turns_the_win_rate_round():
    held = rounds((["aa", "b"], ["c", "ddd"]), (["e"], [""]), (["?"], ["f"]))
    one = values(hold(held, "now", "base", longer()))
    other = values(hold(held, "base", "now", longer()), Setting("base", "base", "", "", ""))
    assert one["win_rate"] == pytest.approx(1 - other["win_rate"])
    assert (one["characters_a"], one["words_a"]) == (other["characters_b"], other["words_b"])


def test_a_definition_says_what_was_measured():
    for metric in contest_metrics(hold(rounds((["aa"], ["b"])), "now", "base", longer()), SETTING):
        if not metric.name.rpartition("/")[2].startswith(("characters", "words")):
            assert metric.definition.endswith(f"; {SETTING.words}"), metric.name
        assert metric.definition
    assert "2 requests, 2 answers of each in both orders, judged by a script" in SETTING.words


@pytest.mark.parametrize(
    ("low", "high", "value", "said"),
    [
        (0.4, 0.6, 0.5, "no evidence of a difference"),
        (0.5, 0.7, 0.6, "no evidence of a difference"),  # it covers 0.5 by touching it
        (0.51, 0.7, 0.6, "x is better than y"),
        (0.1, 0.49, 0.3, "y is better than x"),
        (None, None, 0.9, "no evidence of a difference"),
    ],
)
def test_what_may_be_said(low, high, value, said):
    assert finding(Metric("duel/y/win_rate", value, low, high), "x", "y").startswith(said)


def test_few_or_equal_requests_have_wilsons_interval():
    assert request_interval([1.0] * 6) == wilson(6, 6)
    assert request_interval([0.0, 1.0, 0.5]) == wilson(1.5, 3)
    assert request_interval([0.0, 1.0, 0.5] * 3) == bootstrap_mean([0.0, 1.0, 0.5] * 3)


def test_the_interval_covers_the_rate_where_judgments_come_in_clusters():
    """Requests differ in how often A wins; each is judged 8 times. Judgments taken for independent ones cover less."""
    rng = np.random.default_rng(3)
    trials, requests, judged, covered, naive = 400, 40, 8, 0, 0
    for trial in range(trials):
        chances = rng.beta(1.2, 0.8, size=requests)  # 0.6 in the mean
        scores = rng.binomial(judged, chances) / judged
        low, high = request_interval(scores.tolist(), seed=trial)
        covered += low <= 0.6 <= high
        low, high = wilson(float(scores.sum() * judged), requests * judged)
        naive += low <= 0.6 <= high
    assert 0.92 <= covered / trials <= 0.98
    assert naive / trials < 0.8
