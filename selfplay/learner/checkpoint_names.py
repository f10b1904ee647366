"""What a checkpoint's folder is called, readable without torch."""

from __future__ import annotations

import re
from pathlib import Path

NAME = re.compile(r"step-(\d+)")


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
