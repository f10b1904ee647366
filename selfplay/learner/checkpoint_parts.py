"""The files of a checkpoint that torch and DeepSpeed write, and that they hold what they should.

torch.load notices a missing end but no changed byte (its archives' checksums are not looked at), hence the comparison.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from transformers.trainer_pt_utils import safe_globals

if TYPE_CHECKING:
    from selfplay.learner.trainer import SelfPlayTrainer

TORCH_ON_A_FULL_DISK = ("inline_container", "write(): fd")
"""How torch.save, in its two formats, tells of a disk that takes no more: by a RuntimeError with these words."""


def write_optimizer(trainer: SelfPlayTrainer, folder: Path) -> None:
    """Optimizer and scheduler, read back; under DeepSpeed one shard of each rank, and collective.

    Raises:
        OSError: the disk refused, or gave back other values.
    """
    waiting = _waiting_for_the_others(trainer.model_wrapped) if trainer.is_deepspeed_enabled else nullcontext()
    with _as_oserror(), waiting:
        trainer._save_optimizer_and_scheduler(str(folder))
    if trainer.args.should_save and not trainer.is_deepspeed_enabled:
        parts: dict[str, Any] = {"optimizer.pt": trainer.optimizer, "scheduler.pt": trainer.lr_scheduler}
        for name, part in parts.items():
            _compare(folder / name, part.state_dict())


def write_randomness(trainer: SelfPlayTrainer, folder: Path) -> None:
    """This rank's random states, read back.

    Raises:
        OSError: the disk refused, or gave back another state.
    """
    with _as_oserror():
        trainer._save_rng_state(str(folder))
    several = trainer.args.world_size > 1
    name = f"rng_state_{trainer.args.process_index}.pth" if several else "rng_state.pth"
    with safe_globals():
        found = _read(folder / name)
    if not torch.equal(found["cpu"], torch.random.get_rng_state()):
        raise OSError(f"{name} reads back differently from what was written")


def same(one: Any, other: Any) -> bool:
    """Whether two nested states hold equal values, wherever their tensors lie.

    >>> same({"lr": [1.0], "m": torch.zeros(2)}, {"lr": [1.0], "m": torch.zeros(2)})
    True
    """
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one.cpu(), other.cpu())
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return bool(one == other) or (one != one and other != other)  # not a number is what it was


def _compare(path: Path, written: Any) -> None:
    if not same(_read(path), written):
        raise OSError(f"{path.name} reads back differently from what was written")


def _read(path: Path, weights_only: bool = True) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=weights_only)
    except Exception as error:  # a damaged file raises whatever its damage leads to
        raise OSError(f"{path.name} cannot be read back ({type(error).__name__})") from error


@contextmanager
def _as_oserror() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if not any(words in str(error) for words in TORCH_ON_A_FULL_DISK):
            raise
        raise OSError("the disk took no more") from error


@contextmanager
def _waiting_for_the_others(engine: Any) -> Iterator[None]:
    """DeepSpeed's ranks wait for each other inside ``save_checkpoint``, so a rank whose disk refuses must not leave it
    early: its error is held back until all have come through. What was written is read again at once."""
    refused: list[Exception] = []
    write, save = engine.checkpoint_engine.save, engine.save_checkpoint

    def write_and_read(state_dict: Any, path: str) -> None:
        try:
            write(state_dict, path)
            _read(Path(path), weights_only=False)  # this process's own words
        except Exception as error:  # raised below
            refused.append(error)

    @functools.wraps(save)  # transformers looks at its arguments
    def save_and_wait(*args: Any, **kwargs: Any) -> None:
        try:
            save(*args, **kwargs)
        except OSError as error:  # of the last small file, after which the others wait for this rank
            refused.append(error)
            dist.barrier()

    engine.checkpoint_engine.save, engine.save_checkpoint = write_and_read, save_and_wait
    engine._copy_recovery_script = lambda save_path: None  # what these scripts rebuild lies in adapters/
    try:
        yield
    finally:
        del engine.checkpoint_engine.save, engine.save_checkpoint, engine._copy_recovery_script
    if refused:
        raise refused[0]
