"""A run without a model of ours: scripts, people or endpoints play, and every room but the learner is gone through.

    accelerate launch -m selfplay.train recipe=sqlm_small debug=scripted

Windows are played, paid, remembered and recorded as in training; nothing is loaded and nothing learns.
"""

from __future__ import annotations

from omegaconf import DictConfig

from selfplay.arena import arena_of, journal_of
from selfplay.configuration import build
from selfplay.learner.window import play_window
from selfplay.players import endpoint_facts, endpoint_rows, sampler_of
from selfplay.run_folder import RunFolder
from selfplay.types import Game, Sampler


def rehearse(config: DictConfig, folder: RunFolder) -> int:
    """Exit status 0 after ``max_steps`` windows; raises what the game raises."""
    game: Game = build(config, "game")
    sampler = sampler_of(config, game, _no_model)
    arena = arena_of(config, game, sampler)
    with journal_of(config, folder, rank=0) as journal:
        for number in range(config.max_steps):
            window = play_window(arena, number, rank=0, world=1, gather=lambda mine: mine)
            journal.episodes(number + 1, window.everyone)
            for warning in window.warnings:
                journal.warn(number + 1, warning)
            journal.record(number + 1, window.measures)
        journal.finish(facts=endpoint_facts(endpoint_rows(sampler)))
    return 0


def _no_model() -> Sampler:
    raise AssertionError("a rehearsal is asked for only when no role is the model's")
