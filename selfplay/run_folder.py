"""Where a run lives, and what to do when something lives there already. Nothing is ever overwritten.

    runs/<run name>/config.yaml metrics.jsonl episodes/ checkpoints/ adapters/ summary.json

A run that is not resumed but finds its folder taken moves the old folder aside, to ``<run name>.1``, ``.2``, ...
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from selfplay.configuration import RecipeError, flat_keys
from selfplay.learner.checkpoint_names import latest_checkpoint, step_of, whole_checkpoints

MAY_DIFFER = ("resume", "dry_run", "max_steps", "processes", "output_dir", "run_name", "tracking", "evaluation.every")
"""Keys that a resumed run may change: they alter what is shown or how long it runs, never what is learned."""


@dataclass(frozen=True)
class RunFolder:
    """The folder of this run, the checkpoint to start from (or None), and a line for the user (or '')."""

    path: Path
    checkpoint: Path | None
    remark: str = ""

    @property
    def continues(self) -> bool:
        """Whether the checkpoint is this very run's."""
        return self.checkpoint is not None and self.checkpoint.resolve().parent.parent == self.path.resolve()


def open_run_folder(config: DictConfig) -> RunFolder:
    """Decide and prepare; call on one process only, then tell the others.

    Raises:
        RecipeError: ``resume`` names no whole checkpoint, or the recipe changed since the checkpoint was written.
    """
    path = Path(config.output_dir) / str(config.run_name)
    found = _checkpoint(config, path)
    if found is None:
        return RunFolder(path, None, _make_room(path))
    home = found.parent.parent
    _refuse_changes(config, home)
    if home.resolve() == path.resolve():
        for later in whole_checkpoints(found.parent):
            if step_of(later) > step_of(found):
                _set_aside(later)  # its steps are played again, and resume=auto must not find it
        return RunFolder(path, found, f"resuming {path} from {found.name}")
    return RunFolder(path, found, f"starting {path} from {found}. {_make_room(path)}".strip())


def _checkpoint(config: DictConfig, path: Path) -> Path | None:
    resume = str(config.resume)
    if resume == "never":
        return None
    if resume == "auto":
        return latest_checkpoint(path / "checkpoints")
    checkpoint = Path(resume)
    if not (checkpoint / "state.json").is_file():
        raise RecipeError(
            f"resume={resume} is not a whole checkpoint; give auto, never, or .../checkpoints/step-NNNNNN."
        )
    return checkpoint


def _make_room(path: Path) -> str:
    """An empty folder at ``path``; what was there is moved, and the remark says where."""
    try:
        remark = _set_aside(path)
        path.mkdir(parents=True)
    except OSError as error:
        raise RecipeError(
            f"output_dir={path.parent} cannot take the folder {path.name} ({error.strerror}); name another."
        ) from error
    return remark


def _set_aside(path: Path) -> str:
    """Move an earlier run out of the way; an empty folder is simply used."""
    if not path.exists():
        return ""
    if not any(path.iterdir()):
        path.rmdir()
        return ""
    number = 1
    while (moved := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    path.rename(moved)
    return f"{path} held an earlier run, which is now {moved}"


def _refuse_changes(config: DictConfig, home: Path) -> None:
    saved_file = home / "config.yaml"
    if not saved_file.is_file():
        return
    saved = _comparable(OmegaConf.load(saved_file))
    now = _comparable(config)
    changed = sorted(key for key in saved.keys() | now.keys() if saved.get(key) != now.get(key))
    if changed:
        shown = ", ".join(f"{key} {saved.get(key)!r} -> {now.get(key)!r}" for key in changed)
        raise RecipeError(
            f"resume={config.resume}: the recipe has changed since ({shown}); undo that, or resume=never."
        )


def _comparable(config: Any) -> dict[str, Any]:
    plain = cast(DictConfig, OmegaConf.create(OmegaConf.to_container(config, resolve=True)))
    leaves = {key: value for key in flat_keys(plain) if not OmegaConf.is_config(value := OmegaConf.select(plain, key))}
    return {
        key: value
        for key, value in leaves.items()
        if not any(key == name or key.startswith(f"{name}.") for name in MAY_DIFFER)
    }
