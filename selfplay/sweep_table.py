"""What a sweep says while it goes: a line when a job begins and one when it ends, and how long the rest will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from selfplay.sweep_jobs import Job


def line(number: int, jobs: int, width: int, job: Job, state: str, seconds: float | None, left: float | None) -> str:
    """One line of the table.

    >>> job = Job("sqlm_small-method-seed0", "sqlm_small", "none", 0, ())
    >>> line(3, 16, 25, job, "done", 31.4, 500.0)
    ' 3/16  sqlm_small-method-seed0    done        31 s   about 8 min left'
    """
    took = "" if seconds is None else f"{seconds:5.0f} s"
    rest = "" if left is None else f"   about {duration(left)} left"
    return f"{number:>{len(str(jobs))}}/{jobs}  {job.name:<{width}}  {state:<8} {took:>7}{rest}".rstrip()


def duration(seconds: float) -> str:
    """
    >>> duration(40), duration(500), duration(8000)
    ('40 s', '8 min', '2.2 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def seconds_left(waiting: Sequence[Job], known: Mapping[str, Sequence[float]], at_once: int) -> float | None:
    """Jobs that have not ended, by the mean of their recipe's jobs so far, else of all; None before the first ended.

    >>> jobs = [Job(f"{recipe}-{seed}", recipe, "none", seed, ()) for recipe in ("a", "b") for seed in (0, 1)]
    >>> seconds_left(jobs, {"a": [10.0, 30.0]}, at_once=2)
    40.0
    >>> seconds_left(jobs, {}, at_once=2)
    """
    every = [seconds for times in known.values() for seconds in times]
    if not every:
        return None
    return sum(fmean(known.get(job.recipe) or every) for job in waiting) / at_once
