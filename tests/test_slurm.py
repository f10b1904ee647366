"""launch/slurm.sh with stand-ins for SLURM's commands: two "nodes" on the loopback, real launchers and processes.

Real SLURM was never run. What is taken from its manual: srun starts one task on each node, gives it SLURM_NODEID, hands
USR1 on and ends with the highest status; --signal=B: signals the batch script alone.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[1]
SRUN = """#!/usr/bin/env bash
while [[ $1 == --* ]]; do shift; done
tasks=()
for ((node = 0; node < SLURM_JOB_NUM_NODES; node++)); do
    SLURM_NODEID=$node SLURM_PROCID=$node SLURM_STEP_NUM_TASKS=$SLURM_JOB_NUM_NODES "$@" &
    tasks+=($!)
done
trap 'kill -USR1 "${tasks[@]}"' USR1
worst=0
for task in "${tasks[@]}"; do
    while kill -0 "$task" 2>/dev/null; do wait "$task"; done
    wait "$task" || { status=$?; [ "$status" -le "$worst" ] || worst=$status; }
done
exit "$worst"
"""
SCONTROL = """#!/usr/bin/env bash
case "$1 $2" in
"show hostnames") printf '127.0.0.1\\n127.0.0.1\\n' ;;
requeue*) echo "$2" >>"$REQUEUED" ;;
esac
"""
SMALL = ("seeds.per_window=2", "game.proposals=2", "game.answers=4", "evaluation.every=0", "tracking.wandb=disabled")


def free_port_s_job() -> int:
    """A job number whose port (20000 + number % 10000) is free."""
    for number in range(os.getpid() % 5000, 10000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", 20000 + number)):
                return number
    raise AssertionError("no free port")


@pytest.fixture
def slurm(tmp_path):
    """The environment of a batch script on two nodes with one process each."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    number = free_port_s_job()
    return {
        **os.environ,
        "PATH": f"{commands}:{os.environ['PATH']}",
        "SLURM_JOB_ID": str(number),
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_JOB_NODELIST": "here[1-2]",
        "SLURM_NTASKS": "2",
        "SLURM_SUBMIT_DIR": str(ROOT),
        "PER_NODE": "1",
        "OMP_NUM_THREADS": "1",
        "REQUEUED": str(tmp_path / "requeued"),
    }


def start(slurm, folder: Path, *words: str) -> subprocess.Popen:
    script = folder / "copied-to-the-spool-folder.sh"
    script.write_text((ROOT / "launch" / "slurm.sh").read_text())
    command = ["bash", str(script), "--config", "two_cpu", "recipe=sqlm_small", f"output_dir={folder}", *SMALL, *words]
    return subprocess.Popen(command, env=slurm, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)


def rows(folder: Path) -> list[dict]:
    file = folder / "sqlm_small" / "metrics.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_two_nodes_train_are_told_that_time_is_up_and_go_on_after_the_requeue(slurm, tmp_path):
    job = start(slurm, tmp_path, "max_steps=100000")
    deadline = time.monotonic() + 200
    while len(rows(tmp_path)) < 2:
        assert time.monotonic() < deadline
        assert job.poll() is None, job.communicate()
        time.sleep(0.05)
    ranks = psutil.Process(job.pid).children(recursive=True)
    job.send_signal(signal.SIGUSR1)  # as --signal=B:USR1@180 does
    said, _ = job.communicate(timeout=200)
    assert job.returncode == 130, said
    assert "2 processes on 2 node(s), two_cpu" in said
    assert (tmp_path / "requeued").read_text().split() == [slurm["SLURM_JOB_ID"]]
    assert psutil.wait_procs(ranks, timeout=30)[1] == []
    saved = len(rows(tmp_path))

    again = start(slurm, tmp_path, f"max_steps={saved + 2}")
    said, _ = again.communicate(timeout=280)
    assert again.returncode == 0, said
    assert f"from step-{saved:06d}" in said
    assert [row["step"] for row in rows(tmp_path)] == list(range(1, saved + 3))
    assert (tmp_path / "requeued").read_text().count("\n") == 1  # not once more
    assert json.loads((tmp_path / "sqlm_small" / "summary.json").read_text())["steps"] == saved + 2


@pytest.mark.parametrize(
    ("words", "environ", "part"),
    [
        (["learner.lrr=1"], {}, "did you mean learner.lr"),
        (["--config", "zero9"], {}, "--config zero9: there is no"),
        (["--nodes", "2"], {}, "sbatch's own options stand before"),
        ([], {"SLURM_JOB_ID": ""}, "this is a batch script"),
        ([], {"SLURM_SUBMIT_DIR": "/"}, "submit from the repository's root"),
    ],
)
def test_a_mistake_is_one_line_and_starts_nothing(slurm, tmp_path, words, environ, part):
    job = start({**slurm, **environ}, tmp_path, *words)
    said, _ = job.communicate(timeout=120)
    assert job.returncode == 2
    assert part in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "sqlm_small").exists()
