"""Threads: order, bounds, the first error, and counts that add up."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

import pytest

from selfplay.samplers.endpoint.ledger import Ledger
from selfplay.samplers.endpoint.pace import GivenUp, Pace, at_once


def test_results_come_in_order_whoever_is_first():
    def job(number: int, stop: threading.Event) -> int:
        time.sleep(0.02 * (5 - number))
        return number

    assert at_once([partial(job, number) for number in range(5)], most=5) == [0, 1, 2, 3, 4]
    assert at_once([], most=3) == []


def test_the_first_error_ends_the_others_without_waiting_for_them():
    given_up = []

    def waits(stop: threading.Event) -> None:
        if stop.wait(20):
            given_up.append(1)
            raise GivenUp

    def fails(stop: threading.Event) -> None:
        raise ValueError("no")

    started = time.monotonic()
    with pytest.raises(ValueError, match="no"):
        at_once([waits, waits, fails, waits], most=3)
    time.sleep(0.1)
    assert time.monotonic() - started < 5
    assert len(given_up) == 2  # the fourth was never begun


class Calls:
    """A job whose call was sent and takes a while, and one that ends the round meanwhile."""

    def __init__(self, error: BaseException) -> None:
        self.error, self.sent, self.kept = error, threading.Event(), []

    def slow(self, stop: threading.Event) -> None:
        self.sent.set()
        time.sleep(0.3)
        self.kept.append(1)

    def ends(self, stop: threading.Event) -> None:
        self.sent.wait(5)
        raise self.error


def test_calls_that_were_sent_are_waited_for():
    calls = Calls(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        at_once([calls.slow, calls.ends, calls.slow], most=2, patience=20)
    assert calls.kept == [1], "what is paid is kept, and nothing further begun"


def test_but_not_for_longer_than_they_may_take():
    calls, started = Calls(ValueError("no")), time.monotonic()
    with pytest.raises(ValueError, match="no"):
        at_once([calls.slow, calls.ends], most=2, patience=0.05)
    assert (calls.kept, time.monotonic() - started < 0.25) == ([], True)


def test_ctrl_c_waits_for_them_and_a_second_one_does_not():
    """The signals are real: the first while a call is under way, the second while it is waited for."""
    calls = Calls(ValueError("nobody raises it"))

    def interrupts(stop: threading.Event) -> None:
        calls.sent.wait(5)
        os.kill(os.getpid(), signal.SIGINT)
        stop.wait(5)

    with pytest.raises(KeyboardInterrupt):
        at_once([calls.slow, interrupts], most=2, patience=20)
    assert calls.kept == [1]

    def interrupts_twice(stop: threading.Event) -> None:
        interrupts(stop)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        at_once([interrupts_twice], most=1, patience=20)
    assert time.monotonic() - started < 3


def test_a_hold_is_everybodys():
    clock = [0.0]
    pace = Pace(per_minute=60, now=lambda: clock[0])
    assert (pace.slot(), pace.slot()) == (0.0, 1.0)
    pace.hold(30)
    assert (pace.slot(), pace.slot()) == (30.0, 31.0)
    clock[0] = 100.0
    assert pace.slot() == 0.0  # time that nobody used is not saved up
    pace.hold(0.5)
    assert pace.slot() == 1.0  # the later of both


def test_counts_of_many_threads_add_up():
    ledger = Ledger()

    def counts(number: int, stop: threading.Event) -> None:
        for _ in range(200):
            ledger.count("judge", f"context {number % 3}", calls=1, prompt_tokens=2)

    at_once([partial(counts, number) for number in range(9)], most=9)
    assert ledger.total().prompt_tokens == 2 * 9 * 200
    assert ledger.total(label="context 1").calls == 3 * 200
    assert sum(row["calls"] for row in ledger.as_data()) == ledger.take()["judge"]["calls"] == 1800


def test_a_ctrl_c_waits_for_every_job_under_way():
    finished = []

    def lasting(seconds):
        def job(stop):
            time.sleep(seconds)
            finished.append(seconds)

        return job

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background has it ignored
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            at_once([lasting(1.0), lasting(0.5)], most=2, patience=30)
    finally:
        signal.signal(signal.SIGINT, before)
    assert finished == [0.5, 1.0], "the one that the main thread was waiting for as well"
