"""What a checkpoint's folder is called and what its state.json says, readable without torch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

NAME = re.compile(r"step-(\d+)")


class CheckpointError(RuntimeError):
    """A checkpoint could not be written or read; the message says what is still whole."""


def checkpoint_name(step: int) -> str:
    """
    >>> checkpoint_name(20)
    'step-000020'
    """
    return f"step-{step:06d}"


def whole_checkpoints(parent: Path) -> list[Path]:
    """Whole checkpoints below ``parent``, oldest first."""
    found = [path for path in parent.glob("step-*") if NAME.fullmatch(path.name) and (path / "state.json").is_file()]
    return sorted(found, key=step_of)


def latest_checkpoint(parent: Path) -> Path | None:
    """The whole checkpoint with the highest step, or None."""
    return max(whole_checkpoints(parent), key=step_of, default=None)


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
