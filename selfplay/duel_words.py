"""The words of ``selfplay duel``, read and checked; nothing is opened here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from selfplay.configuration import RecipeError

MOST_CONTESTANTS = 26
"""Files of a duel are lettered."""


@dataclass(frozen=True)
class DuelWords:
    contestants: tuple[str, ...]
    judge: str
    requests: int
    answers: int
    temperature: float
    seed: int
    role: str | None  # who answers; None = the game's own
    write: Path | None
    api_key_env: str | None  # the variable with the key of a judge at an endpoint


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RecipeError(f"{message}; see selfplay duel --help.")


def read_words(words: Sequence[str]) -> DuelWords:
    """
    >>> read_words(["runs/a", "base", "--judge", "truth"]).answers
    1

    Raises:
        RecipeError: an unknown word, or a value that cannot work.
    """
    parser = _Parser(prog="selfplay duel", add_help=False, allow_abbrev=False)
    parser.add_argument("contestants", nargs="+")
    parser.add_argument("--judge", default="truth")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--answers", type=int, default=1)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--role")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--api-key-env")
    found = vars(parser.parse_args(list(words)))
    given = DuelWords(**{**found, "contestants": tuple(found["contestants"])})
    for key, least in (("requests", 1), ("answers", 1), ("seed", 0)):
        if getattr(given, key) < least:
            raise RecipeError(f"--{key} {getattr(given, key)} must be a whole number from {least}.")
    if not 0 <= given.temperature < float("inf"):
        raise RecipeError(f"--temperature {given.temperature:g} must be 0 (greedy) or above.")
    if given.temperature == 0 and given.answers > 1:
        raise RecipeError(
            f"--answers {given.answers}: greedy answers are all the same; set --answers 1, or a --temperature above 0."
        )
    if len(given.contestants) > MOST_CONTESTANTS:
        raise RecipeError(f"{len(given.contestants)} contestants are too many; give up to {MOST_CONTESTANTS}.")
    return given
