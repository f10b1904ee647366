"""One run folder for all processes: on several machines that takes a filesystem they share, and the same path to it.

The first process leaves a note in the folder, the others look for it, and whoever sees none is named. Without this each
machine would write checkpoints of its own, none of them whole.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from pathlib import Path

from selfplay.configuration import RecipeError
from selfplay.learner.agreement import together
from selfplay.learner.ranks import gather_objects

NOTE = ".seen-by-all"
PATIENCE = 20.0
"""Seconds until a new file must be seen; network filesystems remember for a while that it was not there."""


def require_shared(folder: Path, patience: float = PATIENCE) -> None:
    """Collective; free on one process.

    Raises:
        RecipeError: on every process, naming those that do not see the first one's folder.
    """
    first = os.environ.get("RANK", "0") == "0"
    note = together(lambda: _leave_note(folder) if first else "")
    wanted = gather_objects(note)[0]
    blind = [who for who in gather_objects("" if _sees(folder, wanted, patience) else _whereabouts(folder)) if who]
    if first:
        (folder / NOTE).unlink(missing_ok=True)
    if blind:
        raise RecipeError(
            f"output_dir={folder.parent} is not the same folder for all processes: {', '.join(blind)} found nothing of "
            "the first one's there; name one on a filesystem that all share, by its full path."
        )


def _leave_note(folder: Path) -> str:
    note = uuid.uuid4().hex
    (folder / NOTE).write_text(note, encoding="utf-8")
    return note


def _sees(folder: Path, note: str, patience: float) -> bool:
    until = time.monotonic() + patience
    while not (seen := _read(folder / NOTE) == note) and time.monotonic() < until:
        time.sleep(0.1)
    return seen


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""


def _whereabouts(folder: Path) -> str:
    return f"rank {os.environ.get('RANK', '0')} on {socket.gethostname()} (in {folder.absolute().parent})"
