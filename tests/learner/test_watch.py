"""The watch: a process whose launcher or peer has died does not stay behind; one that takes its time is let be."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from torch.distributed import TCPStore

from selfplay.learner import watch
from selfplay.learner.watch import Watch

BEAT = 0.1

CHILD = (
    "import time; from selfplay.learner.watch import Watch; Watch().start(); print('on', flush=True); time.sleep(60)"
)
PARENT = (
    f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {CHILD!r}]);"
    "print(child.pid, flush=True); child.wait()"
)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("launcher", "survives"), [("ACCELERATE_MIXED_PRECISION", False), ("NOBODY", True)])
def test_a_process_ends_with_its_launcher_but_not_with_its_shell(launcher, survives):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, launcher: "no"})  # fmt: skip
    child = int(parent.stdout.readline())
    assert parent.stdout.readline() == "on\n"
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + (3 if survives else 30)
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_running(child) is survives
    if survives:
        os.kill(child, signal.SIGKILL)


@pytest.fixture
def ended(monkeypatch):
    """What watches ended for, instead of ending this process."""
    causes = []
    monkeypatch.setattr(Watch, "end", lambda self, cause: causes.append((self.rank, cause)) or self._left.set())
    monkeypatch.setattr(watch, "BEAT_SECONDS", BEAT)
    monkeypatch.setattr(watch, "LOOK_SECONDS", BEAT)
    return causes


def two_watches():
    store = TCPStore("127.0.0.1", 0, is_master=True, timeout=timedelta(seconds=20))
    address = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
    pair = [Watch({**address, "RANK": str(rank)}) for rank in (0, 1)]
    for one in pair:
        one.join()
    return store, *pair


def test_a_silent_process_ends_the_others(ended):
    _store, _first, second = two_watches()
    time.sleep(0.5)
    assert ended == []
    second._left.wait = lambda timeout=None: threading.Event().wait()  # for good: a late waker would end this process
    deadline = time.monotonic() + 30
    while not ended and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ended[0] == (0, f"process 1 has been silent for {watch.SILENCE * BEAT:.0f} s")


def test_whoever_said_goodbye_is_not_missed(ended):
    _store, first, second = two_watches()
    time.sleep(0.1)
    second.leave()
    time.sleep(2 * watch.SILENCE * BEAT)
    assert ended == []
    first.leave()


def test_only_errors_of_a_lost_peer_are_taken_for_one():
    watches = Watch({"RANK": "0", "WORLD_SIZE": "2"})
    assert watches.lost(RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:40210"))
    assert not watches.lost(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not Watch({}).lost(RuntimeError("Connection closed by peer"))
