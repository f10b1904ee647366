"""A child process that trains one step at a time, when it is told to, and says what the step took.

    parent: "go" -> stdin of the child          child: one optimizer step, then a line of JSON on stdout -> parent

The step is whole: from the end of the one before to its own, so that playing, logging and the loop are in it. On
several processes the first one listens, and the slowest one's end is the step's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import torch.distributed as dist
from transformers import TrainerCallback

MARK = "@@"


class Stopwatch:
    """Seconds by name; of nested stretches each second counts for the innermost alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = time.perf_counter()

    @contextmanager
    def stretch(self, name: str) -> Iterator[None]:
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def watch(self, owner: Any, method: str, name: str) -> None:
        """Time every call of ``owner.method`` (of a class or an object) from now on."""
        original = getattr(owner, method)

        @wraps(original)
        def timed(*args, **words):
            with self.stretch(name):
                return original(*args, **words)

        setattr(owner, method, timed)

    def take(self) -> dict[str, float]:
        self._turn()
        taken, self.seconds = self.seconds, {}
        return taken

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] = self.seconds.get(self._open[-1], 0.0) + now - self._since
        self._since = now


class Turnstile(TrainerCallback):
    """Args:
    facts: says what the step just done consisted of, e.g. {"rows": 104}.
    """

    def __init__(self, stopwatch: Stopwatch, facts: Callable[[], dict[str, float]]) -> None:
        self.stopwatch, self.facts = stopwatch, facts

    def on_train_begin(self, args, state, control, **_):
        say({"ready": True, "peak_mib": peak_mib()})
        self._wait(control)

    def on_pre_optimizer_step(self, args, state, control, **_):
        self._optimizing = self.stopwatch.stretch("backward")
        self._optimizing.__enter__()

    def on_optimizer_step(self, args, state, control, **_):
        self._optimizing.__exit__(None, None, None)

    def on_step_end(self, args, state, control, **_):
        _together(None)
        took, worked = time.perf_counter() - self._began, time.process_time() - self._worked
        split = self.stopwatch.take()
        split["overhead"] = took - sum(split.values())
        say({"seconds": took, "cpu": worked, "peak_mib": peak_mib(), "split": split, **self.facts()})
        self._wait(control)

    def _wait(self, control) -> None:
        word = _together(sys.stdin.readline().strip() if _first() else None)
        if word != "go":
            control.should_training_stop = True
        self.stopwatch.take()
        self._began, self._worked = time.perf_counter(), time.process_time()


def say(line: dict[str, Any]) -> None:
    if _first():
        print(MARK + json.dumps(line), flush=True)


def peak_mib() -> float:
    """Most memory that this process ever held at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rss_mib() -> float:
    """Memory that this process holds now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def _first() -> bool:
    return not dist.is_initialized() or dist.get_rank() == 0


def _together(word: str | None) -> str | None:
    """The first process's word, on all of them; returns when all have come."""
    if not dist.is_initialized():
        return word
    box = [word]
    dist.broadcast_object_list(box)
    dist.barrier()
    return box[0]
