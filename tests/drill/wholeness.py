"""Is what a killed job left behind whole, and what a finished one made the same as without any kill?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file

from selfplay.learner.checkpoint_names import read_state, whole_checkpoints
from selfplay.tracking.metrics_file import read_rows, timeless

LOADERS = {
    ".safetensors": load_file,
    ".json": lambda path: json.loads(path.read_text()),
    **dict.fromkeys((".pt", ".pth", ".bin"), lambda path: torch.load(path, weights_only=False)),
}


def files_of(checkpoint: Path) -> set[str]:
    """Names inside a checkpoint; DeepSpeed's folder is called after the step, which is left out."""
    names = (str(path.relative_to(checkpoint)) for path in checkpoint.rglob("*") if path.is_file())
    return {re.sub(r"^global_step\d+", "global_step", name) for name in names}


def damaged(checkpoints: Path, expected: set[str]) -> list[str]:
    """What is wrong with the checkpoints that a resume may choose from, one line each.

    ``expected`` are the files that a whole checkpoint of this job has; a file may not lack, nor refuse to load.
    """
    found = []
    for checkpoint in whole_checkpoints(checkpoints):
        found += [f"{checkpoint} lacks {name}" for name in sorted(expected - files_of(checkpoint))]
        try:
            read_state(checkpoint)
            for path in checkpoint.rglob("*"):
                if path.suffix in LOADERS:
                    LOADERS[path.suffix](path)
        except Exception as error:  # whatever a torn file makes of its reader
            found.append(f"{checkpoint}: {type(error).__name__}: {error}")
    return found


def differences(run: Path, undisturbed: Path) -> list[str]:
    """Where a finished run departs from the undisturbed one: adapters bit for bit, metrics but for times."""
    found = []
    names = [path.relative_to(undisturbed) for path in (undisturbed / "adapters").rglob("*.safetensors")]
    assert names, f"{undisturbed} has no adapters"
    found += [f"{name} differs" for name in names if (run / name).read_bytes() != (undisturbed / name).read_bytes()]
    rows, expected = ([timeless(row) for row in read_rows(folder / "metrics.jsonl")] for folder in (run, undisturbed))
    if rows != expected:
        found.append("metrics.jsonl differs")
    return found
