"""Standings from files: the contract's keys, numbers counted again naively, and what may not be claimed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from selfplay.comparison.answers_file import read, read_about, write_answers
from selfplay.comparison.naming import RunOf, methods_of
from selfplay.comparison.standings import standings
from tests.comparison.made_arena import about, put, right

SQLM, BASE = {"recipe": "sqlm", "arm": "none", "base": "small"}, {"recipe": "", "arm": "base", "base": "small"}


@pytest.fixture
def arena(tmp_path: Path) -> Path:
    """Two seeds of a method, one of its random arm, another method, an earlier checkpoint, and their base."""
    for name, rate, seed in (
        ("base:small", 0.3, 0), ("sqlm-0@20", 0.5, 1), ("sqlm-0@40", 0.7, 2), ("sqlm-1@40", 0.8, 3),
        ("sqlm-random-0@40", 0.3, 4), ("serl-0@40", 0.75, 2),
    ):  # fmt: skip
        put(tmp_path, about(name), right(rate, seed=seed))
    rng = np.random.default_rng(0)
    for name, lift in (("base:small", 0), ("sqlm-0@40", 1)):
        put(tmp_path, about(name, "lists", "samples"), rng.integers(0, 4, (5, 16)) + lift)
        put(tmp_path, about(name, "books", "strata"), right(0.4 + 0.3 * lift, 24), strata=tuple("abcdefgh"))
    return tmp_path


def rows(arena: Path, contestant: str, suite: str) -> dict[str, list[float]]:
    """Request -> scores, read with nothing but pyarrow."""
    table = pq.read_table(arena / "answers" / contestant / f"{suite}.parquet").to_pylist()
    found: dict[str, list[float]] = {}
    for row in table:
        found.setdefault(row["request"], []).append(row["score"])
    return found


def naive_mean(scores: dict[str, list[float]]) -> float:
    return sum(sum(of_one) / len(of_one) for of_one in scores.values()) / len(scores)


def naive_win_rate(one: dict[str, list[float]], other: dict[str, list[float]]) -> float:
    rates = []
    for request in one:
        met = [(a, b) for a in one[request] for b in other[request]]
        rates.append(sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in met) / len(met))
    return sum(rates) / len(rates)


def test_every_list_of_the_contract_is_plain_json(arena: Path):
    found = standings(arena)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert {"suites", "final", "differences", "duels", "ratings", "unmeasured"} <= set(found)
    assert {"definition", "requests", "samples", "unit"} <= set(found["suites"]["sums"])
    assert (found["suites"]["sums"]["requests"], found["suites"]["sums"]["samples"]) == (30, 4)
    assert "not of training seeds" in found["suites"]["sums"]["definition"]


def test_the_numbers_equal_a_naive_count(arena: Path):
    found = standings(arena)
    for suite in ("sums", "lists", "books"):
        base, sqlm = rows(arena, "base-small", suite), rows(arena, "sqlm-0@40", suite)
        final = {row["recipe"] + row["arm"]: row for row in found["final"] if row["suite"] == suite}
        assert final["base"]["mean"] == pytest.approx(naive_mean(base))
        assert final["sqlmnone"]["by_seed"][0]["mean"] == pytest.approx(naive_mean(sqlm))
        duel = next(
            row for row in found["duels"] if (row["suite"], row["a"], row["b"]) == (suite, "sqlm-0@40", "base:small")
        )
        assert duel["win_rate"] == pytest.approx(naive_win_rate(sqlm, base))
        assert duel["low"] < duel["win_rate"] < duel["high"]
    pooled = next(row for row in found["final"] if row["suite"] == "sums" and row["recipe"] == "sqlm")
    assert (pooled["arm"], pooled["seeds"]) == ("none", [0, 1])
    both = [naive_mean(rows(arena, f"sqlm-{seed}@40", "sums")) for seed in (0, 1)]
    assert pooled["mean"] == pytest.approx(sum(both) / 2)
    difference = next(row for row in found["differences"] if (row["a"], row["b"], row["suite"]) == (SQLM, BASE, "sums"))
    assert difference["mean"] == pytest.approx(sum(both) / 2 - naive_mean(rows(arena, "base-small", "sums")))
    assert difference["n"] == 30
    assert difference["words"].startswith("better: +")
    assert difference["words"].endswith("in 2 of 2 seeds")


def test_who_is_compared_with_whom(arena: Path):
    found = standings(arena)
    pairs = {
        (row["a"]["recipe"] + ":" + row["a"]["arm"], row["b"]["recipe"] + ":" + row["b"]["arm"])
        for row in found["differences"]
        if row["suite"] == "sums"
    }
    assert pairs == {
        ("sqlm:none", ":base"), ("sqlm:random", ":base"), ("serl:none", ":base"), ("sqlm:none", "sqlm:random"),
        ("serl:none", "sqlm:none"),
    }  # fmt: skip
    rated = [row["contestant"] for row in found["ratings"] if row["suite"] == "sums"]
    assert set(rated) == {"base:small", "sqlm-0@20", "sqlm-0@40", "sqlm-1@40", "sqlm-random-0@40", "serl-0@40"}
    assert next(row for row in found["ratings"] if row["contestant"] == "base:small")["elo"] == 0
    met = {(row["a"], row["b"]) for row in found["duels"] if row["suite"] == "sums"}
    assert ("sqlm-0@20", "base:small") in met  # a curve over checkpoints
    assert not any("sqlm-0@20" in pair and "base:small" not in pair for pair in met)


def test_a_run_against_itself_is_no_evidence(tmp_path: Path):
    for drawn in ("requests", "samples", "strata"):
        for name in ("base:small", "sqlm-0@40", "serl-0@40"):
            put(tmp_path, about(name, drawn, drawn), right(0.6))
    found = standings(tmp_path)
    assert len(found["differences"]) == 9
    for row in found["differences"]:
        assert (row["mean"], row["low"], row["high"]) == (0, 0, 0)
        assert row["words"].startswith("no evidence: +0.0")
    assert all(row["low"] <= 0.5 <= row["high"] and row["win_rate"] == pytest.approx(0.5) for row in found["duels"])
    assert all(row["elo"] == pytest.approx(0, abs=1e-6) for row in found["ratings"])


def test_seeds_that_disagree_are_told(tmp_path: Path):
    put(tmp_path, about("base:small"), right(0.5, 60, 8))
    put(tmp_path, about("sqlm-0@40"), right(0.95, 60, 8, seed=1))
    put(tmp_path, about("sqlm-1@40"), right(0.4, 60, 8, seed=2))
    (row,) = standings(tmp_path)["differences"]
    assert row["words"].startswith("better on average, but seeds disagree")
    assert [each["seed"] for each in row["by_seed"]] == [0, 1]
    assert row["by_seed"][1]["mean"] < 0 < row["by_seed"][0]["mean"]


def test_five_differences_are_no_evidence_and_six_are(tmp_path: Path):
    for wrong, word in ((5, "no evidence"), (6, "better")):
        arena, scores = tmp_path / str(wrong), np.ones((40, 1))
        put(arena, about("sqlm-0@40"), scores.copy())
        scores[:wrong] = 0
        put(arena, about("base:small"), scores)
        (row,) = standings(arena)["differences"]
        assert row["words"].startswith(word)


def put_sweep(arena: Path, *runs: tuple[str, float], recipe: str = "sqlm", base: str = "small") -> None:
    """Contestants with a sweep's names: ``<entry>-method-seed0@40``."""
    for name, rate in runs:
        put(arena, about(name, recipe=recipe, base=base), right(rate))


def pairs_of(found: dict) -> set[tuple[str, str]]:
    return {
        (f"{row['a']['recipe']}:{row['a']['arm']}", f"{row['b']['recipe']}:{row['b']['arm']}")
        for row in found["differences"]
    }


def test_one_recipe_run_in_two_ways_is_two_methods_with_their_own_control_arms(tmp_path: Path):
    put(tmp_path, about("base:small"), right(0.3))
    put_sweep(tmp_path, ("fast-method-seed0@40", 0.5), ("slow-method-seed0@40", 0.9), ("fast-random-seed0@40", 0.3))
    put_sweep(tmp_path, ("slow-random-seed0@40", 0.3))
    assert pairs_of(standings(tmp_path)) == {
        ("fast:none", ":base"), ("fast:random", ":base"), ("slow:none", ":base"), ("slow:random", ":base"),
        ("fast:none", "fast:random"), ("slow:none", "slow:random"), ("fast:none", "slow:none"),
    }  # fmt: skip


def test_entries_of_a_sweep_are_no_seeds_of_each_other(tmp_path: Path):
    put_sweep(tmp_path, ("sqlm_small-method-seed0@40", 0.5), ("fast-method-seed7@40", 0.9), recipe="sqlm_small")
    ended = [(row["recipe"], row["seeds"]) for row in standings(tmp_path)["final"]]
    assert ended == [("fast", [7]), ("sqlm_small", [0])]


@pytest.mark.parametrize(
    ("runs", "names"),
    [
        ([("mine", 0), ("yours", 1)], {"sqlm": [0, 1]}),  # names of no sweep: seeds
        ([("mine", 0), ("yours", 0)], {"mine": [0], "yours": [0]}),
        ([("sqlm-method-seed0", 0), ("sqlm-method-seed1", 1)], {"sqlm": [0, 1]}),
        ([("x-seed0", 0), ("x-seed1", 0), ("x-seed2", 2)], {"x-seed0": [0], "x-seed1": [0], "x": [2]}),
    ],
)
def test_no_method_holds_a_seed_twice(runs, names):
    found: dict[str, list[int]] = {}
    for run, name in methods_of(RunOf(run, "sqlm", "none", "small", seed) for run, seed in runs).items():
        found.setdefault(name, []).append(dict(runs)[run])
    assert found == names


def test_two_bases_are_one_way_each(tmp_path: Path):
    for base in ("Qwen3-0.6B", "Qwen3-1.7B"):
        put_sweep(tmp_path, (f"sqlm-{base}-method-seed0@40", 0.5), (f"sqlm-{base}-random-seed0@40", 0.5), base=base)
    assert {(row["recipe"], row["base"]) for row in standings(tmp_path)["final"]} == {
        ("sqlm", "Qwen3-0.6B"),
        ("sqlm", "Qwen3-1.7B"),
    }


def test_a_seed_without_a_partner_is_left_out_and_told(tmp_path: Path):
    for name, rate in (("sqlm-0@40", 0.5), ("sqlm-1@40", 0.95), ("sqlm-random-0@40", 0.5)):
        put(tmp_path, about(name), right(rate, 60))
    (row,) = standings(tmp_path)["differences"]
    assert (row["mean"], row["low"], row["high"]) == (0, 0, 0)
    assert [each["seed"] for each in row["by_seed"]] == [0]
    assert row["words"] == "no evidence: +0.0 points [+0.0, +0.0]; without seed 1, which one side alone has"


def test_without_a_seed_in_common_all_runs_meet_all(tmp_path: Path):
    for name, rate in (("sqlm-0@40", 0.9), ("sqlm-1@40", 0.8), ("sqlm-random-2@40", 0.2)):
        put(tmp_path, about(name), right(rate, 60))
    (row,) = standings(tmp_path)["differences"]
    means = [naive_mean(rows(tmp_path, name, "sums")) for name in ("sqlm-0@40", "sqlm-1@40", "sqlm-random-2@40")]
    assert row["mean"] == pytest.approx((means[0] + means[1]) / 2 - means[2])
    assert row["by_seed"] == []
    assert row["words"].endswith("; no seed in common: all runs against all")


def test_a_run_that_went_on_ended_once(tmp_path: Path):
    put(tmp_path, about("sqlm-0@20", last=True), right(0.2))
    put(tmp_path, about("sqlm-0@40"), right(0.9))
    put(tmp_path, about("sqlm-1@40"), right(0.9))
    found = standings(tmp_path)
    (row,) = found["final"]
    assert [(each["seed"], each["step"]) for each in row["by_seed"]] == [(0, 40), (1, 40)]
    assert row["mean"] == pytest.approx(naive_mean(rows(tmp_path, "sqlm-0@40", "sums")))
    assert {(duel["a"], duel["b"]) for duel in found["duels"]} == {("sqlm-0@40", "sqlm-1@40")}
    assert "sqlm-0@20" in {rated["contestant"] for rated in found["ratings"]}, "it stays as a checkpoint"


def test_who_is_rated_0_is_named(tmp_path: Path):
    put(tmp_path, about("base:small"), right(0.3))
    put(tmp_path, about("base:large"), right(0.5))
    for name, base in (("sqlm-0@40", "large"), ("sqlm-1@40", "large"), ("serl-0@40", "small")):
        put(tmp_path, about(name, base=base), right(0.7))
        put(tmp_path, about(name, "lists", base=base), right(0.7))
    found = standings(tmp_path)
    assert {name: suite["anchor"] for name, suite in found["suites"].items()} == {"sums": "base:large", "lists": None}
    elo = {row["contestant"]: row["elo"] for row in found["ratings"] if row["suite"] == "sums"}
    assert elo["base:large"] == 0 != elo["base:small"]


def test_controls_count_in_no_standing_and_are_shown(tmp_path: Path):
    whose = about("ctx-0@40", "books", "strata")
    path = put(tmp_path, whose, right(0.5, 24), strata=tuple("abcdefgh"))
    file = read(path)
    with_rules = [
        type(one)(one.request, one.stratum, one.sample, 1.0, "?", "!", "true rules", own=False) for one in file.answers
    ]
    write_answers(path, whose, [*file.answers, *with_rules])
    found = standings(tmp_path)
    assert found["final"][0]["mean"] == pytest.approx(
        naive_mean({str(i): [a.score] for i, a in enumerate(file.answers)})
    )
    shown = {row["condition"]: row["mean"] for row in found["conditions"]}
    assert shown == {"": pytest.approx(found["final"][0]["mean"]), "true rules": 1.0}


def test_what_was_not_measured_is_said(tmp_path: Path):
    put(tmp_path, about("base:small"), right(0.5))
    metric = {"name": "yardstick/mine/x", "value": 1.0, "low": None, "high": None, "definition": "d"}
    write_answers(tmp_path / "answers" / "a" / "sums.parquet", about("sqlm-0@40", unmeasured="no words"), [])
    write_answers(tmp_path / "answers" / "b" / "mine.parquet", about("sqlm-0@40", "mine", metrics=(metric,)), [])
    found = standings(tmp_path)
    assert found["unmeasured"] == [{"contestant": "sqlm-0@40", "suite": "sums", "why": "no words"}]
    assert [row["value"] for row in found["metrics"]] == [1.0]
    assert [row["arm"] for row in found["final"]] == ["base"]


def test_an_empty_arena_has_empty_standings(tmp_path: Path):
    found = standings(tmp_path)
    assert found["suites"] == {}
    assert all(found[key] == [] for key in ("final", "differences", "duels", "ratings", "unmeasured"))


def test_contestants_who_were_not_asked_the_same_are_refused(tmp_path: Path):
    put(tmp_path, about("base:small"), right(0.5, requests=30))
    put(tmp_path, about("sqlm-0@40"), right(0.5, requests=29))
    with pytest.raises(ValueError, match=r"suite 'sums': sqlm-0@40 was not asked what base:small was"):
        standings(tmp_path)


def test_a_torn_file_is_refused_by_name_and_measured_again(tmp_path: Path):
    path = put(tmp_path, about("base:small"), right(0.5))
    path.write_bytes(path.read_bytes()[:-20])
    assert read_about(path) is None
    with pytest.raises(ValueError, match=r"sums\.parquet is no file of answers"):
        standings(tmp_path)
