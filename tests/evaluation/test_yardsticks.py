"""Three problems, four samples each, every figure worked out by hand."""

import pytest

from selfplay.domains.arithmetic import Arithmetic
from selfplay.evaluation.statistics import bootstrap_mean, wilson
from selfplay.evaluation.yardsticks import ArithmeticYardstick
from selfplay.types import Problem
from tests.evaluation.fakes import Replies, problems

REPLIES = Replies(
    sampled={
        "solve 3+4": [">7", ">7", ">8", "7"],  # 2 of 4 right ("7" is no answer); 7 wins the vote
        "solve 27+85": [">113", ">112", ">113", ">112"],  # 2 of 4 right; a tie, and 113 came first
        "solve 10+11": ["?", "", "x" * 100_000, ">21"],  # 1 of 4 right; it wins over three unreadable ones
    },
    greedy={"solve 3+4": ">7", "solve 27+85": ">113", "solve 10+11": ">021"},  # right, wrong, right
)


@pytest.fixture
def yardstick() -> ArithmeticYardstick:
    return ArithmeticYardstick(Arithmetic(), per_level=3, samples=4, seed=5)


@pytest.fixture
def measured(yardstick):
    return yardstick.measure(REPLIES, problems=problems("3+4", "27+85", "10+11"))


def test_values_by_hand(measured):
    values = {metric.name.removeprefix("yardstick/arithmetic/"): metric.value for metric in measured.metrics}
    assert values == {
        "pass@1": pytest.approx(5 / 12),
        "greedy": pytest.approx(2 / 3),
        "maj@4": pytest.approx(2 / 3),
        "pass@4": 1.0,
        "pass@1/digits_1": 0.5,
        "greedy/digits_1": 1.0,
        "maj@4/digits_1": 1.0,
        "pass@4/digits_1": 1.0,
        "pass@1/digits_2": 0.375,
        "greedy/digits_2": 0.5,
        "maj@4/digits_2": 0.5,
        "pass@4/digits_2": 1.0,
    }


def test_what_a_duel_needs_is_kept(measured):
    assert measured.right_N == (2, 2, 1)
    assert measured.samples == 4
    assert measured.answers_N_G[2] == (None, None, None, "21")
    assert measured.greedy_N == ("7", "113", "21")
    assert [problem.key for problem in measured.problems_N] == ["3+4", "27+85", "10+11"]


def test_intervals_are_over_problems(measured):
    intervals = {metric.name: (metric.low, metric.high) for metric in measured.metrics}
    assert intervals["yardstick/arithmetic/pass@1"] == bootstrap_mean([0.5, 0.5, 0.25], seed=5)
    assert intervals["yardstick/arithmetic/pass@4"] == wilson(3, 3)


def test_definitions_say_how_to_measure_again(measured):
    definitions = {metric.name.removeprefix("yardstick/arithmetic/"): metric.definition for metric in measured.metrics}
    for word in ("n=4", "k=1", "temperature 1", "3 held-out problems", "each problem counting the same", "bootstrap"):
        assert word in definitions["pass@1"]
    assert "temperature 0" in definitions["greedy"]
    assert "met first" in definitions["maj@4"]
    assert "2 held-out problems, longest operand of 2 digits" in definitions["maj@4/digits_2"]


def test_one_call_for_samples_and_one_for_greedy(yardstick):
    sampler = Replies(REPLIES.sampled, REPLIES.greedy)
    yardstick.measure(sampler, problems=problems("3+4", "27+85"))
    assert sampler.calls == [("begin", "yardstick", "arithmetic", 5), ("solver", 2, 4, 1.0), ("solver", 2, 1, 0.0)]


def test_no_problems_still_makes_both_calls(yardstick):
    sampler = Replies({}, {})
    assert yardstick.measure(sampler, problems=[]).metrics == ()
    assert sampler.calls[1:] == [("solver", 0, 4, 1.0), ("solver", 0, 1, 0.0)]


def test_problems_are_held_out_distinct_and_the_same_for_a_seed():
    domain = Arithmetic()
    asked = ArithmeticYardstick(domain, per_level=20, seed=1).problems
    assert all(domain.is_held_out(problem) for problem in asked)
    assert len({problem.key for problem in asked}) == len(asked)
    assert [problem.level for problem in asked] == sorted(problem.level for problem in asked)
    assert asked == ArithmeticYardstick(domain, per_level=20, seed=1).problems
    assert asked != ArithmeticYardstick(domain, per_level=20, seed=2).problems


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"per_level": 0}, "per_level=0"), ({"samples": 1}, "samples=1"), ({"temperature": 0.0}, "temperature=0")],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ArithmeticYardstick(Arithmetic(), **settings)


def test_a_problem_without_truth_is_refused():
    class Truthless(Arithmetic):
        def held_out_problems(self, per_level, seed):
            return {1: [Problem("3+4", "3+4", 1, truth=None)]}

    with pytest.raises(ValueError, match="no known truth"):
        ArithmeticYardstick(Truthless())
