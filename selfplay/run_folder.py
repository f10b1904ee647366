"""Where a run lives, and what to do when something lives there already. Nothing is ever overwritten.

    runs/<run name>/config.yaml metrics.jsonl episodes/ checkpoints/ calls/ adapters/ summary.json

A run that is not resumed but finds its folder taken moves the old folder aside, to ``<run name>.1``, ``.2``, ...
One that is resumed under another config keeps the old one beside it, as ``config.until-step-000020.yaml``. One that was
killed before its first checkpoint begins anew, in the same folder if endpoints have answered it and the recipe has not
changed: that was paid for.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from selfplay.configuration import RecipeError
from selfplay.learner.checkpoint_names import checkpoint_name, clear_leftovers, named_checkpoints, read_state, step_of
from selfplay.learner.durable import set_aside
from selfplay.recipe_changes import changes, differences
from selfplay.resume import Start, find_start
from selfplay.samplers.endpoint.answered import CALLS
from selfplay.tracking.metrics_file import SUMMARY

OF_ONE_START = {"resume", "resume_allow", "dry_run"}
"""Keys that say how to start, and nothing of the run."""


@dataclass(frozen=True)
class RunFolder:
    """The folder of this run, the checkpoint to start from (or None), and a line for the user (or '')."""

    path: Path
    checkpoint: Path | None
    remark: str = ""

    @property
    def kept(self) -> str:
        """A line on the answered calls that lie here, or an empty text."""
        size = sum(file.stat().st_size for file in (self.path / CALLS).glob("rank-*.jsonl"))
        return (
            f"{self.path / CALLS} keeps {size / 1e6:.1f} MB of answered calls, which are not asked again"
            if size
            else ""
        )

    @property
    def continues(self) -> bool:
        """Whether the checkpoint is this very run's."""
        return self.checkpoint is not None and self.checkpoint.resolve().parent.parent == self.path.resolve()


def open_run_folder(config: DictConfig, start: Start | None = None) -> RunFolder:
    """Prepare the folder; call on one process only, then tell the others.

    Args:
        start: what ``find_start`` found; None asks it now.

    Raises:
        RecipeError: as ``find_start``, or a folder that cannot be made.
    """
    start = find_start(config) if start is None else start
    path, found = Path(config.output_dir) / str(config.run_name), start.checkpoint
    folder = RunFolder(path, found)
    if found is not None and folder.continues:
        remark = f"resuming {path} from {found.name}"
        _go_on(folder, found, config)
    elif str(config.resume) == "auto" and found is None and folder.kept and _is_unfinished(path, config):
        remark = ""
        _go_on(folder, None, config)
    else:
        remark = f"starting {path} from {found}" if found else ""
        remark = ". ".join(filter(None, (remark, _make_room(path))))
    return RunFolder(path, found, "; ".join(filter(None, (remark, *start.remarks, folder.kept))))


def _is_unfinished(run: Path, config: DictConfig) -> bool:
    """Whether a run without a checkpoint is this very one: of another recipe neither record nor answers are to be
    mixed with its own."""
    file = run / "config.yaml"
    saved = OmegaConf.to_container(OmegaConf.load(file)) if file.is_file() else None
    return not (run / SUMMARY).exists() and not (saved and changes(saved, config))  # type: ignore[arg-type]


def _go_on(folder: RunFolder, found: Path | None, config: DictConfig) -> None:
    """Clear what a killed run left, and put out of the way what this one will write anew; all of it where there is no
    checkpoint to go on from."""
    parent, step = folder.path / "checkpoints", read_state(found)["step"] if found else 0
    clear_leftovers(parent)
    for later in named_checkpoints(parent):
        if step_of(later) >= step and (found is None or later.resolve() != found.resolve()):
            set_aside(later)  # its steps are played again, and resume=auto must not find it; or it is torn
    _clear_adapters(folder.path)
    _keep_config(folder.path, config, step)


def _clear_adapters(run: Path) -> None:
    """A run killed while it replaced its final adapters has them under another name, or half-written ones."""
    for path in run.glob(".adapters.*-*"):
        if re.fullmatch(r"\.adapters\.old-\d+", path.name) and not (run / "adapters").exists():
            path.rename(run / "adapters")
        elif re.fullmatch(r"\.adapters\.(old|writing)-\d+", path.name):
            shutil.rmtree(path, ignore_errors=True)


def _keep_config(run: Path, config: DictConfig, step: int) -> None:
    """The config until now, where the run's own is about to say something else."""
    file = run / "config.yaml"
    if not file.is_file():
        return
    if not differences(OmegaConf.to_container(OmegaConf.load(file)), config).keys() - OF_ONE_START:  # type: ignore[arg-type]
        return
    kept = run / f"config.until-{checkpoint_name(step)}.yaml"
    number = 1
    while kept.exists():
        number += 1
        kept = run / f"config.until-{checkpoint_name(step)}.{number}.yaml"
    shutil.copyfile(file, kept)


def _make_room(path: Path) -> str:
    """An empty folder at ``path``; what was there is moved, and the remark says where."""
    try:
        remark = _move_away(path)
        path.mkdir(parents=True)
    except OSError as error:
        raise RecipeError(
            f"output_dir={path.parent} cannot take the folder {path.name} ({error.strerror}); name another."
        ) from error
    return remark


def _move_away(path: Path) -> str:
    """Move an earlier run out of the way; an empty folder is simply used."""
    if not path.exists():
        return ""
    if not any(path.iterdir()):
        path.rmdir()
        return ""
    return f"{path} held an earlier run, which is now {set_aside(path)}"
