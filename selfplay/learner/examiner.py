"""Progress measured from outside: yardsticks on the present policy, and a duel against the frozen base."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from selfplay.evaluation.duels import Duel
from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.yardsticks import Measurement
from selfplay.learner.agreement import together
from selfplay.learner.ranks import gather_objects
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

    def begin(self, step: int) -> list[Metric]:
        """Measure the frozen base (again on a resume: the same problems and noise), and step 0 of a fresh run.

        Returns step 0's metrics; on a resume the base's own, from which the names are known, or none without a duel.
        """
        of_base: list[Metric] = []
        if self.frozen is not None:
            for suite, yardstick in self.yardsticks.items():
                measured = yardstick.measure(self.frozen)
                self._duels[suite] = Duel.against("base", measured)
                of_base += [_of_suite(suite, metric) for metric in measured.metrics]
                of_base += self._duels[suite].fight(measured)
        return self.examine(0) if step == 0 else of_base

    def examine(self, step: int) -> list[Metric]:
        """Measure the present policy. Collective: every rank samples, the first one records, and all go by what it saw:
        a checker's deadline may part their figures, and a best window is saved by all."""
        started = time.perf_counter()
        metrics: list[Metric] = []
        for suite, yardstick in self.yardsticks.items():
            measured = yardstick.measure(self.now)
            metrics += [_of_suite(suite, metric) for metric in measured.metrics]
            if suite in self._duels:
                metrics += self._duels[suite].fight(measured)
        if metrics:
            metrics.append(Metric("perf/examine_seconds", time.perf_counter() - started))
            together(lambda: self.journal.measured(step, metrics))
        return gather_objects(metrics)[0]


def _of_suite(suite: str, metric: Metric) -> Metric:
    """Under the name that the recipe gives the suite: two suites may be of one kind of yardstick."""
    parts = metric.name.split("/")
    return replace(metric, name="/".join(("yardstick", suite, *(parts[2:] or parts[-1:]))))
