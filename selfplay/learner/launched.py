"""How a job was started, as its environment tells it before any heavy library is there: processes and strategy."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Launched:
    """``strategy``: "plain" (one process, or DDP: every rank has all weights and the whole optimizer), "zero2", ..."""

    processes: int
    strategy: str

    def __str__(self) -> str:
        """
        >>> print(Launched(1, "plain"), "|", Launched(2, "plain"), "|", Launched(8, "zero3"))
        one process | 2 processes under DDP | 8 processes under ZeRO-3
        """
        if self.strategy != "plain":
            return f"{_counted(self.processes)} under {self.strategy.replace('zero', 'ZeRO-')}"
        return _counted(self.processes) + (" under DDP" if self.processes > 1 else "")

    @classmethod
    def of(cls, environment: Mapping[str, str] | None = None) -> Launched:
        """What torchrun and accelerate tell their processes; accelerate's DeepSpeed has stage 2 unless told.

        >>> Launched.of({"WORLD_SIZE": "4", "ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3"})
        Launched(processes=4, strategy='zero3')
        """
        told: Mapping[str, str] = os.environ if environment is None else environment
        processes = int(told.get("WORLD_SIZE", "1"))
        if told.get("ACCELERATE_USE_DEEPSPEED", "false").lower() != "true":
            return cls(processes, "plain")
        file = told.get("ACCELERATE_DEEPSPEED_CONFIG_FILE", "none")
        stage: Any = told.get("ACCELERATE_DEEPSPEED_ZERO_STAGE", "2")
        if file != "none":
            stage = json.loads(Path(file).read_text(encoding="utf-8"))["zero_optimization"]["stage"]
        return cls(processes, f"zero{stage}")


def _counted(processes: int) -> str:
    return "one process" if processes == 1 else f"{processes} processes"
