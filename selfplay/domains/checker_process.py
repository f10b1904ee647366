"""The process in which a domain reads what a model wrote; started by file name, so that it imports nothing it need not.

    python -P checker_process.py FD PARENT_PID          speaks with selfplay.domains.checker over the socket FD

It must not outlive its parent, however that ends. Idle, it sees the socket close. Busy, perhaps in C code that lets no
Python run, it is killed by the kernel: on Linux when its parent dies (PR_SET_PDEATHSIG), elsewhere by its own timer
soon after the deadline, whose default action needs no Python either (a checker that uses SIGALRM takes that net away).
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

PR_SET_PDEATHSIG = 1
ASKED_OF_THE_JOB = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
"""Signals that reach every process of a job; the parent decides what they mean, and tells us by closing the socket."""


def die_with(parent: int) -> None:
    """SIGKILL for this process when ``parent`` dies, or has died already. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def answer(domain: Any, request: bytes) -> tuple[str, Any]:
    """("value", what the method returned) or ("raised", why it did not)."""
    method, args = pickle.loads(request)
    try:
        return "value", getattr(domain, method)(*args)
    except BaseException as error:  # SystemExit too: a checker may run what a model wrote
        return "raised", _reason(error)


def serve(connection: Connection) -> None:
    """Unpickle the domain, say ready, and answer one request at a time until the other side is gone."""
    paths, pickled, seconds = connection.recv()
    sys.path[:] = paths  # the domain may lie beside a user's recipe
    try:
        domain = pickle.loads(pickled)
    except Exception as error:
        connection.send(("raised", _reason(error)))
        return
    connection.send(("value", "ready"))
    while True:
        try:
            request = connection.recv_bytes()
        except EOFError:
            return
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds + 1.0)  # the parent kills us earlier, if it can
        reply = answer(domain, request)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        try:
            connection.send(reply)
        except (pickle.PicklingError, TypeError, AttributeError) as error:  # an answer that cannot be sent
            connection.send(("raised", _reason(error)))


def main() -> None:
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    for name in ASKED_OF_THE_JOB:
        signal.signal(getattr(signal, name), lambda number, frame: None)  # unlike SIG_IGN not handed on to its children
    os.dup2(2, 1)  # what a checker prints is not the run's output
    serve(Connection(descriptor))


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


if __name__ == "__main__":
    main()
