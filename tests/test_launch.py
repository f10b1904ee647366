"""The launcher: exit statuses come through, and a killed process is told in one line."""

import subprocess
import sys
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
