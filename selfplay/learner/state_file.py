"""state.json of a checkpoint: what a run remembers beside its weights, and what a resume must agree with.

No torch here: runs without a model have such checkpoints too.

    arena's memories --state_dict--> state.json --load_state_dict--> the same memories in another process
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selfplay.learner import durable
from selfplay.learner.checkpoint_names import CheckpointError, read_state, whole_checkpoints
from selfplay.learner.window import Arena

STATE = "state.json"


def memories(arena: Arena) -> dict[str, Any]:
    """Whatever an arena keeps from window to window, by its name in the file."""
    kept: dict[str, Any] = {"game": arena.game, "alarms": arena.alarms, "control": arena.control}
    return kept if arena.baselines is None else kept | {"baselines": arena.baselines}


def restore(holders: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Give every memory its state back."""
    for name, holder in holders.items():
        if name in state:  # a baseline that the recipe was allowed to add has no past
            holder.load_state_dict(state[name])


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write the file and read it back.

    Raises:
        CheckpointError: something in it would come back as something else, or not at all.
        OSError: the disk refused, or gave back another state.
    """
    for name, part in state.items():
        try:
            faithful = _alike(json.loads(json.dumps(part)), part)
        except (TypeError, ValueError):
            faithful = False
        if not faithful:
            raise CheckpointError(
                f"the state of {name} cannot be kept in a checkpoint: its state_dict() must hold nothing but text, "
                "numbers, true, false, None, lists, and mappings with text as keys."
            )
    (folder / STATE).write_text(json.dumps(state), encoding="utf-8")
    if not _alike(read_state(folder), state):
        raise OSError(f"{STATE} reads back differently from what was written")


def prune(parent: Path, keep: int, best: str | None = None) -> None:
    """Remove all but the newest ``keep`` checkpoints and the best one; 0 keeps all."""
    for path in whole_checkpoints(parent)[:-keep] if keep else []:
        if path.name != best:
            durable.discard(path)


def _alike(one: Any, other: Any) -> bool:
    """Equal, a tuple being a list, and what is not a number being itself."""
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and one.keys() == other.keys() and all(_alike(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return (
            isinstance(other, list | tuple)
            and len(one) == len(other)
            and all(_alike(*pair) for pair in zip(one, other, strict=True))
        )
    return bool(one == other) or (one != one and other != other)
