"""One start of the drill's job: its launcher, its processes and its run folder, seen from outside.

Every process carries a mark in its environment, children that moved to a session of their own included, so that an
orphan cannot hide. Linux only: reads /proc.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LAUNCHERS = {"ours": ["-m", "selfplay.launch"], "accelerate": ["-m", "accelerate.commands.launch"]}
MARK = "SELFPLAY_DRILL"
WORDS = (
    "recipe=sqlm_small", "resume=auto", "learner.save_every=1", "learner.keep=2", "evaluation.every=0",
    "tracking.wandb=disabled", "tracking.transcripts_every=0", "game.proposals=3", "game.answers=4",
)  # fmt: skip


class Setting(NamedTuple):
    """What a job is launched with."""

    name: str
    flags: tuple[str, ...]  # of accelerate launch

    @classmethod
    def named(cls, text: str) -> Setting:
        """``laptop``, or ``zero2:2`` for a file of launch/accelerate with another number of processes."""
        name, _, processes = text.partition(":")
        flags = ("--config_file", str(ROOT / "launch" / "accelerate" / f"{name}.yaml"))
        return cls(name, (*flags, "--num_processes", processes) if processes else flags)


class Job:
    """A running launch of ``run``."""

    def __init__(self, run: Path, setting: Setting, windows: int, launcher: str, words: tuple[str, ...] = ()) -> None:
        self.run = run
        self.mark = uuid.uuid4().hex
        environment = {
            "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "TOKENIZERS_PARALLELISM": "false",
            "OMP_WAIT_POLICY": "PASSIVE", **os.environ, MARK: self.mark,
        }  # fmt: skip
        command = [sys.executable, *LAUNCHERS[launcher], *setting.flags, "-m", "selfplay.train", *WORDS]
        command += [f"max_steps={windows}", f"output_dir={run.parent}", f"run_name={run.name}", *words]
        run.parent.mkdir(parents=True, exist_ok=True)
        self.log = run.parent / f"{run.name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
            )
        self.started = time.monotonic()

    @property
    def checkpoints(self) -> Path:
        return self.run / "checkpoints"

    def ranks(self) -> list[int]:
        """Process ids of the launcher's children, in the order in which they were started."""
        try:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        except OSError:
            return []
        return sorted(int(pid) for pid in children.split())

    def alive(self) -> list[int]:
        """Every process of this job that has not ended; the dead that nobody has buried have no environment."""
        mark = f"{MARK}={self.mark}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:  # gone meanwhile, or not ours to read
                continue
        return found

    def wait_until_gone(self, seconds: float) -> float | None:
        """Seconds until no process was left; None when some still lived after ``seconds``."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            self.process.poll()
            if not self.alive():
                self.process.wait()
                return time.monotonic() - started
            time.sleep(0.05)
        return None
