"""accelerate launch with manners: signals handed on, exit statuses passed through, a death told in one line.

    python -m selfplay.launch --config_file launch/accelerate/laptop.yaml -m selfplay.train recipe=sqlm_small

Takes the words of ``accelerate launch`` and starts accelerate's own launcher, in this process. What differs:

- SIGINT, SIGTERM and SIGUSR1 go to every process of this machine, as a polite SIGTERM, and are waited for without a
  limit; torch's launcher kills after 30 s (TORCH_ELASTIC_SHUTDOWN_TIMEOUT), accelerate's orphans its one process;
- the exit status is the job's: 2 for a recipe's mistake, 130 for a stopped run; accelerate answers 1 to everything;
- a process that was killed is named, with the signal and the way on; accelerate and torch print their own tracebacks;
- where a sweep started it and is gone, the job is asked to save and stop.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from selfplay.learner.watch import LAUNCHER_PID, LOOK_SECONDS, is_alive

POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
STOPPED = 130
BY_US = tuple(-number for number in POLITE)
"""Statuses of a process that was asked before it could listen."""


class Death(NamedTuple):
    """How a process ended: its rank, and its exit status, negative for a signal."""

    rank: int
    status: int


def main(words: Sequence[str] | None = None) -> int:
    """Run a job to its end and return its exit status; 1 when a process was killed."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while torch is imported there is nothing yet to be stopped politely
    from accelerate.commands.launch import launch_command_parser

    args = launch_command_parser().parse_args(words)
    starter = os.environ.get(LAUNCHER_PID)
    os.environ[LAUNCHER_PID] = str(os.getpid())
    os.environ["PET_SIGNALS_TO_HANDLE"] = "SIGQUIT"  # torch's launcher would take the others from us
    asked = _hand_on_signals()
    if starter:
        threading.Thread(target=_follow, args=(int(starter), os.getppid()), daemon=True).start()
    logging.disable(logging.ERROR)  # torch's launcher tells the same deaths in thirty lines
    deaths = _launch(args)
    if not deaths:
        return 0
    death = cause(deaths)
    if death.status == STOPPED or (asked and death.status in BY_US):
        return STOPPED
    if death.status > 0:
        return death.status  # the process has said why
    _tell(death, args)
    return 1


def cause(deaths: Sequence[Death]) -> Death:
    """The one that the others followed: torch's launcher ends the rest with SIGTERM, and who loses a peer ends with 1.

    >>> cause([Death(0, 1), Death(1, -9)])
    Death(rank=1, status=-9)
    >>> cause([Death(0, -15), Death(1, 1)])
    Death(rank=1, status=1)
    """
    order = {STOPPED: 0, -signal.SIGTERM: 3}
    return min(deaths, key=lambda death: order.get(death.status, 1 if death.status < 0 else 2))


def _hand_on_signals() -> list[int]:
    """From now on; the list fills with what was asked."""
    import psutil

    asked: list[int] = []

    def hand_on(number, frame) -> None:
        asked.append(number)
        children = psutil.Process().children()
        if not children:  # nothing has begun yet
            os._exit(STOPPED)
        for child in children:
            with suppress(psutil.Error):  # one that has just ended
                child.send_signal(signal.SIGTERM)

    for number in POLITE:
        signal.signal(number, hand_on)
    return asked


def _follow(starter: int, parent: int) -> None:
    """Stop as if asked when the sweep that started us, whose child we are or were, is gone."""
    while os.getppid() == parent and is_alive(starter):
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _launch(args) -> list[Death]:
    """What of the job did not end well, the first one first; empty when all did."""
    from accelerate.commands.launch import launch_command
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    args.quiet = False  # accelerate would make 1 of every exit status
    try:
        launch_command(args)
    except subprocess.CalledProcessError as error:
        return [Death(0, error.returncode)]
    except ChildFailedError as error:
        failures = sorted(error.failures.items(), key=lambda item: item[1].timestamp)
        return [Death(rank, failure.exitcode) for rank, failure in failures]
    return []


def _tell(death: Death, args) -> None:
    name = signal.Signals(-death.status).name
    hint = "; out of memory?" if name == "SIGKILL" else ""
    world = args.num_processes or 1
    line = f"process {death.rank} of {world} died (signal {-death.status}, {name}{hint}); {_way_on(args)}"
    print(f"selfplay: {line}", file=sys.stderr)


def _way_on(args) -> str:
    from selfplay.configuration import RecipeError, compose
    from selfplay.learner.checkpoint_names import latest_checkpoint

    try:
        config = compose(list(args.training_script_args))
    except RecipeError:
        return "what was saved before is whole"
    saved = latest_checkpoint(Path(config.output_dir) / str(config.run_name) / "checkpoints")
    if saved is None:
        return "no checkpoint had been written"
    return f"the last whole checkpoint is {saved}; go on with resume=auto"


if __name__ == "__main__":
    sys.exit(main())
