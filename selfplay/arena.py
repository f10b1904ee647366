"""Config -> the rooms that need no tensor library: the arena that windows are played in, and the journal."""

from __future__ import annotations

from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from selfplay.advantages import RoleBaselines
from selfplay.configuration import build
from selfplay.domains.checker import desk
from selfplay.learner.checkpoint_names import read_state
from selfplay.learner.seeds import SeedStream
from selfplay.learner.window import Arena
from selfplay.run_folder import RunFolder
from selfplay.skills.store import SKILLS, SkillStore
from selfplay.tracking.journal import Journal
from selfplay.tracking.run_info import RunInfo
from selfplay.types import Game, Sampler


def arena_of(config: DictConfig, game: Game, sampler: Sampler) -> Arena:
    """The arena that a recipe describes, around a game and whoever plays it."""
    return Arena(
        game=game,
        sampler=sampler,
        seeds=SeedStream(list(config.seeds.topics), config.seeds.per_window),
        control=build(config, "control"),
        alarms=build(config, "guards.alarms"),
        scale=config.learner.scale,
        baselines=RoleBaselines() if config.learner.baseline == "role_ema" else None,
        run_seed=config.seed,
        troubles=desk().troubles,
    )


def journal_of(config: DictConfig, folder: RunFolder, rank: int) -> Journal:
    """The run's journal, begun or continued; silent on every rank but the first."""
    run = RunInfo(
        recipe=config.recipe,
        seed=config.seed,
        steps=config.max_steps,
        control=config.control.arm,
        name=config.run_name,
        config=cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)),
    )
    if rank:
        return Journal.silent(folder.path, run)
    tracking, keepers = build(config, "tracking"), [SkillStore(folder.path / SKILLS)]
    if folder.checkpoint is None:
        return Journal.open(folder.path, run, tracking, keepers=keepers)
    state = read_state(folder.checkpoint)
    window = state["step"] // config.learner.updates_per_window
    if not folder.continues:  # another run's checkpoint: its weights are taken up, its record is not
        return Journal.open(folder.path, run, tracking, keepers=keepers)
    return Journal.open(folder.path, run, tracking, window, state["wandb_run_id"], keepers)
