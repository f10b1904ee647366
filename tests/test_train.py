"""The main verb as a user types it: whole jobs on the shipped small base, in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from selfplay.tracking.metrics_file import read_rows, timeless
from selfplay.train import main
from tests.tiny import tiny_base

SMALL_WINDOWS = ("seeds.per_window=2", "game.proposals=3", "game.answers=4", "evaluation.every=0")
QUIET = ("tracking.wandb=disabled", "tracking.transcripts_every=0")


def start(folder: Path, *words: str, **popen) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "WANDB_SILENT": "true"}
    command = [sys.executable, "-m", "selfplay.train", "recipe=sqlm_small", f"output_dir={folder}", *QUIET, *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **popen}
    return subprocess.Popen(command, env=environment, **pipes)


def train(folder: Path, *words: str) -> tuple[int, str]:
    process = start(folder, *words)
    said, _ = process.communicate(timeout=280)
    return process.returncode, said


def adapters(run: Path) -> dict[str, torch.Tensor]:
    found = {}
    for path in sorted((run / "adapters").glob("*/adapter_model.safetensors")):
        found |= {f"{path.parent.name}/{name}": tensor for name, tensor in load_file(path).items()}
    return found


def assert_same_weights(one: Path, other: Path) -> None:
    expected, found = adapters(one), adapters(other)
    assert expected.keys() == found.keys() != set()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_the_same_seed_twice_is_the_same_run(tmp_path):
    for name in ("a", "b"):
        status, said = train(
            tmp_path, f"run_name={name}", "max_steps=3", *SMALL_WINDOWS[:3], "evaluation.every=3",
            "evaluation.yardsticks.arithmetic.per_level=5",
        )  # fmt: skip
        assert status == 0, said
    one, other = ([timeless(row) for row in read_rows(tmp_path / name / "metrics.jsonl")] for name in ("a", "b"))
    assert one == other
    assert len(one) == 5  # measured at 0 and 3, recorded at 1, 2 and 3
    assert_same_weights(tmp_path / "a", tmp_path / "b")


def test_ctrl_c_saves_and_a_resume_ends_where_an_unbroken_run_ends(tmp_path):
    words = ("max_steps=16", *SMALL_WINDOWS)
    assert train(tmp_path, "run_name=unbroken", *words)[0] == 0
    broken = tmp_path / "broken"
    process = start(tmp_path, "run_name=broken", *words)
    deadline = time.monotonic() + 120
    while len(read_rows(broken / "metrics.jsonl") if (broken / "metrics.jsonl").exists() else []) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "resume=auto" in said
    assert not (broken / "summary.json").exists()
    status, said = train(tmp_path, "run_name=broken", "resume=auto", *words)
    assert status == 0, said
    assert "resuming" in said
    rows = read_rows(broken / "metrics.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 17))
    expected = read_rows(tmp_path / "unbroken" / "metrics.jsonl")
    assert [timeless(row) for row in rows] == [timeless(row) for row in expected]
    assert_same_weights(tmp_path / "unbroken", broken)


def on_two_processes(folder: Path, *words: str) -> tuple[int, str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "-m", "selfplay.train"]
    command = [*launcher, "recipe=sqlm_small", f"output_dir={folder}", *QUIET, *SMALL_WINDOWS[:3], *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    return done.returncode, done.stdout + done.stderr


def test_two_processes_that_go_back_and_resume_write_the_same_record_again(tmp_path):
    words = ["max_steps=4", "learner.save_every=2", "learner.keep=9", "evaluation.every=1", "game.proposer_period=2",
             "evaluation.yardsticks.arithmetic={per_level: 3, samples: 4}", "learner.baseline=role_ema",
             "learner.scale=batch", "learner.keep_best=yardstick/arithmetic/pass@1"]  # fmt: skip
    status, said = on_two_processes(tmp_path, *words)
    assert status == 0, said
    run = tmp_path / "sqlm_small"
    expected, best = read_rows(run / "metrics.jsonl"), (run / "checkpoints" / "best.json").read_text()
    weights = adapters(run)
    status, said = on_two_processes(tmp_path, f"resume={run}/checkpoints/step-000002/", *words)
    assert status == 0, said
    assert said.count("selfplay: resuming") == 1
    rows = read_rows(run / "metrics.jsonl")
    assert [timeless(row) for row in rows] == [timeless(row) for row in expected]
    assert len(rows) == 9  # measured at 0 to 4, recorded at 1 to 4
    assert (run / "checkpoints" / "best.json").read_text() == best
    assert all(torch.equal(tensor, weights[name]) for name, tensor in adapters(run).items())
    cut = read_rows(run / "cut-1" / "metrics.jsonl")
    assert [timeless(row) for row in cut] == [timeless(row) for row in expected[-4:]]

    status, said = on_two_processes(tmp_path, "resume=auto", *words, "learner.lr=1e-3")
    assert status != 0
    (line,) = [line for line in said.splitlines() if line.startswith("selfplay:")]
    assert "'resume_allow=[learner.lr]'" in line
    assert "Loading" not in said  # no model


def test_a_finished_run_is_extended_by_resume(tmp_path):
    assert train(tmp_path, "run_name=whole", "max_steps=4", *SMALL_WINDOWS)[0] == 0
    assert train(tmp_path, "run_name=parts", "max_steps=2", *SMALL_WINDOWS)[0] == 0
    for _ in range(2):  # the second time there is nothing left to do
        status, said = train(tmp_path, "run_name=parts", "resume=auto", "max_steps=4", *SMALL_WINDOWS)
        assert status == 0, said
        assert_same_weights(tmp_path / "whole", tmp_path / "parts")
    assert json.loads((tmp_path / "parts" / "summary.json").read_text())["steps"] == 4


def test_a_proposer_of_nothing_but_garbage_ends_well_and_says_so(tmp_path):
    base = tiny_base(tmp_path / "base")
    status, said = train(tmp_path, f"policy.base={base}", "max_steps=4", *SMALL_WINDOWS)
    assert status == 0, said
    assert "no proposal was admitted in 3 windows in a row" in said
    summary = json.loads((tmp_path / "sqlm_small" / "summary.json").read_text())
    assert summary["metrics"]["game/admitted"]["last"] == 0


def test_a_frozen_proposer_plays_and_never_learns(tmp_path):
    status, said = train(tmp_path, "policy.frozen=[proposer]", "learner.kl=0.1", "max_steps=2", *SMALL_WINDOWS)
    assert status == 0, said
    assert {name.split("/")[0] for name in adapters(tmp_path / "sqlm_small")} == {"solver"}


@pytest.mark.parametrize("words", [["policy.adapters=shared"], ["learner.updates_per_window=2"],
                                   ["learner.baseline=role_ema", "learner.scale=batch"], ["game.proposer_period=2"],
                                   ["learner.rows_per_role=6"], ["learner.loss_type=grpo", "learner.kl=0.01"],
                                   ["players.proposer=script", "+script.proposer=[12+34, 5+6, 77+8]"]])  # fmt: skip
def test_variants_of_the_recipe_run(tmp_path, words):
    status, said = train(tmp_path, "max_steps=2", *SMALL_WINDOWS, *words)
    assert status == 0, said


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["learner.lrr=1"], ["learner.lrr", "did you mean learner.lr"]),
        (["game.answers=1"], ["game.answers=1"]),
        (["seeds.topics=[]"], ["seeds.topics"]),
        (["learner.rows_per_role=7"], ["learner.rows_per_role=7", "does not divide"]),
        (["learner.loss_type=foo"], ["learner.loss_type='foo'", "dapo"]),
        (["sampler.max_new_tokens=600"], ["sampler.max_new_tokens=600", "512"]),
        (["policy.targets=[foo]"], ["policy.targets", "foo"]),
        (["policy.base=/nowhere"], ["policy.base=/nowhere"]),
        (["resume=/nowhere"], ["resume=/nowhere", "does not exist"]),
    ],
)
def test_a_mistake_costs_one_line_and_no_model(tmp_path, words, parts):
    status, said = train(tmp_path, *words)
    assert status == 2
    assert len(said.splitlines()) == 1, said
    assert all(part in said for part in parts), said
    assert not (tmp_path / "sqlm_small").exists()


@pytest.mark.parametrize(
    ("rank", "local", "speaks"), [("0", "0", True), ("1", "1", False), ("8", "0", True), ("9", "1", False)]
)
def test_a_rank_that_leaves_a_mistake_to_another_lets_it_speak_first(monkeypatch, capsys, rank, local, speaks):
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("LOCAL_RANK", local)
    assert main(["recipe=sqlm_smal"]) == 2
    assert capsys.readouterr().err.startswith("selfplay: recipe=sqlm_smal is unknown") == speaks
    assert bool(waited) != speaks


def test_a_rehearsal_on_two_processes_is_the_first_one_s(tmp_path):
    words = ["recipe=sqlm_small", f"output_dir={tmp_path}", *QUIET, "debug=scripted", "max_steps=1"]
    for rank in ("0", "1"):
        environment = {**os.environ, "RANK": rank, "WORLD_SIZE": "2"}
        done = subprocess.run([sys.executable, "-m", "selfplay.train", *words], env=environment, timeout=120)
        assert done.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["sqlm_small"]
