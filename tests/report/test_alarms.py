"""The alarms that the report works out again from the log are those that rang in the run."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from selfplay.guards.alarms import Alarms
from selfplay.report.alarms import guard_rows, spans
from selfplay.report.runs import read_run
from selfplay.types import Episode, Seed, Turn

SETTINGS = {
    "barren_windows": 2,
    "saturated": 0.9,
    "one_answer": 0.5,
    "cut_off": 0.4,
    "drift": {"windows": 2, "fall": 0.05, "longer": 1.2},
}
KEPT = ("vote_share", "formed", "on_topic", "answer_words")


def window(rng: random.Random) -> list[Episode]:
    """Numbers that cross every threshold now and then."""
    episodes = []
    for index in range(4):
        facts = {
            "admitted": float(rng.random() < 0.15),
            "vote_share": rng.choice([0.8, 1.0]),
            "formed": rng.choice([0.5, 1.0, 1.0]),
            "on_topic": rng.choice([0.7, 1.0, 1.0]),
            "answer_words": rng.choice([3.0, 5.0, 12.0]),
        }
        turns = [Turn("solver", "p", "t", stopped=rng.random() < 0.6) for _ in range(3)]
        elected = " ".join(rng.choice(["7", "7", "9"]) for _ in range(4))
        episodes.append(Episode(Seed(index, "a"), turns, facts, {"elected": elected}))
    return episodes


def run_with(folder: Path, rows: list[dict[str, float]]) -> Path:
    folder.mkdir()
    config = {
        "recipe": "r",
        "policy": {"base": "b"},
        "control": {"arm": "none"},
        "seed": 0,
        "max_steps": len(rows),
        "guards": {"alarms": SETTINGS},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_the_conditions_are_those_of_the_run(tmp_path, seed):
    rng, alarms = random.Random(seed), Alarms(**SETTINGS)
    rows, held = [], {}
    for step in range(1, 41):
        episodes = window(rng)
        values, _ = alarms.check(episodes)
        for name in alarms.state_dict()["raised"]:
            held.setdefault(name, []).append(step)
        means = {f"game/{name}": sum(one.facts[name] for one in episodes) / len(episodes) for name in KEPT}
        rows.append({"step": step, "time": 0.0, **values, **means})
    told = {row["guard"]: row["rang"] for row in guard_rows(read_run(run_with(tmp_path / "run", rows)))}
    names = {
        "guard/barren_windows": "barren",
        "guard/one_answer": "one_answer",
        "guard/cut_off_solver": "cut_off solver",
        "guard/formed": "drift formed",
        "guard/on_topic": "drift on_topic",
        "guard/answer_words": "drift length",
    }
    assert told == {guard: held.get(name, []) for guard, name in names.items()}
    assert sum(map(bool, told.values())) >= 4, "a test in which nothing rings says nothing"


def test_a_checkers_troubles_ring_and_counts_do_not(tmp_path):
    rows = [{"step": 1, "guard/checker_hung": 0.0, "guard/failed_judge": 3.0}, {"step": 2, "guard/checker_hung": 2.0}]
    told = {row["guard"]: row["rang"] for row in guard_rows(read_run(run_with(tmp_path / "run", rows)))}
    assert told == {"guard/checker_hung": [2], "guard/failed_judge": []}


def test_the_worst_is_the_lowest_where_falling_is_bad(tmp_path):
    rows = [{"step": s, "guard/formed": v, "game/formed": v} for s, v in enumerate([1.0, 1.0, 1.0, 0.4, 0.9], start=1)]
    (row,) = guard_rows(read_run(run_with(tmp_path / "run", rows)))
    assert (row["worst"], row["worst_step"], row["last"]) == (0.4, 4, 0.9)
    assert row["threshold"] == pytest.approx(0.95)
    assert spans(row["rang"]) == "4 to 5"
