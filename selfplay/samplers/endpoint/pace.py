"""How fast and how many at once: a rate shared by all threads, and threads that a Ctrl-C need not wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


class GivenUp(Exception):
    """Somebody else's call has ended the round: nothing to say."""


class Pace:
    """Starts of calls, evenly spaced.

    Args:
        per_minute: most calls a minute, retries included; None = no limit.
        now: a clock in seconds.
    """

    def __init__(self, per_minute: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._now = now
        self._next = now()
        self._lock = threading.Lock()

    def slot(self) -> float:
        """Take the next start; seconds from now until then.

        >>> pace = Pace(per_minute=120, now=lambda: 0.0)
        >>> pace.slot(), pace.slot(), pace.slot()
        (0.0, 0.5, 1.0)
        """
        with self._lock:
            start = max(self._now(), self._next)
            self._next = start + self._gap
            return start - self._now()

    def hold(self, seconds: float) -> None:
        """Let nobody start before so many seconds have passed: a server's Retry-After speaks to all threads."""
        with self._lock:
            self._next = max(self._next, self._now() + seconds)


def at_once(jobs: Sequence[Callable[[threading.Event], T]], most: int, patience: float = 0.0) -> list[T]:
    """What every job returns, in order, at most ``most`` running at a time.

    Each job is handed an event; once it is set (another job raised, or the user stopped) the job had better end with
    ``GivenUp``, or with what is under way: a call that was sent is paid for, and its answer worth keeping. Threads are
    daemons: a program that ends does not wait for a server.

    Args:
        patience: seconds that jobs under way are waited for after a stop; a second Ctrl-C does not wait.

    Raises:
        Exception: the first that a job raised; the others are told, and begin nothing more.
    """
    stop, lock = threading.Event(), threading.Lock()
    todo: Iterator[tuple[int, Callable[[threading.Event], T]]] = iter(enumerate(jobs))
    done: dict[int, T] = {}
    raised: list[BaseException] = []

    def work(ended: threading.Event) -> None:
        try:
            while not stop.is_set():
                with lock:
                    number, job = next(todo, (0, None))
                if job is None:
                    return
                try:
                    done[number] = job(stop)
                except GivenUp:
                    return
                except BaseException as error:
                    raised.append(error)
                    stop.set()
        finally:
            ended.set()

    # Waited for by events: a Thread.join that a Ctrl-C interrupts takes a living thread for a dead one (Python 3.11).
    ends = [threading.Event() for _ in range(min(most, len(jobs)))]
    threads = [threading.Thread(target=work, args=(ended,), daemon=True) for ended in ends]
    try:
        for thread in threads:
            thread.start()
        for ended in ends:
            while not ended.wait(0.1) and not stop.is_set():
                pass
    finally:
        stop.set()
        until = time.monotonic() + patience
        for thread, ended in zip(threads, ends, strict=True):
            if thread.ident is not None:  # it was started
                ended.wait(max(0.0, until - time.monotonic()))
    if raised:
        raise raised[0]
    return [done[number] for number in range(len(jobs))]
