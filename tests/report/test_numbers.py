"""numbers.json against a second reading of the run folders: plain json and pyarrow, nothing of the report."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

import pyarrow.parquet as pq
import pytest

from selfplay.report import write_report
from selfplay.report.tables import unmeasured
from tests.report.made import PASS, made_run
from tests.report.made_standings import standings


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    arms = [("none", 0, 0.5), ("none", 1, 0.4), ("random", 0, 0.0), ("random", 1, 0.02)]
    return [made_run(folder / f"{arm}-{seed}", arm, seed, gain) for arm, seed, gain in arms]


@pytest.fixture(scope="module")
def numbers(runs, tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("report")
    write_report(out, runs, None, "Test")
    return json.loads((out / "numbers.json").read_text())


def rows_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def panel(numbers: dict, metric: str) -> dict:
    (found,) = [panel for panel in numbers["curves"] if panel["metric"] == metric]
    return found


def test_every_point_of_every_curve_is_in_metrics_jsonl(runs, numbers):
    told = {run.name: rows_of(run) for run in runs}
    points = 0
    for one in numbers["curves"]:
        metric = one["metric"]
        for run in (run for arm in one["arms"] for run in arm["runs"]):
            expected = [
                [row["step"], row[metric], row.get(f"{metric}/low"), row.get(f"{metric}/high")]
                for row in told[run["run"]]
                if metric in row
            ]
            assert run["points"] == expected
            points += len(expected)
    recorded = {name for rows in told.values() for row in rows for name in row if not name.endswith(("/low", "/high"))}
    drawn = {one["metric"] for one in numbers["curves"]}
    kept_out = {"step", "time", "game/difficulty_0", "game/difficulty_1", "perf/play_seconds"}
    assert recorded - drawn == kept_out | {"perf/endpoint/judge/calls", "perf/endpoint/judge/replayed"}
    assert points > 80


def test_the_mean_is_over_seeds_from_the_lowest_to_the_highest(runs, numbers):
    entry = panel(numbers, PASS)["arms"][0]
    assert entry["arm"] == "sqlm_small"
    values = [[row[PASS] for row in rows_of(run) if PASS in row] for run in runs[:2]]
    for (step, mean, low, high), one, other in zip(entry["mean"], *values, strict=True):
        assert step in (0, 2, 4)
        assert (mean, low, high) == pytest.approx((fmean([one, other]), min(one, other), max(one, other)))


def test_cost_is_what_the_episode_store_holds(runs, numbers):
    for run, cost in zip(runs, numbers["cost"], strict=True):
        stored = [row for file in (run / "episodes").glob("*.parquet") for row in pq.read_table(file).to_pylist()]
        assert cost["turns"] == len(stored)
        assert cost["tokens"] == sum(row["tokens"] or 0 for row in stored)
        assert cost["episodes"] == len({(row["step"], row["seed"]) for row in stored}) == 8
        assert cost["seconds"] == pytest.approx(rows_of(run)[-1]["time"], abs=0.06)
        assert (cost["play_seconds"], cost["learn_seconds"], cost["calls"], cost["judgments"]) == (6.0, None, 12.0, 0)


def test_difficulty_is_the_mean_over_seeds(numbers):
    found = numbers["difficulty"][0]
    assert (found["arm"], found["buckets"], found["steps"]) == ("sqlm_small", [0, 1], [1, 2, 3, 4])
    assert found["counts"] == [[1.0, 3.0 * step] for step in (1, 2, 3, 4)]


def test_differences_follow_from_the_measurements(numbers):
    def finding(of: str, against: str, metric: str) -> dict:
        (found,) = [
            one for one in numbers["findings"] if (one["of"], one["against"], one["metric"]) == (of, against, metric)
        ]
        return found

    start = finding("sqlm_small", "its start", PASS)
    half = (0.05**2 + 0.05**2) ** 0.5  # Newcombe: both measurements reach 0.05 to either side
    assert (start["mean"], start["low"], start["high"]) == pytest.approx((0.45, 0.45 - half, 0.45 + half))
    assert start["words"] == "better: +45.0 points [+37.9, +52.1]"
    assert [one["mean"] for one in start["by_seed"]] == pytest.approx([0.5, 0.4])
    control = finding("sqlm_small", "sqlm_small, random reward", PASS)
    assert control["mean"] == pytest.approx(fmean([0.8 - 0.3, 0.71 - 0.33]))
    duel = finding("sqlm_small", "an even match", "duel/base/win_rate")
    assert (duel["mean"], duel["low"]) == pytest.approx((fmean([0.8, 0.71]) - 0.5, fmean([0.7, 0.61]) - 0.5))
    null = finding("sqlm_small, random reward", "its start", PASS)
    assert null["judgement"] == "no evidence"


def test_the_verdict_counts_the_words(numbers):
    told = [(line["of"], line["against"], line["judgement"], line["verdict"]) for line in numbers["verdict"]]
    assert told == [
        ("sqlm_small", "its start", "better", "better on 2 of 2 measures"),
        ("sqlm_small", "sqlm_small, random reward", "better", "better on 2 of 2 measures"),
        ("sqlm_small, random reward", "its start", "worse", "worse on 1 of 2 measures"),  # 0.3 is below an even match
    ]
    assert "no evidence on arithmetic: pass@1 +1.0 points [" in numbers["verdict"][2]["example"]


def test_a_method_against_a_copy_of_itself_says_no_evidence(runs, tmp_path):
    """The control's name alone differs: same numbers, so nothing may be found."""
    twin = made_run(tmp_path / "twin", "random", 0, 0.5)
    write_report(tmp_path / "out", [runs[0], twin], None, "Test")
    numbers = json.loads((tmp_path / "out" / "numbers.json").read_text())
    said = [one for one in numbers["findings"] if one["kind"] == "control"]
    assert [one["judgement"] for one in said] == ["no evidence"] * 2
    assert all(one["mean"] == 0 for one in said)


def test_the_arena_is_told_as_standings_has_it(tmp_path):
    runs = [made_run(tmp_path / "sqlm-0"), made_run(tmp_path / "sqlm-random-0", "random", gain=0.0)]
    write_report(tmp_path / "out", runs, standings(), "Arena")
    numbers = json.loads((tmp_path / "out" / "numbers.json").read_text())
    given = standings()
    assert numbers["arena"]["suites"] == given["suites"]
    for told, row in zip(numbers["arena"]["final"], given["final"], strict=True):
        assert row.items() <= told.items()
    for told, row in zip(numbers["arena"]["differences"], given["differences"], strict=True):
        assert [told[key] for key in ("mean", "low", "high", "words")] == [
            row[k] for k in ("mean", "low", "high", "words")
        ]
    kinds = [row["kind"] for row in numbers["arena"]["differences"]]
    assert kinds == ["start", "control", "start", "method"]
    assert panel(numbers, "arena/arithmetic/elo")["arms"][0]["mean"] == [
        [2, 70.0, -10.0, 300.0],
        [4, 150.0, -10.0, 300.0],
    ]
    wins = panel(numbers, "arena/arithmetic/win_rate")["arms"]
    assert [(entry["arm"], entry["mean"]) for entry in wins] == [
        ("sqlm_small", [[2, 0.6, 0.4, 0.9], [4, 0.7, 0.4, 0.9]])
    ]
    assert numbers["verdict"][0] == {
        "of": "sqlm_small",
        "against": "untrained base small",
        "judgement": "better",
        "verdict": "better",
        "example": "arithmetic +50.0 points [+40.0, +60.0]",
    }


def test_two_runs_of_one_seed_are_two_policies(tmp_path):
    runs = [made_run(tmp_path / name, gain=gain) for name, gain in (("mine", 0.5), ("yours", 0.0))]
    write_report(tmp_path / "out", runs, None, "Test")
    numbers = json.loads((tmp_path / "out" / "numbers.json").read_text())
    assert [run["label"] for run in numbers["runs"]] == ["mine", "yours"]
    assert [(entry["arm"], len(entry["runs"])) for entry in panel(numbers, PASS)["arms"]] == [("mine", 1), ("yours", 1)]
    assert {line["of"] for line in numbers["verdict"]} == {"mine", "yours"}


def test_a_method_that_trains_no_weights_says_so_in_its_name(tmp_path):
    runs = [made_run(tmp_path / name, recipe=name) for name in ("frozen", "trained", "other")]
    for run, learns in zip(runs, ("[]", "[reasoner]"), strict=False):
        config = run / "config.yaml"
        config.write_text(f"{config.read_text()}game: {{learns: {learns}}}\n")
    write_report(tmp_path / "out", runs, None, "Test")
    numbers = json.loads((tmp_path / "out" / "numbers.json").read_text())
    labels = ["frozen (weights frozen)", "trained", "other"]
    assert [run["label"] for run in numbers["runs"]] == labels
    assert list(dict.fromkeys(line["of"] for line in numbers["verdict"])) == labels


def test_what_could_not_be_asked_is_told_once_a_policy():
    rows = [{"contestant": name, "suite": "s", "why": "w"} for name in ("base:small", "a@2", "a@4", "b@4")]
    runs = [{"run": name, "label": "sqlm"} for name in "ab"]
    table = unmeasured({"runs": runs, "arena": {"unmeasured": rows}})
    assert table.rows == [["s", "base:small; sqlm", "w"]]


def test_runs_that_are_no_repetitions_and_runs_still_going_are_named(tmp_path):
    one, other = made_run(tmp_path / "a", seed=0), made_run(tmp_path / "b", seed=1, finish=False, steps=2)
    config = other / "config.yaml"
    config.write_text(config.read_text().replace("base: small", "base: small\n  rank: 16"))
    write_report(tmp_path / "out", [one, other], None, "Test")
    warnings = json.loads((tmp_path / "out" / "numbers.json").read_text())["warnings"]
    assert "b (step 2 of 4)" in warnings[0]
    assert "differ in more than their seed (policy.rank)" in warnings[1]
