"""The launcher: exit statuses come through, and a killed process is told in one line."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

LAPTOP = Path(__file__).parents[1] / "launch" / "accelerate" / "laptop.yaml"


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        ("import sys; sys.exit(2)", 2, ""),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            1,
            "selfplay: process 0 of 1 died (signal 9, SIGKILL; out of memory?); what was saved before is whole\n",
        ),
        # a polite signal to the launcher reaches the process, whose answer counts
        (
            "import os, signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(130));"
            "os.kill(os.getppid(), signal.SIGUSR1); time.sleep(60)",
            130,
            "",
        ),
    ],
)
def test_how_a_process_ends_is_how_its_launcher_ends(tmp_path, script, status, said):
    (tmp_path / "job.py").write_text(script)
    command = [sys.executable, "-m", "selfplay.launch", "--config_file", str(LAPTOP), str(tmp_path / "job.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (status, said)


SWEEP = """
import os, subprocess, sys
environ = {**os.environ, "SELFPLAY_LAUNCHER_PID": str(os.getpid())}
subprocess.Popen(sys.argv[1:], env=environ)
os.read(0, 1)  # until the job has begun
os.kill(os.getpid(), 9)
"""
JOB = """
import signal, sys, time
from pathlib import Path
def stop(*_):
    Path("saved").touch()
    sys.exit(130)
signal.signal(signal.SIGTERM, stop)
Path("begun").touch()
time.sleep(60)
"""


def test_a_launcher_whose_sweep_was_killed_asks_its_job_to_save_and_stop(tmp_path):
    (tmp_path / "job.py").write_text(JOB)
    command = [sys.executable, "-m", "selfplay.launch", "--config_file", str(LAPTOP), "job.py"]
    environ = {**os.environ, "PYTHONPATH": str(LAPTOP.parents[2])}
    sweep = subprocess.Popen(
        [sys.executable, "-c", SWEEP, *command], cwd=tmp_path, env=environ, stdin=subprocess.PIPE, text=True
    )
    for name in ("begun", "saved"):
        deadline = time.monotonic() + 60
        while not (tmp_path / name).exists():
            assert time.monotonic() < deadline, f"not {name}"
            time.sleep(0.05)
        if name == "begun":
            sweep.communicate("x")
            assert sweep.returncode == -9
