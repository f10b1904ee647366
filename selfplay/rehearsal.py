"""A run without a model of ours: scripts, people or endpoints play, and every room but the learner is gone through.

    accelerate launch -m selfplay.train recipe=sqlm_small debug=scripted

Windows are played, paid, remembered and recorded as in training; nothing is loaded and nothing learns. After each
window a checkpoint holds what the run remembers, so ``resume`` means what it means for training: a killed run plays its
window again, and takes from the folder ``calls`` what an endpoint had answered. (A script begins again.)
"""

from __future__ import annotations

import shutil
from pathlib import Path

from omegaconf import DictConfig

from selfplay.arena import arena_of, journal_of
from selfplay.configuration import build
from selfplay.learner import durable
from selfplay.learner.checkpoint_names import CheckpointError, checkpoint_name, latest_checkpoint, read_state
from selfplay.learner.state_file import memories, prune, restore, write_state
from selfplay.learner.window import Arena, play_window
from selfplay.patient_stop import patient_stop
from selfplay.players import endpoint_facts, endpoint_rows, keep_answers, sampler_of
from selfplay.run_folder import RunFolder
from selfplay.tracking.journal import Journal
from selfplay.types import Game, Sampler


def rehearse(config: DictConfig, folder: RunFolder) -> int:
    """Exit status 0 after ``max_steps`` windows, those before the checkpoint included.

    Raises:
        Exception: what the game raises; EndpointError, CannotRecord and CheckpointError are one line for the user.
    """
    game: Game = build(config, "game")
    sampler = sampler_of(config, game, _no_model)
    arena = arena_of(config, game, sampler)
    done = 0
    if folder.checkpoint is not None:
        state = read_state(folder.checkpoint)
        restore(memories(arena), state)
        done = state["window"]
    keep_answers(sampler, folder.path, rank=0)
    with patient_stop(tell=bool(arena.ledgers)), journal_of(config, folder, rank=0) as journal:
        for number in range(done, config.max_steps):
            window = play_window(arena, number, rank=0, world=1, gather=lambda mine: mine)
            journal.episodes(number + 1, window.everyone)
            for warning in window.warnings:
                journal.warn(number + 1, warning)
            journal.record(number + 1, window.measures)
            _save(config, arena, journal, number + 1)
        journal.finish(facts=endpoint_facts(endpoint_rows(sampler), folder.path))
    return 0


def _save(config: DictConfig, arena: Arena, journal: Journal, window: int) -> None:
    """A checkpoint after so many windows, whole or absent, in the form of training's; it has no weights."""
    step = window * config.learner.updates_per_window
    final = journal.folder / "checkpoints" / checkpoint_name(step)
    writing = durable.hidden(final, durable.WRITING)
    state = {name: holder.state_dict() for name, holder in memories(arena).items()} | {
        "step": step,
        "window": window,  # the next to be played; the seeds' position follows from it
        "wandb_run_id": journal.run_id,
        "best": None,
        "config": dict(journal.run.config),
        "versions": dict(journal.run.versions),
        "launched": None,  # one process plays, however many were launched
    }
    try:
        _write(writing, final, state, journal)
    except OSError as error:
        shutil.rmtree(writing, ignore_errors=True)
        last = latest_checkpoint(final.parent)
        raise CheckpointError(
            f"cannot write the checkpoint of step {step} ({error.strerror or error}); the last whole one is {last}. "
            "Make room, then go on with resume=auto."
        ) from error
    try:
        prune(final.parent, config.learner.keep)
    except OSError as error:  # an old one in the way is no reason to end the run
        journal.warn(window, f"an old checkpoint could not be removed ({error}).")


def _write(writing: Path, final: Path, state: dict[str, object], journal: Journal) -> None:
    shutil.rmtree(writing, ignore_errors=True)
    writing.mkdir(parents=True)
    write_state(writing, state)
    durable.seal(writing)
    durable.sync_tree(writing)
    journal.sync()  # the record of these windows is not to be younger than the checkpoint that follows them
    durable.publish(writing, final)


def _no_model() -> Sampler:
    raise AssertionError("a rehearsal is asked for only when no role is the model's")
