"""What identifies a run: its recipe, seed, control arm, configuration and the versions it ran on."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("selfplay", "torch", "transformers", "trl", "peft", "accelerate", "deepspeed", "wandb", "numpy", "vllm")


def installed_versions() -> dict[str, str]:
    """Versions of Python and of the packages a result depends on; one that is not installed is left out."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # vLLM is an extra
    return versions


@dataclass(frozen=True)
class RunInfo:
    """What every record of a run carries."""

    recipe: str  # "sqlm_small"
    seed: int
    steps: int  # planned optimizer steps
    control: str = "none"  # "none", "random", "format", "truth"
    name: str = ""  # "quickstart"; what W&B shows
    config: Mapping[str, Any] = field(default_factory=dict)  # plain containers, resolved
    versions: Mapping[str, str] = field(default_factory=installed_versions)
