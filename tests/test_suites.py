"""Whose skills the contexts yardstick measures: those of the run, those of the recipe, or nobody's."""

from __future__ import annotations

from selfplay.configuration import build, compose
from selfplay.evaluation.contexts import ContextsYardstick
from selfplay.suites import yardstick_of
from selfplay.types import Skilled

FEW = ["domain.n=2", "evaluation.yardsticks.contexts.tasks=6"]


def made(*words: str):
    config = compose([*words, *FEW])
    game = build(config, "game")
    yardstick = yardstick_of(config, "contexts", game)
    assert isinstance(yardstick, ContextsYardstick)
    return game, yardstick


def test_skills_left_open_are_those_of_the_run():
    game, yardstick = made("recipe=ctx2skill_small")
    assert isinstance(game, Skilled)
    assert yardstick.skills is game.skills
    assert yardstick.texts == 6 * 2 * 6  # every arm


def test_skills_that_the_recipe_gives_stay():
    given = "evaluation.yardsticks.contexts.skills={rules-0000: 'mip reverse'}"
    game, yardstick = made("recipe=ctx2skill_small", given)
    assert yardstick.skills == {"rules-0000": "mip reverse"}
    assert yardstick.skills is not game.skills


def test_a_game_without_skills_leaves_the_arms_that_need_none():
    config = compose(["recipe=ctx2skill_small", *FEW])
    game = build(compose(["recipe=serl_small"]), "game")
    assert not isinstance(game, Skilled)
    yardstick = yardstick_of(config, "contexts", game)
    assert isinstance(yardstick, ContextsYardstick)
    assert yardstick.skills is None
    assert yardstick.texts == 3 * 2 * 6


def test_the_word_none_leaves_out_what_needs_skills():
    _, yardstick = made("recipe=ctx2skill_small", "evaluation.yardsticks.contexts.skills=none")
    assert yardstick.skills is None
    assert yardstick.texts == 3 * 2 * 6
