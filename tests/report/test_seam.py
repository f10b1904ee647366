"""From the arena's files through `standings` to the report: both parts must speak of the same methods."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfplay.comparison.standings import standings
from selfplay.report import write_report
from tests.comparison.made_arena import about, put, right
from tests.report.made import made_run

QWEN = ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-1.7B")


def made_sweep(sweep: Path, entries: list[tuple[str, str, str]]) -> dict:
    """numbers.json of a sweep of ``(entry's name, recipe, base)``, each with two seeds and a random arm."""
    runs = []
    for entry, recipe, base in entries:
        put(sweep / "arena", about(f"base:{base}", base=base), right(0.3))
        for kind, rate in (("method", 0.8), ("random", 0.3)):
            for seed in (0, 1):
                name, arm = f"{entry}-{kind}-seed{seed}", "none" if kind == "method" else kind
                runs.append(made_run(sweep / name, arm, seed, recipe=recipe, base=base))
                whose = about(f"{name}@4", recipe=recipe, base=base, last=True)
                put(sweep / "arena", whose, right(rate, seed=seed))
    write_report(sweep / "report", runs, standings(sweep), "Sweep")
    return json.loads((sweep / "report" / "numbers.json").read_text())


@pytest.mark.parametrize(
    ("entries", "labels"),
    [
        ([("sqlm_small", "sqlm_small", "small"), ("serl_small", "serl_small", "small")], ["sqlm_small", "serl_small"]),
        ([("fast", "sqlm_small", "small"), ("slow", "sqlm_small", "small")], ["fast", "slow"]),
        (
            [(f"sqlm-{base.partition('/')[2]}", "sqlm", base) for base in QWEN],
            ["sqlm on Qwen3-0.6B", "sqlm on Qwen3-1.7B"],
        ),
        (
            [("one", "sqlm", "runs/a/merged"), ("two", "sqlm", "runs/b/merged")],
            ["sqlm on runs/a/merged", "sqlm on runs/b/merged"],
        ),
    ],
    ids=["recipes", "ways of one recipe", "bases", "bases that end alike"],
)
def test_the_verdict_tells_every_arm_against_all_that_it_is_held_against(tmp_path, entries, labels):
    numbers = made_sweep(tmp_path / "sweep", entries)
    told = {(line["of"], line["against"]): line["judgement"] for line in numbers["verdict"]}
    bases = {row["label"] for row in numbers["arena"]["final"] if row["arm"] == "base"}
    assert len(bases) == len({base for *_, base in entries})
    for label in labels:
        assert told[label, f"{label}, random reward"] == "better"
        (base,) = (level for of, level in told if of == label and level in bases)
        assert told[label, base] == "better"
        assert told[f"{label}, random reward", base] == "no evidence"
    assert {run["label"] for run in numbers["runs"]} == {of for of, _ in told}
    assert {row["label"] for row in numbers["arena"]["final"]} == bases | {of for of, _ in told}
    elo = next(one for one in numbers["curves"] if one["metric"] == "arena/sums/elo")
    assert elo["title"] in {f"sums: rating, {base} = 0" for base in bases}
    assert [entry["arm"] for entry in elo["arms"]] == [run["label"] for run in numbers["runs"][::2]]
