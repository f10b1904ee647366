"""The embedded default: small chat models built from nothing, so that every recipe runs without a model hub.

Four are shipped with the package: ``small`` and ``small-1``, two seeds of one recipe, add, list and judge lists;
``contexts`` and ``contexts-1``, of two seeds as well, look rules up in documents. `recipes` says how they are made.
Importing this package brings no torch along; `build` and `score` do when they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfplay.small_base.recipes import Recipe

WEIGHTS = Path(__file__).parent / "weights"
"""One folder a base, each an ordinary transformers checkpoint with a build.json beside it."""


def shipped_folder(name: str = "small") -> Path:
    """The folder of a base that ships with the package.

    Raises:
        ValueError: no such base is shipped; the known ones are named.
    """
    folder = WEIGHTS / name
    known = shipped_names()
    if name not in known:
        raise ValueError(f"base={name!r} does not ship with this package; choose one of {', '.join(known)}.")
    return folder


def shipped_names() -> list[str]:
    return sorted(path.parent.name for path in WEIGHTS.glob("*/config.json"))


def build(
    recipe: Recipe | str = "small", folder: Path | None = None, watch: Callable[[int, float], None] | None = None
) -> Path:
    """Build a base, or find it in the cache; see `selfplay.small_base.builder.build`."""
    from selfplay.small_base import builder

    return builder.build(recipe, folder, watch)


def score(folder: Path | str, n: int = 100, seed: int = 1) -> dict[str, float]:
    """What each skill of a base scores; see `selfplay.small_base.scoring.score`."""
    from selfplay.small_base import scoring

    return scoring.score(folder, n, seed)
