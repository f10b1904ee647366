"""Checkpoints for tests that need no learner: the files of a real one, without a tensor in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from selfplay.learner.durable import seal
from selfplay.tracking.run_info import installed_versions


def write_checkpoint(run: Path, step: int, config: DictConfig, **state: Any) -> Path:
    """A whole checkpoint of one process at ``run/checkpoints/step-...``."""
    folder = run / "checkpoints" / f"step-{step:06d}"
    folder.mkdir(parents=True)
    plain: Mapping[str, Any] = {
        "step": step,
        "config": OmegaConf.to_container(config, resolve=True),
        "versions": installed_versions(),
        "launched": {"processes": 1, "strategy": "plain"},
    }
    (folder / "state.json").write_text(json.dumps({**plain, **state}))
    (folder / "optimizer.pt").write_text("moments")
    seal(folder)
    return folder
