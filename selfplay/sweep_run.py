"""The jobs of a sweep, one after another or side by side: started, waited for, told of, and asked to stop with us.

    waiting --start--> running (at most one in a place) --end--> done | failed | stopped

A job is a session of its own, so that a terminal's Ctrl-C comes to us alone; we send each running job one SIGTERM,
which it answers by saving after its window, and a second one with the second Ctrl-C, which ends it at once. Only
processes that were started here are signalled, by their id.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfplay.sweep_folder import LOGS, is_finished, seconds_of
from selfplay.sweep_jobs import Job
from selfplay.sweep_launch import environment
from selfplay.sweep_table import line, seconds_left

STOPPED = 130
LOOK_SECONDS = 0.1
SHOWN_LINES = 3
"""Of a failed job's log."""

Place = tuple[str, ...] | None


@dataclass
class Outcome:
    """What became of the jobs of one start: names by state."""

    done: list[str] = field(default_factory=list)  # in this start or an earlier one
    failed: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)  # saved, or never begun
    asked: bool = False  # we were asked to stop


@dataclass(frozen=True)
class Running:
    job: Job
    process: subprocess.Popen[bytes]
    place: Place
    started: float


class Crew:
    """Runs jobs in a sweep's folder.

    Args:
        commands: argv of each job by its name.
        places: one for each job at once, with the GPUs it is shown.
        say: where the lines of the table go.
    """

    def __init__(
        self, folder: Path, commands: Mapping[str, Sequence[str]], places: Sequence[Place], say: Callable[[str], None]
    ) -> None:
        self.folder, self.commands, self.say = folder, commands, say
        self.free, self.at_once = list(places), len(places)
        self.running: list[Running] = []
        self.outcome = Outcome()

    def run(self, jobs: Sequence[Job]) -> Outcome:
        """Run what is not finished. SIGINT and SIGTERM end the running jobs politely; no further one is started."""
        self.jobs, self.width = list(jobs), max(len(job.name) for job in jobs)
        waiting = [job for job in jobs if not is_finished(self.folder / job.name)]
        before = [job for job in jobs if job not in waiting]
        self.seconds: dict[str, list[float]] = {}
        for job in before:
            self._done(job, "earlier", seconds_of(self.folder / job.name), waiting)
        handlers = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._work(waiting)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return self.outcome

    def _work(self, waiting: list[Job]) -> None:
        while (waiting and not self.outcome.asked) or self.running:
            while waiting and self.free and not self.outcome.asked:
                self._start(waiting.pop(0))
            for one in [one for one in self.running if one.process.poll() is not None]:
                self.running.remove(one)
                self.free.append(one.place)
                self._ended(one, waiting)
            time.sleep(LOOK_SECONDS)
        self.outcome.stopped += [job.name for job in waiting]

    def _start(self, job: Job) -> None:
        place, command = self.free.pop(0), self.commands[job.name]
        log = self.folder / LOGS / f"{job.name}.txt"
        log.parent.mkdir(exist_ok=True)
        with log.open("ab") as file:
            file.write(f"$ {shlex.join(command)}\n".encode())
            file.flush()
            process = subprocess.Popen(
                command, env=environment(self.folder, self.at_once, place), stdin=subprocess.DEVNULL, stdout=file,
                stderr=file, start_new_session=True,
            )  # fmt: skip
        self.running.append(Running(job, process, place, time.monotonic()))
        if self.outcome.asked:  # a signal that came while it was being started
            process.terminate()
        self._line(job, "started", None, None)

    def _ask(self, number: int, frame: object) -> None:
        self.outcome.asked = True
        for one in self.running:
            one.process.terminate()

    def _ended(self, one: Running, waiting: Sequence[Job]) -> None:
        took, status = time.monotonic() - one.started, one.process.returncode
        if status == 0 and is_finished(self.folder / one.job.name):
            return self._done(one.job, "done", took, waiting)
        if status == STOPPED or (self.outcome.asked and status == -signal.SIGTERM):
            self.outcome.stopped.append(one.job.name)
            return self._line(one.job, "stopped", took, None)
        self.outcome.failed.append(one.job.name)
        self._line(one.job, "FAILED", took, None)
        log = self.folder / LOGS / f"{one.job.name}.txt"
        how = f"signal {-status}" if status < 0 else f"status {status}"
        self.say(f"    {how}; the end of {log}:")
        for text in _tail(log):
            self.say(f"    {text}")

    def _done(self, job: Job, state: str, seconds: float, waiting: Sequence[Job]) -> None:
        self.outcome.done.append(job.name)
        self.seconds.setdefault(job.recipe, []).append(seconds)
        left = [*waiting, *(one.job for one in self.running)]
        self._line(job, state, seconds, seconds_left(left, self.seconds, self.at_once) if left else None)

    def _line(self, job: Job, state: str, seconds: float | None, left: float | None) -> None:
        number = self.jobs.index(job) + 1
        self.say(line(number, len(self.jobs), self.width, job, state, seconds, left))


def _tail(log: Path) -> list[str]:
    lines = [text for text in log.read_text(encoding="utf-8", errors="replace").splitlines() if text.strip()]
    return lines[-SHOWN_LINES:]
