"""Checkpoints: complete, whole or absent, and only at window boundaries.

    checkpoints/step-000020/
        adapters/<adapter>/     PEFT format, read back and compared after writing
        optimizer.pt scheduler.pt rng_state*.pth trainer_state.json      as transformers writes them
        state.json              the game's memory, alarms, baselines, and what a resume must agree with

A checkpoint is written to a hidden folder and renamed, so a kill at any moment leaves the last whole one.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch.distributed as dist

from selfplay.learner.checkpoint_names import (
    CheckpointError,
    checkpoint_name,
    latest_checkpoint,
    read_state,
    whole_checkpoints,
)

if TYPE_CHECKING:
    from selfplay.learner.trainer import SelfPlayTrainer


def save(trainer: SelfPlayTrainer) -> None:
    """Write a checkpoint of the present step. Collective.

    Raises:
        CheckpointError: the disk refused; nothing half-written is left, and the last whole checkpoint is named.
    """
    step = trainer.state.global_step
    assert step % trainer.updates_per_window == 0, "a checkpoint in mid-window could not be resumed exactly"
    parent = Path(trainer.args.output_dir or ".") / "checkpoints"
    final, writing = parent / checkpoint_name(step), parent / f".{checkpoint_name(step)}.writing"
    try:
        if trainer.args.should_save:
            shutil.rmtree(writing, ignore_errors=True)
            writing.mkdir(parents=True)
        _barrier()
        _write_parts(trainer, writing)
        _barrier()
        if trainer.args.should_save:
            shutil.rmtree(final, ignore_errors=True)  # the same step, written by a run that was resumed from before it
            writing.rename(final)
            _prune(parent, trainer.keep_checkpoints)
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "inline_container" not in str(error):
            raise  # torch.save tells of a full disk by this one
        shutil.rmtree(writing, ignore_errors=True)
        last = latest_checkpoint(parent)
        kept = f"the last whole one is {last}" if last else "no earlier one exists"
        reason = "the disk took no more" if isinstance(error, RuntimeError) else error
        raise CheckpointError(f"cannot write the checkpoint of step {step} ({reason}); {kept}.") from error


def load(trainer: SelfPlayTrainer, folder: Path) -> None:
    """Bring adapters, game memory, alarms and baselines back; transformers restores the rest."""
    trainer.policy.load(folder / "adapters")
    state = read_state(folder)
    for name, holder in _memories(trainer).items():
        holder.load_state_dict(state[name])


def _write_parts(trainer: SelfPlayTrainer, folder: Path) -> None:
    trainer.policy.save(folder / "adapters", write=trainer.args.should_save)
    trainer._save_optimizer_and_scheduler(str(folder))
    trainer._save_rng_state(str(folder))
    if trainer.args.should_save:
        trainer.state.save_to_json(str(folder / "trainer_state.json"))
        state = {name: holder.state_dict() for name, holder in _memories(trainer).items()}
        state["step"] = trainer.state.global_step
        state["wandb_run_id"] = trainer.journal.run_id
        (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")


def _memories(trainer: SelfPlayTrainer) -> dict[str, Any]:
    memories: dict[str, Any] = {"game": trainer.arena.game, "alarms": trainer.arena.alarms}
    memories["bad_steps"] = trainer.bad_steps
    if trainer.arena.baselines is not None:
        memories["baselines"] = trainer.arena.baselines
    return memories


def _prune(parent: Path, keep: int) -> None:
    """Remove all but the newest ``keep`` checkpoints; 0 keeps all."""
    for path in whole_checkpoints(parent)[:-keep] if keep else []:
        shutil.rmtree(path)


def _barrier() -> None:
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
