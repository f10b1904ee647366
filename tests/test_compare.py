"""The comparison of finished runs: means over seeds, intervals, and runs that are not finished."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from selfplay.compare import _names_a_sweep, main, read_run, tables


def finished_run(folder: Path, arm: str, seed: int, last: float | None, base: str = "small") -> Path:
    folder.mkdir(parents=True)
    course = {"first": 0.3, "best": last, "last": last, "low": 0.5, "high": 0.9, "definition": "share right"}
    internal = {"first": 1.0, "best": None, "last": 2.0, "low": None, "high": None, "definition": ""}
    summary = {
        "recipe": "sqlm_small",
        "seed": seed,
        "steps": 40,
        "seconds": 61.4,
        "versions": {},
        "metrics": {"yardstick/arithmetic/pass@1": course, "role/solver/entropy": internal},
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "config.yaml").write_text(f"policy: {{base: {base}}}\ncontrol: {{arm: {arm}}}\n")
    return folder


def test_arms_are_means_over_seeds_in_a_fixed_order(tmp_path: Path):
    runs = [
        finished_run(tmp_path / "c", "random", 0, 0.25),
        finished_run(tmp_path / "b", "none", 1, 0.9),
        finished_run(tmp_path / "a", "none", 0, 0.8),
        finished_run(tmp_path / "d", "truth", 0, 0.85),
    ]
    lines = tables([read_run(run) for run in runs]).splitlines()
    assert lines[2] == "| recipe | base | arm | seeds | steps | arithmetic pass@1 |"
    assert lines[4] == "| sqlm_small | small | method | 2 | 40 | 0.300 -> 0.850 (0.800 to 0.900) |"
    assert lines[5].startswith("| sqlm_small | small | truth | 1 |")
    assert lines[6].startswith("| sqlm_small | small | random | 1 |")
    assert "| sqlm_small | small | method | 1 | 61 | 0.300 -> 0.900 [0.500, 0.900], best 0.900 |" in lines
    assert lines[-1] == "- arithmetic pass@1: share right"


def test_bases_are_kept_apart_and_named_by_their_folder(tmp_path: Path):
    runs = [
        finished_run(tmp_path / "a", "none", 0, 0.8),
        finished_run(tmp_path / "b", "none", 0, 0.6, base=str(tmp_path / "mine")),
    ]
    text = tables([read_run(run) for run in runs])
    assert "| sqlm_small | mine | method | 1 | 40 | 0.300 -> 0.600" in text
    assert "| sqlm_small | small | method | 1 | 40 | 0.300 -> 0.800" in text


def test_a_value_that_was_not_finite_is_said(tmp_path: Path):
    text = tables([read_run(finished_run(tmp_path / "a", "none", 0, None))])
    assert "0.300 -> not finite" in text


def test_the_verb_writes_the_table_and_leaves_out_what_is_unfinished(tmp_path: Path, capsys):
    run = finished_run(tmp_path / "a", "none", 0, 0.8)
    (tmp_path / "half").mkdir()
    target = tmp_path / "table.md"
    assert main([str(run), "--write", str(target)]) == 0
    assert target.read_text() == capsys.readouterr().out
    assert main([str(run), str(tmp_path / "half")]) == 1
    assert "left out" in capsys.readouterr().err
    assert main([str(tmp_path / "half")]) == 1
    assert main(["--wrte", "x"]) == 2


def test_the_verb_writes_a_report_of_the_runs_that_are_finished(tmp_path: Path, capsys, monkeypatch):
    asked = []
    fake = ModuleType("selfplay.report")
    vars(fake)["write_report"] = lambda *given: asked.append(given) or tmp_path / "report.html"
    monkeypatch.setitem(sys.modules, "selfplay.report", fake)
    run = finished_run(tmp_path / "a", "none", 0, 0.8)
    assert main([str(run), str(tmp_path / "half"), "--report", str(tmp_path / "out")]) == 1
    assert asked == [(tmp_path / "out", [run], None, "out")]
    assert f"report: {tmp_path / 'report.html'}" in capsys.readouterr().out


@pytest.mark.parametrize("error", [ValueError("table.md was written\nby somebody"), OSError(28, "No space left")])
def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path, capsys, monkeypatch, error: Exception):
    def refuse(*given: object) -> None:
        raise error

    fake = ModuleType("selfplay.report")
    vars(fake)["write_report"] = refuse
    monkeypatch.setitem(sys.modules, "selfplay.report", fake)
    assert main([str(finished_run(tmp_path / "a", "none", 0, 0.8)), "--report", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("selfplay: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sweep"),
    [
        (["small"], True),
        (["small", "--folder", "run", "max_steps=2"], True),
        (["--dry-run", "mine.yaml"], True),
        (["smal"], True),  # which it then refuses, with the name that was meant
        (["run"], False),
        (["run", "gone"], False),
        (["run", "--write", "table.md"], False),
        ([], False),
    ],
)
def test_which_words_are_a_sweep(tmp_path: Path, monkeypatch, words, sweep):
    finished_run(tmp_path / "run", "none", 0, 0.8)
    (tmp_path / "small").mkdir()  # somebody's folder, and no run
    monkeypatch.chdir(tmp_path)
    assert _names_a_sweep(words) == sweep
