"""Contenders as child processes, one step of each in every round: A, B, C, A, B, C, ...

Between its turns a child waits for a line on its stdin and uses no core.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.benchmarks.turnstile import MARK

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Contender:
    """What to run: a module of this folder with its settings, on so many processes and threads."""

    module: str  # "tests.benchmarks.ours"
    settings: dict[str, Any] = field(default_factory=dict)
    processes: int = 1
    threads: int = 1
    jobs: int = 1  # so many unrelated jobs of this kind step at the same time: what the machine itself allows

    def command(self) -> list[str]:
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(self.processes)]
        words = [self.module, json.dumps(self.settings)]
        return [sys.executable, *(launcher if self.processes > 1 else []), "-m", *words]


class Child:
    """A contender under way. A context manager: leaving it ends the process, whatever happened."""

    def __init__(self, name: str, contender: Contender, log: Path) -> None:
        self.name, self.log = name, log
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": str(contender.threads),
            "OMP_WAIT_POLICY": "PASSIVE",
            "PYTHONHASHSEED": "0",
            "TOKENIZERS_PARALLELISM": "false",
        }
        with log.open("w") as stderr:
            self.process = subprocess.Popen(
                contender.command(), cwd=ROOT, env=environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
            )  # fmt: skip

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate()

    def step(self) -> dict[str, Any]:
        self.tell("go")
        return self.hear()

    def end(self) -> dict[str, Any] | None:
        """Let it finish; what it said last, if anything."""
        self.tell("stop")
        said = [json.loads(line[len(MARK) :]) for line in self.process.stdout or () if line.startswith(MARK)]
        self.process.wait()
        return said[-1] if said else None

    def hear(self) -> dict[str, Any]:
        for line in self.process.stdout or ():
            if line.startswith(MARK):
                return json.loads(line[len(MARK) :])
        raise RuntimeError(f"{self.name} ended early; the end of {self.log}:\n{self.log.read_text()[-2000:]}")

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()


class Crew:
    """Unrelated jobs of one contender, which take each step at the same time; the slowest one's end is the step's."""

    def __init__(self, name: str, contender: Contender, logs: Path) -> None:
        self.name = name
        self.jobs = [Child(name, of, logs / f"{name}-{number}.txt") for number, of in enumerate(_jobs(contender))]

    def __exit__(self, *_) -> None:
        for job in self.jobs:
            job.__exit__()

    def step(self) -> dict[str, Any]:
        for job in self.jobs:
            job.tell("go")
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """The slowest one's words, with what all of them did."""
        heard = [job.hear() for job in self.jobs]
        done = {name: sum(said[name] for said in heard) for name in ("rows", "tokens", "distinct") if name in heard[0]}
        return max(heard, key=lambda said: said.get("seconds", 0.0)) | done

    def end(self) -> None:
        for job in self.jobs:
            job.end()


def _jobs(contender: Contender) -> list[Contender]:
    """Each with a folder of its own."""
    folder = contender.settings["folder"]
    return [
        replace(contender, settings={**contender.settings, "folder": f"{folder}-{number}"}, jobs=1)
        for number in range(contender.jobs)
    ]


def play_rounds(
    contenders: Mapping[str, Contender], rounds: int, logs: Path, warm_up: int = 2
) -> dict[str, list[dict[str, Any]]]:
    """What every contender's steps took, round by round; the first ``warm_up`` rounds are left out."""
    logs.mkdir(parents=True, exist_ok=True)
    children = [
        Crew(name, contender, logs) if contender.jobs > 1 else Child(name, contender, logs / f"{name}.txt")
        for name, contender in contenders.items()
    ]
    steps: dict[str, list[dict[str, Any]]] = {child.name: [] for child in children}
    try:
        for child in children:
            steps[child.name].append(child.hear())  # ready: its memory before the first step
        for number in range(warm_up + rounds):
            for child in children[:: 1 if number % 2 else -1]:  # nobody is always the one after the longest
                step = child.step()
                if number >= warm_up:
                    steps[child.name].append(step)
        for child in children:
            child.end()
    finally:
        for child in children:
            child.__exit__()
    return steps
