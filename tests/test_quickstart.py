"""The quickstart's own command, shortened: through `accelerate launch`, W&B offline, and a curve that must rise."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from omegaconf import OmegaConf

from selfplay.small_base import shipped_folder
from selfplay.tracking.metrics_file import METRICS, read_rows
from tests.tracking.wandb_file import ended_run

ROOT = Path(__file__).parent.parent
WORDS = ("recipe=sqlm_small", "run_name=quickstart", "max_steps=24", "evaluation.every=12",
         "evaluation.yardsticks.arithmetic.per_level=30", "tracking.wandb=offline", "tracking.group=tries",
         "tracking.job_type=first")  # fmt: skip

WEIGHED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""
"""Runs a command and says last what the largest of its processes held, in KiB; other tests' processes are not in it."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart")
    launcher = [str(Path(sys.executable).parent / "accelerate"), "launch", "--quiet"]
    config = ["--config_file", str(ROOT / "launch" / "accelerate" / "laptop.yaml")]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, "-c", WEIGHED, *launcher, *config, "-m", "selfplay.train", *WORDS, f"output_dir={folder}"],
        env=environment, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "quickstart", done.stdout, int(done.stderr.split()[-1])


def test_the_held_out_curve_rises_without_a_label(run):
    metrics = json.loads((run[0] / "summary.json").read_text())["metrics"]
    for name, gain in (("pass@1", 0.4), ("greedy", 0.4)):
        curve = metrics[f"yardstick/arithmetic/{name}"]
        assert curve["last"] - curve["first"] >= gain, (name, curve)
        assert curve["low"] <= curve["last"] <= curve["high"]
        assert "held-out" in curve["definition"]
    assert metrics["duel/base/win_rate"]["first"] == 0.5  # the policy is the base: every pairing has its mirror
    assert metrics["duel/base/win_rate"]["low"] > 0.5


def test_no_held_out_problem_was_practised_and_no_label_paid(run):
    from selfplay.domains.arithmetic import Arithmetic

    domain = Arithmetic()
    files = sorted((run[0] / "episodes").glob("step-*.parquet"))
    assert len(files) == 24
    for file in files:
        for row in parquet.read_table(file).to_pylist():
            if row["role"] == "solver":
                problem = domain.read_problem(row["prompt"].removeprefix("solve "))
                assert not domain.is_held_out(problem)
                assert set(json.loads(row["rewards"])) == {"majority"}


def test_the_base_is_byte_for_byte_what_it_was(run):
    from selfplay.policy import Policy

    summary = json.loads((run[0] / "summary.json").read_text())
    fresh = Policy.build(base=str(shipped_folder()), roles=("solver",))
    assert summary["facts"]["base_digest"] == fresh.base_digest()


def test_everything_lies_where_the_console_says(run):
    folder, said, _ = run
    for name in ("config.yaml", "metrics.jsonl", "summary.json", "adapters/solver/adapter_model.safetensors"):
        assert (folder / name).is_file()
    assert "measured from outside" in said
    assert list((folder / "wandb").glob("offline-run-*"))


def test_wandb_s_own_file_holds_the_same_curves_as_metrics_jsonl(run):
    ours = [{name: value for name, value in row.items() if value is not None} for row in read_rows(run[0] / METRICS)]
    theirs = ended_run(run[0])
    assert theirs.ended
    assert [row for row in theirs.rows if not any(name.startswith("transcripts") for name in row)] == ours
    assert len(ours) == 24 + 3  # windows, and measured at 0, 12 and 24


def test_wandb_s_own_file_says_what_the_run_is_and_what_it_came_to(run):
    theirs = ended_run(run[0])
    assert (theirs.group, theirs.job_type) == ("tries", "first")
    assert theirs.tags == ["sqlm_small", "method", "small"]
    config = OmegaConf.to_container(OmegaConf.load(run[0] / "config.yaml"))
    assert {name: theirs.config[name] for name in config} == config
    metrics = json.loads((run[0] / "summary.json").read_text())["metrics"]
    for name in ("yardstick/arithmetic/pass@1", "yardstick/arithmetic/greedy", "duel/base/win_rate"):
        for side in ("first", "best", "last", "low", "high"):
            assert theirs.summary[f"{side}/{name}"] == metrics[name][side]
    assert not [name for name in theirs.summary if name.startswith("best/") and name.count("/") != 3]


def test_the_card_s_own_words_load_the_adapter_with_plain_peft(run):
    """The code in the card, run as it stands in the adapter's folder."""
    folder = run[0] / "adapters" / "solver"
    text = (folder / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert code
    done = subprocess.run([sys.executable, "-c", code[1]], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d", done.stdout)  # a sum's answer
    assert "No control arms were run beside this run" in text


def test_memory_stays_small(run):
    assert 0.1 * 2**20 < run[2] < 2.5 * 2**20  # KiB
