"""Checkpoints: complete, whole or absent, and only at window boundaries.

    checkpoints/step-000020/
        adapters/<adapter>/     PEFT format, read back and compared after writing
        optimizer.pt scheduler.pt rng_state*.pth trainer_state.json      as transformers writes them; read back too
        state.json              the game's memory, alarms, baselines, and what a resume must agree with
        manifest.json           size and sha256 of all of these
    checkpoints/best.json       with learner.keep_best: which checkpoint is the best, and kept besides the last

A checkpoint is written to a hidden folder, brought to the disk and renamed, so a kill or a power cut at any moment
leaves the last whole one. What one rank cannot write, no rank goes on from.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfplay.learner import durable
from selfplay.learner.agreement import reason, together
from selfplay.learner.best import name_best
from selfplay.learner.checkpoint_names import CheckpointError, checkpoint_name, latest_checkpoint, read_state
from selfplay.learner.checkpoint_parts import write_optimizer, write_randomness
from selfplay.learner.rates import RecipeRates
from selfplay.learner.state_file import memories, prune, restore, write_state

if TYPE_CHECKING:
    from selfplay.learner.trainer import SelfPlayTrainer


def save(trainer: SelfPlayTrainer) -> None:
    """Write a checkpoint of the present step. Collective.

    Raises:
        CheckpointError: on every rank, when the disk of one refused; nothing half-written is left, and the last whole
            checkpoint is named.
    """
    step = trainer.state.global_step
    assert step % trainer.updates_per_window == 0, "a checkpoint in mid-window could not be resumed exactly"
    final = checkpoints_of(trainer) / checkpoint_name(step)
    writing = durable.hidden(final, durable.WRITING)
    first = trainer.args.should_save
    try:
        together(lambda: _begin(writing) if first else None)
        together(lambda: trainer.policy.save(writing / "adapters", write=first))
        together(lambda: write_optimizer(trainer, writing))
        together(lambda: write_randomness(trainer, writing))
        together(lambda: _write_state(trainer, writing) if first else None)
        together(lambda: durable.sync_tree(writing))  # on every rank: another machine's writes are that machine's
        together(lambda: _finish(trainer, writing, final) if first else None)
    except Exception as error:
        if first:
            shutil.rmtree(writing, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        last = latest_checkpoint(final.parent)
        kept = f"the last whole one is {last}" if last else "no earlier one exists"
        raise CheckpointError(
            f"cannot write the checkpoint of step {step} ({reason(error)}); {kept}. Make room, then go on with "
            "resume=auto."
        ) from error


def load(trainer: SelfPlayTrainer, folder: Path) -> None:
    """Bring adapters, game memory, alarms and baselines back; transformers restores the rest.

    Raises:
        CheckpointError: torn, or made for another policy.
    """
    try:
        trainer.policy.load(folder / "adapters")
    except ValueError as error:
        raise CheckpointError(f"{folder} cannot be resumed: {error}") from error
    state = read_state(folder)
    restore(_memories(trainer), state)
    if trainer.best is not None:
        trainer.best.take_up(state["best"], checkpoints_of(trainer))
    if trainer.args.should_save:
        name_best(trainer.best, checkpoints_of(trainer))
    trainer.add_callback(RecipeRates(trainer))


def checkpoints_of(trainer: SelfPlayTrainer) -> Path:
    """The run's folder of checkpoints."""
    return Path(trainer.args.output_dir or ".") / "checkpoints"


def _begin(writing: Path) -> None:
    shutil.rmtree(writing, ignore_errors=True)
    writing.mkdir(parents=True)


def _write_state(trainer: SelfPlayTrainer, folder: Path) -> None:
    trainer.state.save_to_json(str(folder / "trainer_state.json"))
    journal = trainer.journal
    state: dict[str, Any] = {name: holder.state_dict() for name, holder in _memories(trainer).items()}
    state |= {
        "step": trainer.state.global_step,
        "window": trainer.windows,  # the next to be played; the seeds' position follows from it
        "wandb_run_id": journal.run_id,
        "best": trainer.best.record if trainer.best else None,
        "config": dict(journal.run.config),
        "versions": dict(journal.run.versions),
        "launched": {"processes": trainer.args.world_size, "strategy": strategy_of(trainer)},
    }
    write_state(folder, state)
    json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))


def strategy_of(trainer: SelfPlayTrainer) -> str:
    """As ``Launched.strategy``, from the trainer that runs."""
    plugin = trainer.accelerator.state.deepspeed_plugin if trainer.is_deepspeed_enabled else None
    return "plain" if plugin is None else f"zero{plugin.zero_stage}"


def _memories(trainer: SelfPlayTrainer) -> dict[str, Any]:
    return {**memories(trainer.arena), "bad_steps": trainer.bad_steps}


def _finish(trainer: SelfPlayTrainer, writing: Path, final: Path) -> None:
    durable.seal(writing)
    durable.sync(writing / durable.MANIFEST)
    durable.sync(writing)
    trainer.journal.sync()  # the record of these steps is not to be younger than the checkpoint that follows them
    durable.publish(writing, final)
    name_best(trainer.best, final.parent)
    best = trainer.best.record["checkpoint"] if trainer.best and trainer.best.record else None
    try:
        prune(final.parent, trainer.keep_checkpoints, best)
    except OSError as error:  # the checkpoint is there; an old one in the way is no reason to end the run
        trainer.journal.warn(trainer.windows, f"an old checkpoint could not be removed ({error}).")
