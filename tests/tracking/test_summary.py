"""summary.json is derived from the rows, by rules that can be checked by hand."""

from selfplay.tracking.summary import is_headline, summarise
from tests.tracking.fakes import RUN

RATE = "duel/base/win_rate"


def test_first_best_last_and_the_interval_of_the_last():
    rows = [
        {"step": 0, "time": 1.0, RATE: 0.5, f"{RATE}/low": 0.4, f"{RATE}/high": 0.6, "duel/base/losses": 20.0},
        {"step": 10, "time": 2.0, RATE: 0.9, f"{RATE}/low": 0.8, f"{RATE}/high": 0.95, "duel/base/losses": 2.0},
        {"step": 15, "time": 2.5, "learner/loss": 0.1},
        {"step": 20, "time": 3.0, RATE: 0.7, f"{RATE}/low": 0.6, f"{RATE}/high": 0.8, "duel/base/losses": 9.0},
    ]
    summary = summarise(RUN, rows, {RATE: "wins and half the ties"}, seconds=3.25)
    identity = {
        "recipe": "sqlm_small",
        "name": "quickstart",
        "seed": 3,
        "control": "none",
        "steps": 20,
        "seconds": 3.25,
    }
    assert {key: summary[key] for key in identity} == identity
    assert summary["versions"] == {"selfplay": "0.1.0"}
    assert list(summary["metrics"]) == [RATE, "duel/base/losses", "learner/loss"]
    assert summary["metrics"][RATE] == {
        "first": 0.5,
        "best": 0.9,
        "last": 0.7,
        "low": 0.6,
        "high": 0.8,
        "definition": "wins and half the ties",
    }
    losses = summary["metrics"]["duel/base/losses"]
    assert (losses["first"], losses["best"], losses["last"], losses["low"]) == (20.0, None, 9.0, None)


def test_a_value_that_was_not_finite_is_never_the_best():
    rows = [{"step": step, "time": 0.0, RATE: value} for step, value in enumerate([None, 0.6, None])]
    course = summarise(RUN, rows, {}, 0.0)["metrics"][RATE]
    assert (course["first"], course["best"], course["last"]) == (None, 0.6, None)
    only_nan = summarise(RUN, rows[:1], {}, 0.0)["metrics"][RATE]
    assert only_nan["best"] is None


def test_a_run_that_recorded_nothing():
    assert (summarise(RUN, [], {}, 0.0)["steps"], summarise(RUN, [], {}, 0.0)["metrics"]) == (0, {})


def test_a_metric_that_is_itself_called_low_is_kept():
    rows = [{"step": 1, "time": 0.0, "guard/agreement/low": 0.1}]
    assert list(summarise(RUN, rows, {}, 0.0)["metrics"]) == ["guard/agreement/low"]


def test_headlines():
    assert is_headline(RATE)
    assert not is_headline("duel/base/wins")
    assert not is_headline("reward/solver/majority")
