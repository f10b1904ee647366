"""A recipe's yardsticks, built for the game that it plays.

evaluation.yardsticks.<name> + what the game has mined --> the yardstick of the suite <name>
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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
    mined = game.skills if isinstance(game, Skilled) else None
    node = config.evaluation.yardsticks[name]
    return build(config, f"evaluation.yardsticks.{name}", **skills_shown(node, mined))


def skills_shown(node: Mapping[str, Any] | DictConfig, mined: Mapping[str, str] | None) -> dict[str, Any]:
    """What to build a yardstick's node with: the mined skills where it leaves ``skills`` open (null), none where it
    says ``none``, and its own otherwise.

    >>> skills_shown({"skills": None}, {"a": "b"}), skills_shown({"skills": "none"}, {"a": "b"}), skills_shown({}, None)
    ({'skills': {'a': 'b'}}, {'skills': None}, {})
    """
    if "skills" not in node or node["skills"] not in (None, "none"):
        return {}
    return {"skills": mined if node["skills"] is None else None}
