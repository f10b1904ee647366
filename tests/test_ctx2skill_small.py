"""recipe=ctx2skill_small as a user types it: mined, measured, stored, and not a weight moved."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from selfplay import cli
from selfplay.configuration import build, compose
from selfplay.tracking.metrics_file import read_rows, timeless

SHORT = [
    "domain.n=2", "game.rounds=1", "max_steps=1", "seeds.per_window=2",
    "evaluation.yardsticks.contexts.tasks=6", "tracking.wandb=disabled",
]  # fmt: skip
ARMS = ("solved", "solved_no_skill", "solved_true_skill", "solved_random_rule", "solved_random_rules",
        "solved_other_context")  # fmt: skip


RECIPE = "ctx2skill_small"


def start(folder: Path, *words: str, launcher: Sequence[str] = (), recipe: str = RECIPE) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    verb = ["-m", "selfplay.train", f"recipe={recipe}"]
    command = [sys.executable, *launcher, *verb, *SHORT, f"output_dir={folder}", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def train(folder: Path, *words: str, launcher: Sequence[str] = (), recipe: str = RECIPE) -> str:
    process = start(folder, *words, launcher=launcher, recipe=recipe)
    said, _ = process.communicate(timeout=280)
    assert process.returncode == 0, said
    return said


def metrics(run: Path) -> dict[str, dict]:
    found = json.loads((run / "summary.json").read_text())["metrics"]
    return {name: course for name, course in found.items() if not name.startswith("perf/")}


def skills(run: Path) -> dict[str, bytes]:
    folder = run / "skills"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def remembered(run: Path) -> dict[str, str]:
    """The chosen skill of each context in the last checkpoint, which is the one that the store holds."""
    (checkpoint,) = (run / "checkpoints").glob("step-*")
    memory = json.loads((checkpoint / "state.json").read_text())["game"]["skills"]
    for context, text in memory.items():
        stored = run / "skills" / context / "SKILL.md"
        assert (stored.read_text() if stored.exists() else "") == text
    return memory


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("short")
    assert "warning" not in train(folder)
    return folder / "ctx2skill_small"


def test_the_summary_holds_every_arm_and_the_paired_gains(run):
    found = metrics(run)
    for arm in ARMS:
        course = found[f"yardstick/contexts/{arm}"]
        assert course["low"] <= course["last"] <= course["high"]
        assert "12 held-out tasks of 2 contexts" in course["definition"]
    gain = found["yardstick/contexts/gain_over_random_rule"]["last"]
    solved, control = (found[f"yardstick/contexts/{arm}"]["last"] for arm in ("solved", "solved_random_rule"))
    assert gain == pytest.approx(solved - control)


def test_nobody_has_a_skill_before_the_first_window(run):
    first, last = (row for row in read_rows(run / "metrics.jsonl") if "yardstick/contexts/solved" in row)
    assert (first["step"], last["step"]) == (0, 1)
    assert first["yardstick/contexts/solved"] == first["yardstick/contexts/solved_no_skill"]
    assert first["yardstick/contexts/gain_over_no_skill"] == 0
    assert first["yardstick/contexts/solved_no_skill"] == last["yardstick/contexts/solved_no_skill"]  # frozen weights


def test_no_weight_moves_and_no_figure_says_so(run):
    config = compose([f"recipe={RECIPE}", *SHORT])
    policy = build(config, "policy", roles=build(config, "game").roles)
    policy.save(run.parent / "fresh")
    file = "shared/adapter_model.safetensors"
    assert (run / "adapters" / file).read_bytes() == (run.parent / "fresh" / file).read_bytes()
    assert not any(tensor.any() for name, tensor in load_file(run / "adapters" / file).items() if "lora_B" in name)
    state = torch.load(next((run / "checkpoints").glob("step-*")) / "optimizer.pt", weights_only=True)
    assert not any(moment["exp_avg"].any() for moment in state["state"].values())
    for row in read_rows(run / "metrics.jsonl"):
        told = {name: value for name, value in row.items() if name.startswith("learner/")}
        assert not any(told.values())
        assert not any(name.startswith(("learner/weight/", "reward/")) for name in row)


def test_its_skills_can_be_listed(run, capsys):
    assert cli.main(["skills", "list", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert set(remembered(run)) == {line.split()[0] for line in lines[1:]}


def test_a_second_run_moves_the_first_aside_and_says_the_same(run):
    before = skills(run)
    assert "held an earlier run" in train(run.parent)
    assert skills(run) == before == skills(run.parent / "ctx2skill_small.1")
    assert metrics(run) == metrics(run.parent / "ctx2skill_small.1")


def test_ctrl_c_and_a_resume_come_to_the_same_summary(tmp_path):
    words = ["domain.n=6", "max_steps=6", "seeds.per_window=1"]
    train(tmp_path, "run_name=whole", *words)
    process = start(tmp_path, "run_name=broken", *words)
    rows, deadline = tmp_path / "broken" / "metrics.jsonl", time.monotonic() + 120
    while len(read_rows(rows) if rows.exists() else []) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "resuming" in train(tmp_path, "run_name=broken", "resume=auto", *words)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert metrics(whole) == metrics(broken)
    assert skills(whole) == skills(broken)
    one, other = ([timeless(row) for row in read_rows(run / "metrics.jsonl")] for run in (whole, broken))
    assert one == other


def test_two_processes_know_each_other_s_skills(tmp_path):
    train(tmp_path, launcher=["-m", "torch.distributed.run", "--nproc_per_node", "2"])
    assert len(remembered(tmp_path / "ctx2skill_small")) == 2
    assert "yardstick/contexts/gain_over_random_rule" in metrics(tmp_path / "ctx2skill_small")
