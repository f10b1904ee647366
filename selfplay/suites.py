"""A recipe's yardsticks, built for the game that it plays.

evaluation.yardsticks.<name> + what the game has mined --> the yardstick of the suite <name>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from omegaconf import DictConfig

from selfplay.configuration import build
from selfplay.types import Game, Skilled

if TYPE_CHECKING:
    from selfplay.learner.examiner import Yardstick


def yardstick_of(config: DictConfig, name: str, game: Game) -> Yardstick:
    """One suite. Where its ``skills`` are left open (null), and the game mines some, it measures those of the run: the
    game's own mapping is handed over, which is empty before the first window and read anew at each measurement. The
    word ``none`` leaves out what needs skills, as for contexts that are never played.

    Raises:
        RecipeError: the yardstick cannot measure what the recipe plays.
    """
    node = config.evaluation.yardsticks[name]
    words = {}
    if "skills" in node and node.skills == "none":
        words = {"skills": None}
    elif "skills" in node and node.skills is None and isinstance(game, Skilled):
        words = {"skills": game.skills}
    return build(config, f"evaluation.yardsticks.{name}", **words)
