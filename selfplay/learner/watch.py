"""A watch in every process of a job: when another piece of it dies, this one ends too, with the cause in one line.

    launcher gone     the parent process has changed, or the store that it keeps is gone: this process asks itself to
                      save and stop after the window (SIGUSR1), and ends after GRACE_SECONDS whether it did or not
    process gone      a collective failed, or its beat in the store stands still for SILENCE beats: ends at once

A single machine's launcher sees a dead process by itself and ends the others; that of another machine does not, and a
collective may wait for a dead peer for ever. The beat comes from a thread with a connection of its own, so that no
computation delays it (torch lets other Python threads run meanwhile). Ending at once loses the window at most:
checkpoints are whole or absent.

The parent counts only where a launcher started us: ``python -m selfplay.train`` under nohup outlives its shell.
Imports nothing heavy until it must, so that the watch can begin before torch is loaded.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from selfplay.learner.checkpoint_names import latest_checkpoint

if TYPE_CHECKING:
    from torch._C._distributed_c10d import TCPStore

LOOK_SECONDS = 1.0
BEAT_SECONDS = 3.0
GRACE_SECONDS = 45.0
SILENCE = 15
"""Own beats without one of a peer's: 45 s. Counted in beats, so that a job stopped and continued finds nobody dead."""

LAUNCHER_PID = "SELFPLAY_LAUNCHER_PID"
"""Our own launcher, and a sweep, name themselves: one that died before we could look is found gone all the same."""

LAUNCHERS = ("TORCHELASTIC_RUN_ID", "ACCELERATE_MIXED_PRECISION", LAUNCHER_PID)
"""Set by torchrun and every multi-process launcher of accelerate; by accelerate's one-process launcher; by us."""

LOST = re.compile(r"gloo|nccl|connection (closed|reset)|broken pipe|tcpstore|\bstore\b", re.IGNORECASE)
"""What torch's errors say when a peer went away in the middle of a collective."""


class Watch:
    """Begun by ``start``, told of the peers by ``join``, and ended by ``leave`` before a process goes in peace."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.rank, self.world = int(environment.get("RANK", "0")), int(environment.get("WORLD_SIZE", "1"))
        self.launched = any(name in environment for name in LAUNCHERS)
        self.checkpoints: Path | None = None  # of the run, as soon as it is known
        self._parent = os.getppid()
        self._launcher = int(environment.get(LAUNCHER_PID, self._parent))
        self._address = (environment.get("MASTER_ADDR", ""), int(environment.get("MASTER_PORT", "0")))
        self._attempt = f"selfplay/watch/{environment.get('TORCHELASTIC_RESTART_COUNT', '0')}"
        self._beats: threading.Thread | None = None
        self._looks_since_beat = 0
        self._left = threading.Event()
        self._winding_up = threading.Lock()

    def start(self) -> None:
        """Watch the launcher, if there is one."""
        if self.launched or self.world > 1:
            threading.Thread(target=self._look, name="watch", daemon=True).start()

    def join(self) -> None:
        """Watch the other processes; call when all of them have met."""
        if self.world > 1:
            self._beats = threading.Thread(target=self._beat, name="beat", daemon=True)
            self._beats.start()

    def leave(self) -> None:
        """Say goodbye: whoever is silent from now on is not dead."""
        self._left.set()
        if self._beats is not None:
            self._beats.join(timeout=BEAT_SECONDS)

    def lost(self, error: BaseException) -> bool:
        """Whether ``error`` is what a survivor of another process's death sees."""
        return self.world > 1 and LOST.search(f"{type(error).__name__} {error}") is not None

    def end(self, cause: str) -> NoReturn:
        """End this process now. Threads and collectives that wait for the dead are not asked."""
        saved = latest_checkpoint(self.checkpoints) if self.checkpoints else None
        kept = f"the last whole checkpoint is {saved}; go on with resume=auto" if saved else "no checkpoint was written"
        os.write(2, f"selfplay: process {self.rank} of {self.world} ends: {cause}; {kept}.\n".encode())
        os._exit(1)

    def _look(self) -> None:
        while not self._left.wait(LOOK_SECONDS):
            if self.launched and (os.getppid() != self._parent or not is_alive(self._launcher)):
                self._wind_up("its launcher is gone")
            if self._beats is None:
                continue
            self._looks_since_beat += 1
            if self._looks_since_beat * LOOK_SECONDS > SILENCE * BEAT_SECONDS:
                self.end(f"no answer for {SILENCE * BEAT_SECONDS:.0f} s from {self._address[0]}, where processes meet")

    def _beat(self) -> None:
        from torch._C._distributed_c10d import TCPStore

        host, port = self._address
        try:
            store = TCPStore(host, port, is_master=False, timeout=timedelta(seconds=SILENCE * BEAT_SECONDS))
            self._beat_on(store)
            store.set(f"{self._attempt}/left/{self.rank}", "1")
        except RuntimeError:  # torch's DistError and its kin
            if not self._left.wait(2 * LOOK_SECONDS):  # a launcher that is found gone comes first
                self._wind_up(f"{host}, where the job's processes meet, is gone")

    def _wind_up(self, cause: str) -> None:
        """Ask the main thread to save and stop, and end this process when that has taken too long."""
        if self._winding_up.acquire(blocking=False):
            os.write(2, f"selfplay: process {self.rank} of {self.world}: {cause}; saving and stopping.\n".encode())
            os.kill(os.getpid(), signal.SIGUSR1)
        if not self._left.wait(GRACE_SECONDS):  # this thread does not keep a process alive that is done
            self.end(cause)

    def _beat_on(self, store: TCPStore) -> None:
        peers = [rank for rank in range(self.world) if rank != self.rank]
        heard = dict.fromkeys(peers, 0)
        silent = dict.fromkeys(peers, 0)
        while not self._left.wait(BEAT_SECONDS):
            store.add(f"{self._attempt}/beat/{self.rank}", 1)
            for peer in peers:
                beats = store.add(f"{self._attempt}/beat/{peer}", 0)
                silent[peer] = 0 if beats != heard[peer] else silent[peer] + 1
                heard[peer] = beats
                if silent[peer] >= SILENCE and not store.check([f"{self._attempt}/left/{peer}"]):
                    self.end(f"process {peer} has been silent for {SILENCE * BEAT_SECONDS:.0f} s")
            self._looks_since_beat = 0


def is_alive(pid: int) -> bool:
    """Whether there is such a process, one that has ended and is not yet waited for included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
