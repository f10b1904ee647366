"""A real sweep of two tiny jobs: the sweep killed, a job killed, a second sweep turned away; then all of it ends."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from selfplay.sweep_folder import leftovers
from selfplay.tracking.metrics_file import read_rows

STEPS = 30
SWEEP = f"""
recipes: [sqlm_small]
arms: [none, random]
overrides: [max_steps={STEPS}, seeds.per_window=2, game.proposals=3, game.answers=4, evaluation.every=0,
  learner.save_every=5, tracking.wandb=disabled, tracking.transcripts_every=0]
"""
METHOD, RANDOM = "sqlm_small-method-seed0", "sqlm_small-random-seed0"

VERB = """
import sys
from selfplay import sweep
sweep.conclude = lambda plan: print("concluded", *(run.name for run in plan.runs), flush=True)
sys.exit(sweep.main(sys.argv[1:]))
"""
"""The verb without the arena and the report, which have tests of their own."""


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", VERB, str(folder / "mine.yaml"), "--folder", str(folder / "out"), *words]
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(what: Callable[[], object], sweep: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        assert sweep.poll() is None, sweep.communicate()
        time.sleep(0.02)


def job_of(sweep: subprocess.Popen[str], run: str) -> list[psutil.Process]:
    """The running job of this name, none or one."""
    found = []
    for child in psutil.Process(sweep.pid).children():
        with contextlib.suppress(psutil.Error):
            found += [child] if f"run_name={run}" in child.cmdline() else []
    return found


def steps(run: Path) -> list[float | None]:
    return [row["step"] for row in read_rows(run / "metrics.jsonl")]


@pytest.mark.timeout(600)  # seven starts of Python with torch, on a machine that may be busy
def test_killed_anywhere_and_started_again_it_ends_where_an_unbroken_sweep_ends(tmp_path):
    (tmp_path / "mine.yaml").write_text(SWEEP)
    out = tmp_path / "out"
    method, random = out / METHOD, out / RANDOM

    sweep = start(tmp_path)
    wait_for(lambda: job_of(sweep, METHOD), sweep)
    (job,) = job_of(sweep, METHOD)
    wait_for(lambda: steps(method), sweep)
    job.suspend()  # so that it cannot end before it has been looked at, however slow the machine is
    sweep.kill()
    sweep.communicate()
    assert job.pid in leftovers(out), "the job outlives its sweep for a moment"
    job.resume()

    sweep = start(tmp_path)  # perhaps while that job still saves
    wait_for(lambda: job_of(sweep, RANDOM), sweep)
    (job,) = job_of(sweep, RANDOM)
    wait_for(lambda: (out / "sweep.yaml").is_file() and steps(random), sweep)
    job.suspend()  # it is not to be done before the second sweep has come and gone
    assert steps(method) == list(range(1, STEPS + 1))  # each window once: nobody wrote beside it
    second = start(tmp_path)
    said, _ = second.communicate(timeout=120)
    assert second.returncode == 2
    assert f"another sweep runs there (process {sweep.pid} on " in said

    job.kill()
    said, _ = sweep.communicate(timeout=120)
    assert sweep.returncode == 1, said
    assert f"2/2  {RANDOM}  FAILED" in said
    assert "signal 9; the end of" in said
    assert f"concluded {METHOD}\n" in said
    assert "resuming" in (out / "logs" / f"{METHOD}.txt").read_text()

    sweep = start(tmp_path)
    said, _ = sweep.communicate(timeout=120)
    assert sweep.returncode == 0, said
    assert f"1/2  {METHOD}  earlier" in said
    assert f"2/2  {RANDOM}  done" in said
    assert f"concluded {METHOD} {RANDOM}\n" in said
    assert steps(random) == list(range(1, STEPS + 1))
    for run in (method, random):
        assert json.loads((run / "summary.json").read_text())["steps"] == STEPS
        assert (run / "adapters" / "solver" / "README.md").is_file()

    changed = start(tmp_path, "learner.kl=0.5")
    said, _ = changed.communicate(timeout=120)
    assert changed.returncode == 2
    assert "the recipe has changed since it was run" in said
    assert "learner.kl" in said
    assert said.count("\n") == 1
