"""Progress measured from outside: yardsticks on the present policy, and duels against the frozen base."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from selfplay.evaluation.metrics import Metric
from selfplay.learner.agreement import together
from selfplay.learner.ranks import gather_objects
from selfplay.tracking.journal import Journal
from selfplay.types import Sampler


class Measured(Protocol):
    """What a yardstick saw; besides its metrics only the yardstick itself can read it."""

    @property
    def metrics(self) -> tuple[Metric, ...]: ...


class Yardstick(Protocol):
    """Anything that measures a sampler on problems of its own, and against its own measurement of the base."""

    roles: Sequence[str]  # whom it asks
    texts: int  # how many texts one measurement samples, at most; for the plan

    def measure(self, sampler: Sampler, before: Any = None) -> Measured: ...


class Examiner:
    """
    Args:
        yardsticks: by suite name; an empty mapping measures nothing.
        now: plays the present policy.
        frozen: plays the bare base; None leaves duels out.
        journal: where the metrics go.
    """

    def __init__(
        self, yardsticks: Mapping[str, Yardstick], now: Sampler, frozen: Sampler | None, journal: Journal
    ) -> None:
        self.yardsticks = yardsticks
        self.now = now
        self.frozen = frozen
        self.journal = journal
        self._of_base: dict[str, Measured] = {}

    def begin(self, step: int) -> list[Metric]:
        """Measure the frozen base (again on a resume: the same problems and noise), and step 0 of a fresh run.

        Returns step 0's metrics; on a resume the base's own, from which the names are known, or none without a duel.
        """
        if self.frozen is not None:
            self._of_base = {suite: yardstick.measure(self.frozen) for suite, yardstick in self.yardsticks.items()}
        if step == 0:
            return self.examine(0)
        return [] if self.frozen is None else self._measure(self.frozen)

    def examine(self, step: int) -> list[Metric]:
        """Measure the present policy. Collective: every rank samples, the first one records, and all go by what it saw:
        a checker's deadline may part their figures, and a best window is saved by all."""
        started = time.perf_counter()
        metrics = self._measure(self.now)
        if metrics:
            metrics.append(Metric("perf/examine_seconds", time.perf_counter() - started))
            together(lambda: self.journal.measured(step, metrics))
        return gather_objects(metrics)[0]

    def _measure(self, sampler: Sampler) -> list[Metric]:
        return [
            of_suite(suite, metric)
            for suite, yardstick in self.yardsticks.items()
            for metric in yardstick.measure(sampler, self._of_base.get(suite)).metrics
        ]


def of_suite(suite: str, metric: Metric) -> Metric:
    """Under the name that the recipe gives the suite: two suites may be of one kind of yardstick. A duel keeps its own:
    it is named for the opponent."""
    room, _, *parts = metric.name.split("/")
    return metric if room == "duel" else replace(metric, name="/".join((room, suite, *parts)))
