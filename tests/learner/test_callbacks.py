"""Stopping politely: on every rank at once, and at once only for someone who asks twice."""

import os
import signal
from types import SimpleNamespace

import pytest
from transformers import TrainerControl

from selfplay.learner import callbacks
from selfplay.learner.callbacks import StopCallback

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def at_the_end_of(step, stop):
    control = TrainerControl()
    stop.on_step_end(None, SimpleNamespace(global_step=step), control)
    assert control.should_save == control.should_training_stop
    return control.should_training_stop


@pytest.fixture
def stop():
    before = {number: signal.getsignal(number) for number in ASKING}
    stop = StopCallback(updates_per_window=2)
    stop.install()
    yield stop
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ASKING)
def test_the_first_signal_waits_for_the_end_of_the_window(stop, number, capfd):
    assert not at_the_end_of(2, stop)
    os.kill(os.getpid(), number)
    assert "stopping after this window" in capfd.readouterr().err
    assert not at_the_end_of(3, stop)
    assert at_the_end_of(4, stop)


def test_an_echo_is_no_second_signal_but_a_second_one_is(stop, monkeypatch):
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    monkeypatch.setattr(callbacks, "ECHO_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_sigusr1_never_stops_at_once(stop, monkeypatch):
    monkeypatch.setattr(callbacks, "ECHO_SECONDS", 0.0)
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGUSR1)  # the watch's, when a scheduler has stopped the launcher as well
    assert at_the_end_of(2, stop)


def test_a_rank_stops_when_another_was_asked(stop, monkeypatch):
    """Else the one would wait in the checkpoint's barrier, the other in the next window's, for ever."""
    monkeypatch.setattr(callbacks, "gather_objects", lambda mine: [mine, True])
    assert at_the_end_of(2, stop)
