"""``selfplay evaluate``: a run's own numbers again, other suites, and mistakes that cost no model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from selfplay.comparison.answers_file import read
from selfplay.evaluate import main

FEW = [
    "evaluation.yardsticks.arithmetic.per_level=6",
    "evaluation.yardsticks.arithmetic.samples=4",
    "learner.save_every=1",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    words = ["recipe=sqlm_small", "debug=two_steps", f"output_dir={folder}", "run_name=tiny", *FEW]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "selfplay.train", *words], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "tiny"


def metrics_of(folder: Path, policy: int = 0) -> dict[str, Any]:
    return json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["policies"][policy]["metrics"]


def test_the_same_suite_gives_the_numbers_of_the_summary(run: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(run)]) == 0
    assert f"written to {run / 'evaluations' / 'arithmetic-1'}" in capsys.readouterr().out
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))["metrics"]
    found = metrics_of(run / "evaluations" / "arithmetic-1")
    outside = {name for name in summary if name.startswith(("yardstick/", "duel/"))}
    assert set(found) == outside >= {"yardstick/arithmetic/pass@1", "duel/base/win_rate"}
    for name, metric in found.items():
        course = summary[name]
        assert (metric["value"], metric["low"], metric["high"]) == (course["last"], course["low"], course["high"]), name
        assert metric["definition"] == course["definition"]
    answers = read(run / "evaluations" / "arithmetic-1" / "tiny@2.parquet").answers
    assert sum(one.score for one in answers) / len(answers) == pytest.approx(
        summary["yardstick/arithmetic/pass@1"]["last"]
    )


def test_nothing_is_overwritten_and_checkpoints_are_told_apart(run: Path, tmp_path: Path):
    assert main([str(run), "--checkpoints", "all", "--write", str(tmp_path)]) == 0
    assert main([str(run / "checkpoints" / "step-000001"), "--write", str(tmp_path)]) == 0
    first, second = tmp_path / "arithmetic-1", tmp_path / "arithmetic-2"
    assert sorted(path.name for path in first.iterdir()) == ["evaluation.json", "tiny@1.parquet", "tiny@2.parquet"]
    assert metrics_of(first, 0) == metrics_of(second)
    found = json.loads((first / "evaluation.json").read_text(encoding="utf-8"))["policies"]
    assert [(one["policy"], Path(one["adapters"]).parent.name) for one in found] == [
        ("tiny@1", "step-000001"),
        ("tiny@2", "tiny"),
    ]


def test_a_suite_of_ones_own_on_a_bare_base(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    suite = tmp_path / "small_sums.yaml"
    suite.write_text(
        "_target_: selfplay.evaluation.yardsticks.ArithmeticYardstick\n"
        "domain: {_target_: selfplay.domains.arithmetic.Arithmetic, operators: '+', digits: 1}\n"
        "samples: 2\nmax_new_tokens: 48\n"
    )
    assert main(["base", "--suite", str(suite)]) == 0
    printed = capsys.readouterr().out
    assert "base:small" in printed
    assert "held-out problems" in printed
    assert "written" not in printed
    assert [path.name for path in tmp_path.iterdir()] == ["small_sums.yaml"]


def test_mistakes_are_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for words, line in (
        ([str(tmp_path / "none")], f"{tmp_path / 'none'}: there is no such folder"),
        ([str(tmp_path)], f"{tmp_path} is no run's folder"),
        ([str(run), "--suite", "arithmatic"], "suite arithmatic is unknown; did you mean arithmetic?"),
        ([str(run), "--suite", "contexts"], "suite contexts: tiny@2 cannot be measured on it: the base small does not"),
        ([str(run), "policy=small"], "policy=small: only a bare base takes KEY=VALUE words"),
        (["base"], "base has no suite of its own; name one: --suite answers or arithmetic or contexts"),
        (["base:nowhere/at/all", "--suite", "answers"], "policy.base='nowhere/at/all' is not a folder"),
        ([], "the following arguments are required: policy"),
    ):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"selfplay: {line}")
        assert said.count("\n") == 1
