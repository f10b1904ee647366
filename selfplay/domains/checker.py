"""Questions put to a domain in a process of its own, one at a time, each with a deadline.

    ask("read_answer", text) --socket--> checker_process --in time--> the answer
                                                         --too late, crash--> None, the process killed and replaced

One process serves all domains of a rank that have the same settings, and one desk counts what could not be told.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

START_SECONDS = 120.0
END_SECONDS = 5.0
"""For starting Python and importing what the domain needs; not part of any deadline."""

KINDS = ("hung", "died", "raised", "skipped")
"""Why a question has no answer: past the deadline; the process crashed; the method raised; too many before it."""


class Checker:
    """
    Args:
        pickled: the domain.
        seconds: how long one question may take.
        at_most: after so many questions that hung or died since the last ``troubles``, the rest are not asked.

    Raises:
        ValueError: the process cannot start or cannot unpickle the domain; the reason is in the message.
    """

    def __init__(self, pickled: bytes, seconds: float, at_most: int) -> None:
        self.pickled, self.seconds, self.at_most = pickled, seconds, at_most
        self._lost = 0
        self._troubles: list[str] = []
        self._hopeless: dict[bytes, str] = {}  # questions that hung or died: asked again, they would again
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._start()

    def ask(self, method: str, *args: Any) -> Any:
        """What the domain's method returns; None when it cannot tell in time."""
        request = pickle.dumps((method, args))
        kind, value = self._hopeless.get(request), "asked before"
        if kind is None:
            kind, value = ("skipped", "") if self._lost >= self.at_most else self._exchange(request)
            if kind in ("hung", "died"):
                self._lost += 1
                self._hopeless[request] = kind
        if kind == "value":
            return value
        quoted = f"{method}{args!r:.120} {value}".replace("\n", " ") if len(self._troubles) < self.at_most else ""
        self._troubles.append(f"{kind} {quoted}".strip())
        return None

    def troubles(self) -> list[str]:
        """One line for each question without an answer since the last call, its kind in front; starts a new count.

        The first ``at_most`` quote the question.
        """
        told, self._troubles, self._lost = self._troubles, [], 0
        return told

    def close(self) -> None:
        """Kill the process, and what it started, by its own group."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is not None:
            if process.returncode is None:  # not waited for yet, so the number is still ours
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _exchange(self, request: bytes) -> tuple[str, Any]:
        try:
            connection = self._sent(request)
            if not connection.poll(self.seconds):
                self.close()
                return "hung", f"over {self.seconds:g} s"
            return connection.recv()
        except Exception as error:  # a reply that cannot be read is a crash too
            self.close()
            return "died", f"{type(error).__name__} {error}".strip()
        except BaseException:  # a signal's: the answer under way must not be taken for the next one's
            self.close()
            raise

    def _sent(self, request: bytes) -> Connection:
        """Send, to a new process where the last one has gone while idle."""
        connection = self._connection or self._start()
        try:
            connection.send_bytes(request)
        except OSError:
            self.close()
            connection = self._start()
            connection.send_bytes(request)
        return connection

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        script = Path(__file__).with_name("checker_process.py")
        command = [sys.executable, "-P", str(script), str(theirs.fileno()), str(os.getpid())]
        self._connection = ours
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], process_group=0)
        theirs.close()
        try:
            ours.send((sys.path, self.pickled, self.seconds))
            kind, reason = ours.recv() if ours.poll(START_SECONDS) else ("hung", f"not ready in {START_SECONDS:g} s")
        except (OSError, EOFError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(END_SECONDS)
            kind, reason = "died", f"status {self._process.returncode}"
        if kind != "value":
            self.close()
            raise ValueError(f"the checker's process cannot start: {reason}.")
        return ours


class Desk:
    """The checkers of one process: equal domains share one, and all troubles are told in one place."""

    def __init__(self) -> None:
        self._checkers: dict[tuple[bytes, float, int], Checker] = {}
        atexit.register(self.close)

    def checker(self, pickled: bytes, seconds: float, at_most: int) -> Checker:
        key = (pickled, seconds, at_most)
        if key not in self._checkers:
            self._checkers[key] = Checker(*key)
        return self._checkers[key]

    def troubles(self) -> list[str] | None:
        """Of all checkers, see ``Checker.troubles``; None where there is no checker."""
        told = [line for checker in self._checkers.values() for line in checker.troubles()]
        return told if self._checkers else None

    def close(self) -> None:
        for checker in self._checkers.values():
            checker.close()


@cache
def desk() -> Desk:
    """The desk of this process."""
    return Desk()
