"""What happens around the optimizer step: resting adapters, fresh samplers, yardsticks, stopping politely."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from transformers import TrainerCallback

from selfplay.learner.best import Best
from selfplay.learner.examiner import Examiner
from selfplay.learner.ranks import gather_objects

if TYPE_CHECKING:
    from selfplay.learner.trainer import SelfPlayTrainer

ECHO_SECONDS = 1.0
"""A terminal's Ctrl-C reaches a process twice where its launcher hands it on: so close together they are one."""


class StepCallback(TrainerCallback):
    """Before the step: adapters at rest get learning rate 0. After it: the sampler's copy of the weights is stale."""

    def __init__(self, trainer: SelfPlayTrainer) -> None:
        self.trainer = trainer

    def on_step_begin(self, args, state, control, **_):
        self.trainer.rest()

    def on_optimizer_step(self, args, state, control, **_):
        self.trainer.policy.advance()


class ExamineCallback(TrainerCallback):
    """Measures from outside before the first window, after every ``every`` windows and after the last; a window that is
    the best so far is saved."""

    def __init__(self, examiner: Examiner, every: int, updates_per_window: int, best: Best | None = None) -> None:
        self.examiner = examiner
        self.every = every
        self.updates_per_window = updates_per_window
        self.best = best

    def on_train_begin(self, args, state, control, **_):
        measured = self.examiner.begin(state.global_step // self.updates_per_window)
        if measured and self.best is not None:
            self.best.value_in(measured)  # a name that nothing measures is told now, not after many windows

    def on_step_end(self, args, state, control, **_):
        window, rest = divmod(state.global_step, self.updates_per_window)
        last = state.global_step >= state.max_steps
        if not rest and (last or window % self.every == 0):
            measured = self.examiner.examine(window)
            if self.best is not None and self.best.offer(state.global_step, window, measured):
                control.should_save = True


class StopCallback(TrainerCallback):
    """The first SIGINT, SIGTERM or SIGUSR1, to whichever process, ends the run after the present window, with a
    checkpoint; a second SIGINT or SIGTERM at once. SIGUSR1 may be sent to all processes, and more than once: it is
    what a scheduler sends, since launchers keep their hands off it, and the watch when the launcher is gone."""

    def __init__(self, updates_per_window: int) -> None:
        self.updates_per_window = updates_per_window
        self._asked_at: float | None = None

    def install(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
                signal.signal(number, self._ask)

    def _ask(self, number, frame) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            if os.environ.get("RANK", "0") == "0":  # print could meet itself: a signal comes at any moment
                os.write(2, b"\nselfplay: stopping after this window; once more stops at once\n")
        elif number != signal.SIGUSR1 and now - self._asked_at > ECHO_SECONDS:
            raise KeyboardInterrupt

    def on_step_end(self, args, state, control, **_):
        if state.global_step % self.updates_per_window:
            return
        if any(gather_objects(self._asked_at is not None)):  # else one rank would save, and wait, alone
            control.should_save = True
            control.should_training_stop = True
