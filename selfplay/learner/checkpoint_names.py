"""What a checkpoint's folder is called and what its state.json says, readable without torch."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from selfplay.learner.durable import MANIFEST, REMOVING, WRITING, fault

NAME = re.compile(r"step-(\d{6,})")
LEFTOVER = re.compile(rf"\.step-\d{{6,}}\.({WRITING}|{REMOVING})")
BEST = "best.json"


class CheckpointError(RuntimeError):
    """A checkpoint could not be written or read; the message says what is still whole."""


def checkpoint_name(step: int) -> str:
    """
    >>> checkpoint_name(20)
    'step-000020'
    """
    return f"step-{step:06d}"


def named_checkpoints(parent: Path) -> list[Path]:
    """Folders below ``parent`` that are called as a run calls its checkpoints, oldest first, torn ones too.

    What merely resembles them (``step-000020.1``, ``step-7``, a link) is somebody else's.
    """
    found = [path for path in parent.glob("step-*") if NAME.fullmatch(path.name) and not path.is_symlink()]
    return sorted((path for path in found if checkpoint_name(step_of(path)) == path.name), key=step_of)


def whole_checkpoints(parent: Path) -> list[Path]:
    """Checkpoints written to their end, oldest first; whether they still are what they were, ``fault`` says."""
    return [path for path in named_checkpoints(parent) if (path / MANIFEST).is_file()]


def latest_checkpoint(parent: Path) -> Path | None:
    """The checkpoint with the highest step that was written to its end, or None."""
    return max(whole_checkpoints(parent), key=step_of, default=None)


def sound_checkpoint(parent: Path) -> tuple[Path | None, list[str]]:
    """The latest checkpoint of which every byte is as it was written, and what is wrong with later ones."""
    faults = []
    for path in reversed(named_checkpoints(parent)):
        wrong = fault(path)
        if not wrong:
            return path, faults
        faults.append(f"{path.name}: {wrong}")
    return None, faults


def step_of(path: Path) -> int:
    """
    >>> step_of(Path("runs/quickstart/checkpoints/step-000020"))
    20
    """
    return int(path.name.split("-")[1])


def read_state(folder: Path) -> dict[str, Any]:
    """``state.json`` of a checkpoint; raises CheckpointError where it is missing or torn."""
    try:
        return json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{folder} is not a whole checkpoint ({error}); choose another, or resume=never."
        ) from error


def clear_leftovers(parent: Path) -> None:
    """Remove what a killed run was still writing or removing."""
    for path in parent.glob(".step-*"):
        if LEFTOVER.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)
