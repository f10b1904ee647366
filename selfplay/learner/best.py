"""The best measured window of a run, by one metric of which more is better; its checkpoint outlives the others.

    metrics of a window --Best.offer--> a checkpoint at that very window --> checkpoints/best.json names it

Window 0 is no candidate: it is the base, and has no checkpoint. A value that is not finite is never the best.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfplay.evaluation.metrics import Metric
from selfplay.learner.checkpoint_names import BEST, CheckpointError, checkpoint_name
from selfplay.learner.durable import MANIFEST
from selfplay.tracking.files import write_json


class Best:
    """
    Args:
        metric: the name of a measurement, e.g. ``yardstick/arithmetic/pass@1``.

    Attributes:
        record: ``{"checkpoint": "step-000020", "metric": ..., "value": 0.91, "step": 20, "window": 20}``, or None.
            ``step`` counts optimizer steps, as checkpoints do, and ``window`` is the step of metrics.jsonl.
    """

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self.record: dict[str, Any] | None = None

    def value_in(self, metrics: Sequence[Metric]) -> float:
        """Raises CheckpointError where this run does not measure it."""
        values = {metric.name: metric.value for metric in metrics}
        if self.metric not in values:
            near = difflib.get_close_matches(self.metric, values, n=2, cutoff=0.6) or sorted(values)[:12]
            raise CheckpointError(f"learner.keep_best={self.metric} is not measured; choose one of {', '.join(near)}.")
        return values[self.metric]

    def offer(self, step: int, window: int, metrics: Sequence[Metric]) -> bool:
        """Whether the window is better than every one before; if so, it is the best from now on."""
        value = self.value_in(metrics)
        if not math.isfinite(value) or (self.record is not None and value <= self.record["value"]):
            return False
        name = checkpoint_name(step)
        self.record = {"checkpoint": name, "metric": self.metric, "value": value, "step": step, "window": window}
        return True

    def take_up(self, record: dict[str, Any] | None, parent: Path) -> None:
        """Go on from what a checkpoint knew; a best under another metric, or whose checkpoint is gone, is forgotten."""
        self.record = None
        if record is not None and record["metric"] == self.metric:
            self.record = record if (parent / record["checkpoint"] / MANIFEST).is_file() else None


def name_best(best: Best | None, parent: Path) -> None:
    """Write best.json, or take it away where nothing is the best."""
    if best is not None and best.record is not None:
        write_json(parent / BEST, best.record)
    else:
        (parent / BEST).unlink(missing_ok=True)
