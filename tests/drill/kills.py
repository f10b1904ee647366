"""What is done to a job: which signal, to whom. Only processes that the drill started are ever signalled."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Sequence

from tests.drill.jobs import Job

Kill = Callable[[Job, random.Random], Sequence[int]]
"""The process ids to be signalled."""


def _launcher(job: Job, rng: random.Random) -> list[int]:
    return [job.process.pid]


def _one_rank(job: Job, rng: random.Random) -> list[int]:
    ranks = job.ranks() or [job.process.pid]  # before any rank exists there is only the launcher
    return [rng.choice(ranks)]


def _ranks(job: Job, rng: random.Random) -> list[int]:
    return job.ranks() or [job.process.pid]


def _all(job: Job, rng: random.Random) -> list[int]:
    return job.alive()


KILLS: dict[str, tuple[signal.Signals, Kill]] = {
    "SIGKILL launcher": (signal.SIGKILL, _launcher),
    "SIGKILL one rank": (signal.SIGKILL, _one_rank),
    "SIGKILL all": (signal.SIGKILL, _all),
    "SIGTERM launcher": (signal.SIGTERM, _launcher),
    "SIGTERM one rank": (signal.SIGTERM, _one_rank),
    "SIGUSR1 all ranks": (signal.SIGUSR1, _ranks),
}


def strike(job: Job, kind: str, rng: random.Random) -> None:
    number, whom = KILLS[kind]
    for pid in whom(job, rng):
        try:
            os.kill(pid, number)
        except ProcessLookupError:  # it has just ended by itself
            continue
