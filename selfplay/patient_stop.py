"""Ctrl-C in a run that loads no model: it ends once the calls that were sent are answered, and a further one at once.

SIGINT, SIGTERM --first--> KeyboardInterrupt, and endpoints wait (`samplers/endpoint/pace.py`) --again--> no waiting

Training has a politer stop, after the present window (`learner/callbacks.py`).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

ECHO_SECONDS = 1.0
"""A terminal's Ctrl-C comes twice: to us, and as SIGTERM from the launcher."""

TOLD = b"\nselfplay: stopping; calls that were sent are waited for, once more stops at once\n"


@contextmanager
def patient_stop(tell: bool) -> Iterator[None]:
    """Within it SIGTERM means what SIGINT means, and its echo nothing.

    Args:
        tell: whether there are calls to wait for, so that the user is told.
    """
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers, and hears signals
        yield
        return
    first: list[float] = []

    def ask(number, frame) -> None:
        now = time.monotonic()
        if first and now - first[0] < ECHO_SECONDS:
            return
        if not first and tell:
            os.write(2, TOLD)  # print could meet itself: a signal comes at any moment
        first.append(now)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
