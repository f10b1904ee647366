"""What one rank cannot do, none goes on from: an error on any rank is raised on every rank.

A rank that raised alone would leave the others waiting in their next collective for ever.
"""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Callable
from typing import Any, TypeVar, cast

from selfplay.learner.ranks import gather_objects

T = TypeVar("T")


def together(act: Callable[[], T]) -> T:
    """``act`` on this rank, once every rank has come through its own. Collective.

    ``act`` must take part in all of its own collectives before it raises.

    Raises:
        Exception: this rank's own, or that of the first rank which has one. Where there are several ranks its
            ``__notes__`` say which rank on which host it was.
    """
    done, mine = None, None
    try:
        done = act()
    except Exception as error:  # handed on, to all
        mine = error
        if os.environ.get("WORLD_SIZE", "1") != "1":
            mine.add_note(f"on rank {os.environ.get('RANK', '0')}, {socket.gethostname()}")
    errors = [error for error in gather_objects(mine and _portable(mine)) if error is not None]
    if mine or errors:
        raise mine or errors[0]
    return cast(T, done)


def reason(error: BaseException) -> str:
    """The error's words in one line, with its notes."""
    return " ".join([*str(error).split(), *getattr(error, "__notes__", [])])


def _portable(error: Exception) -> Any:
    """The error as it can travel: some exceptions cannot be made anew from what they were pickled as."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        plain = RuntimeError(f"{type(error).__name__}: {error}")
        plain.__notes__ = list(getattr(error, "__notes__", []))
        return plain
