"""Progress measured from outside: yardsticks on the present policy, and a duel against the frozen base."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from selfplay.evaluation.duels import Duel
from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.yardsticks import Measurement
from selfplay.tracking.journal import Journal
from selfplay.types import Sampler


class Yardstick(Protocol):
    """Anything that measures a sampler on problems of its own."""

    def measure(self, sampler: Sampler) -> Measurement: ...


class Examiner:
    """
    Args:
        yardsticks: by suite name; an empty mapping measures nothing.
        now: plays the present policy.
        frozen: plays the bare base; None leaves the duel out.
        journal: where the metrics go.
    """

    def __init__(
        self, yardsticks: Mapping[str, Yardstick], now: Sampler, frozen: Sampler | None, journal: Journal
    ) -> None:
        self.yardsticks = yardsticks
        self.now = now
        self.frozen = frozen
        self.journal = journal
        self._duels: dict[str, Duel] = {}

    def begin(self, step: int) -> None:
        """Measure the frozen base (again on a resume: the same problems and noise), and step 0 of a fresh run."""
        if self.frozen is not None:
            for suite, yardstick in self.yardsticks.items():
                self._duels[suite] = Duel.against("base", yardstick.measure(self.frozen))
        if step == 0:
            self.examine(0)

    def examine(self, step: int) -> None:
        """Measure the present policy. Collective: every rank samples, the first one records."""
        started = time.perf_counter()
        metrics: list[Metric] = []
        for suite, yardstick in self.yardsticks.items():
            measured = yardstick.measure(self.now)
            metrics += measured.metrics
            if suite in self._duels:
                metrics += self._duels[suite].fight(measured)
        if metrics:
            metrics.append(Metric("perf/examine_seconds", time.perf_counter() - started))
            self.journal.measured(step, metrics)
