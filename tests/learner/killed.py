"""A checkpoint's writer, killed at every step of its way: by SIGKILL before and in the middle of each file operation.

python -m tests.learner.killed BASE FOLDER
FOLDER/after-N is what the N-th kill left, FOLDER/operations.json lists the operations.

One process builds a trainer with two checkpoints; a fork of it saves the third, with one to keep, and kills itself. So
each kill costs milliseconds instead of the imports of torch. Audit events tell of what Python does to files; torch and
safetensors write in C++ and Rust, so their calls are wrapped, and killed once in the middle of the file.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import safetensors.torch
import torch

from selfplay.learner import checkpoints
from selfplay.policy import Policy, adapters
from tests.learner.harness import ROLES, FixedGame, make_trainer

FILE_EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")
KEEP_BEFORE, KEEP = 2, 1  # the killed save has two checkpoints to remove


class Killer:
    """Counts file operations below a folder and dies of the ``number``-th; 0 only counts."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number, self.passed = str(folder), number, []

    def watch(self) -> None:
        sys.addaudithook(self._audit)
        fsync, save, save_file = os.fsync, torch.save, safetensors.torch.save_file
        os.fsync = lambda handle: (self._pass(f"fsync {_name(handle)}"), fsync(handle))
        torch.save = lambda value, path, **more: self._half(path, lambda: save(value, path, **more))
        adapters.save_file = lambda value, path, **more: self._half(path, lambda: save_file(value, path, **more))

    def _audit(self, event, arguments) -> None:
        if event in FILE_EVENTS and _writes(event, arguments):
            self._pass(f"{event} {os.fspath(arguments[0])}" if not isinstance(arguments[0], int) else event)

    def _half(self, path, write) -> None:
        self._pass(f"create {path}")
        write()
        if len(self.passed) + 1 == self.number:
            os.truncate(path, Path(path).stat().st_size // 2)
        self._pass(f"half of {path}")

    def _pass(self, operation: str) -> None:
        self.passed.append(operation)
        if len(self.passed) == self.number:
            os.kill(os.getpid(), signal.SIGKILL)


def _writes(event: str, arguments) -> bool:
    return event != "open" or bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))


def _name(handle: int) -> str:
    return str(Path(f"/proc/self/fd/{handle}").readlink())


def main(base: str, folder: Path) -> None:
    policy = Policy.build(base=base, roles=ROLES, rank=4, alpha=8, seed=0)
    game = FixedGame(policy.model.config.vocab_size)
    run = folder / "run"
    trainer = make_trainer(policy, run, game=game, max_steps=2, save_every=1, keep_checkpoints=KEEP_BEFORE)
    trainer.train()
    trainer.state.global_step, trainer.keep_checkpoints = 3, KEEP
    shutil.copytree(run, folder / "before")
    operations = in_a_fork(trainer, folder / "run", number=0)
    for number in range(1, len(operations) + 1):
        shutil.rmtree(run)
        shutil.copytree(folder / "before", run)
        in_a_fork(trainer, run, number)
        shutil.copytree(run, folder / f"after-{number}")
    (folder / "operations.json").write_text(json.dumps(operations))


def in_a_fork(trainer, run: Path, number: int) -> list[str]:
    """The operations of one save; the fork dies of the ``number``-th of them."""
    told = run.with_name("operations.json")  # of the save that nobody killed
    child = os.fork()
    if not child:
        killer = Killer(run, number)
        killer.watch()
        checkpoints.save(trainer)
        told.write_text(json.dumps(killer.passed))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    expected = signal.SIGKILL if number else 0
    assert status == expected, f"operation {number}: status {status}"
    return json.loads(told.read_text()) if not number else []


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
