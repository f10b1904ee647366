"""Checks of a game's constructor arguments, which are the recipe's ``game`` keys; each error starts with the key."""

from __future__ import annotations

from typing import Any, Literal, get_args

Invalid = Literal["mask", "zero"]
"""What becomes of a turn that was turned away: not learned from, or paid nothing."""


def one_of(key: str, value: str, literal: Any) -> None:
    """Raise ValueError unless ``value`` is one of the words of ``literal``, a ``typing.Literal``."""
    choices = get_args(literal)
    if value not in choices:
        raise ValueError(f"{key}={value!r}: unknown; choose one of {', '.join(choices)}.")


def at_least(key: str, value: int, least: int, why: str) -> None:
    """Raise ValueError unless ``value`` is a whole number from ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{key}={value!r}: must be a whole number from {least}; {why}.")


def a_switch(key: str, value: object) -> None:
    """Raise ValueError unless ``value`` is true or false; a text such as "no" would count as true."""
    if not isinstance(value, bool):
        raise ValueError(f"{key}={value!r}: must be true or false.")


def plays_on(domain: object, method: str, told: str) -> None:
    """Raise ValueError unless the domain has ``method``, without which the game cannot be played on it."""
    if not hasattr(domain, method):
        raise ValueError(f"game.domain={type(domain).__name__}: {told}.")
