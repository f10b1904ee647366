"""Which checkpoint a run starts from, and whether it may. Nothing is changed here, so a mistake costs nothing.

resume=auto   the latest whole checkpoint of this run folder; torn ones are passed over, and said
resume=PATH   that checkpoint, of this run or of another one, e.g. the one that best.json names
resume=never  from the beginning
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from selfplay.configuration import RecipeError
from selfplay.learner.checkpoint_names import CheckpointError, latest_checkpoint, read_state, sound_checkpoint
from selfplay.learner.durable import fault
from selfplay.learner.launched import Launched
from selfplay.recipe_changes import allowed_changes, allowed_launch, changed_versions
from selfplay.tracking.run_info import installed_versions


@dataclass(frozen=True)
class Start:
    """The checkpoint to start from, or None for the beginning, and what the user should be told of it."""

    checkpoint: Path | None
    remarks: tuple[str, ...] = ()


def find_start(config: DictConfig) -> Start:
    """Decide; call on one process only, then tell the others.

    Raises:
        RecipeError: ``resume`` names no whole checkpoint, or one of another recipe or of another launch, which
            ``resume_allow`` does not let through.
    """
    resume = str(config.resume)
    if resume == "never":
        return Start(None)
    parent = Path(config.output_dir) / str(config.run_name) / "checkpoints"
    if resume != "auto":
        checkpoint = _named(resume)
        return Start(checkpoint, tuple(_agreed(checkpoint, config)))
    checkpoint, torn = sound_checkpoint(parent)
    remarks = [f"passed over {wrong}" for wrong in torn]
    if checkpoint is None:
        return Start(None, (*remarks, f"resume=auto: no whole checkpoint in {parent}, so this starts at the beginning"))
    return Start(checkpoint, (*remarks, *_agreed(checkpoint, config)))


def _named(resume: str) -> Path:
    """The checkpoint at a path; a run's folder is answered with the one that was probably meant."""
    path = Path(resume).expanduser()
    wrong = fault(path)
    if not wrong:
        return path
    nearest = next((found for folder in (path / "checkpoints", path, path.parent) if
                    (found := latest_checkpoint(folder))), None)  # fmt: skip
    mend = f"resume={nearest}" if nearest else "auto, never, or .../checkpoints/step-NNNNNN"
    lack = "does not exist" if not path.exists() else f"is not a whole checkpoint ({wrong})"
    raise RecipeError(f"resume={resume} {lack}; give {mend}.")


def _agreed(checkpoint: Path, config: DictConfig) -> list[str]:
    """What differs and was allowed, one remark each."""
    try:
        state = read_state(checkpoint)
    except CheckpointError as error:
        raise RecipeError(f"resume={config.resume}: {error}") from error
    changes = allowed_changes(state["config"], config)
    launch = allowed_launch(state["launched"], config, Launched.of()) if state["launched"] else ""  # no model: any
    versions = changed_versions(state["versions"], installed_versions())
    remarks = [f"allowed by name: {', '.join(changes)}"] if changes else []
    remarks += [launch] if launch else []
    return (
        [*remarks, f"other versions than the checkpoint's ({versions}): perhaps not bit-exact"] if versions else remarks
    )
