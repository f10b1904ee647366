"""When to kill: moments of a job that can be told from outside, by what appears in its run folder.

A window plays, then its episodes are written, then it learns, then its checkpoint is written beside its place and
renamed: so a new checkpoint means that generation begins, a new episode file that the update does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.drill.jobs import Job

Moment = Callable[[Job, random.Random], bool]
"""Waits for the moment; False when the job ended before it came."""

STARTING_SECONDS = 10.0  # of a job on a quiet machine, until its first window
WINDOW_SECONDS = 0.3


def starting(job: Job, rng: random.Random) -> bool:
    return _sleep(job, rng.uniform(0.2, STARTING_SECONDS))


def anywhere(job: Job, rng: random.Random) -> bool:
    """Uniform over the windows that are left, from the first sign of training on."""
    return _appears(job, _episodes) and _sleep(job, rng.uniform(0, 8 * WINDOW_SECONDS))


def generation(job: Job, rng: random.Random) -> bool:
    return _some_windows(job, rng) and _appears(job, _checkpoints) and _sleep(job, rng.uniform(0, WINDOW_SECONDS / 3))


def update(job: Job, rng: random.Random) -> bool:
    return _some_windows(job, rng) and _appears(job, _episodes) and _sleep(job, rng.uniform(0, WINDOW_SECONDS / 3))


def checkpoint(job: Job, rng: random.Random) -> bool:
    """Between the first and the last file of a checkpoint, or in the renaming and pruning after it."""
    return _some_windows(job, rng) and _appears(job, _writing) and _sleep(job, rng.uniform(0, 0.06))


MOMENTS: dict[str, Moment] = {
    "start-up": starting,
    "anywhere": anywhere,
    "generation": generation,
    "update": update,
    "checkpoint": checkpoint,
}


def _some_windows(job: Job, rng: random.Random) -> bool:
    return all(_appears(job, _episodes) for _ in range(rng.randint(0, 2)))


def _episodes(job: Job) -> set[Path]:
    return set((job.run / "episodes").glob("step-*.parquet"))


def _checkpoints(job: Job) -> set[Path]:
    return set(job.checkpoints.glob("step-*"))


def _writing(job: Job) -> set[Path]:
    return set(job.checkpoints.glob(".step-*.writing"))


def _appears(job: Job, look: Callable[[Job], set[Path]]) -> bool:
    """Wait until ``look`` shows something new; False when the job ends first."""
    known = look(job)
    while not look(job) - known:
        if job.process.poll() is not None:
            return False
        known &= look(job)  # a resumed run sets late ones aside, and writes them anew
        time.sleep(0.002)
    return True


def _sleep(job: Job, seconds: float) -> bool:
    time.sleep(seconds)
    return job.process.poll() is None
