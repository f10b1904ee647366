"""The journal: the one thing that trainers and verbs tell what happened.

    values, metrics --> metrics.jsonl --> summary.json, curves          the record; all else is a view or a copy
                   \\-> console, W&B
    episodes --> episodes/step-*.parquet; some of them --> console, W&B; keepers (a game's own store)

A run that cannot be recorded does not go on: a failed write to the run folder ends it with one clear line, and what was
saved before stays whole. W&B is a copy: losing it is said, and the run goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import yaml

from selfplay.evaluation.metrics import Metric
from selfplay.tracking import metrics_file
from selfplay.tracking.console import ConsoleLog
from selfplay.tracking.episodes import EpisodeStore
from selfplay.tracking.files import write_json, write_text
from selfplay.tracking.metrics_file import EPISODES, METRICS, SUMMARY, MetricsFile, finite, read_rows
from selfplay.tracking.run_info import RunInfo
from selfplay.tracking.summary import summarise
from selfplay.tracking.transcripts import spread
from selfplay.tracking.wandb_log import Account, WandbLog, wished_mode
from selfplay.types import Episode


class CannotRecord(OSError):
    """The run folder takes no more; the message is fit to be shown as it is."""


@dataclass(frozen=True)
class Tracking:
    """What to show, and where to copy; the ``tracking`` group of a recipe.

    Raises:
        ValueError: an unknown W&B mode, or a number out of range.
    """

    wandb: str = "auto"  # "auto", "online", "offline", "disabled"
    project: str = "selfplay"  # in W&B
    group: str | None = None  # in W&B; None = the recipe
    job_type: str | None = None  # in W&B; None = "method", or the control arm
    transcripts_every: int = 10  # steps between whole episodes on the console and in W&B, the first besides; 0 = never
    transcripts: int = 3  # how many of them

    def __post_init__(self) -> None:
        wished_mode(self.wandb)
        if self.transcripts_every < 0:
            raise ValueError(f"tracking.transcripts_every={self.transcripts_every} must be 0 (never) or more.")
        if self.transcripts < 1:
            raise ValueError(f"tracking.transcripts={self.transcripts} must be 1 or more.")


class Keeper(Protocol):
    """Keeps something of the episodes besides their record, e.g. the skills that they wrote."""

    def write(self, step: int, episodes: Sequence[Episode]) -> None:
        """Take in a step's episodes; OSError where the disk refuses. The same step may come twice."""
        ...

    def cut_after(self, step: int, aside: Path) -> None:
        """Move what was kept of later steps into the folder ``aside``, which may have to be made."""
        ...


@dataclass(frozen=True)
class Sinks:
    """Where a journal's entries go."""

    metrics: MetricsFile
    store: EpisodeStore
    console: ConsoleLog
    wandb: WandbLog | None
    keepers: Sequence[Keeper] = ()


class Journal:
    """Made by `open`, or by `silent` on every rank but the first. A context manager: leaving it closes every sink."""

    def __init__(self, folder: Path, run: RunInfo, tracking: Tracking, sinks: Sinks | None) -> None:
        self.folder, self.run, self.tracking, self.sinks = folder, run, tracking, sinks
        rows = read_rows(folder / METRICS) if sinks else []
        self._seconds_before = (rows[-1]["time"] or 0.0) if rows else 0.0
        self._started = time.monotonic()

    @classmethod
    def open(
        cls,
        folder: Path,
        run: RunInfo,
        tracking: Tracking | None = None,
        resume_step: int | None = None,
        run_id: str | None = None,
        keepers: Sequence[Keeper] = (),
    ) -> Journal:
        """Start or resume the record of a run.

        ``resume_step`` is the last step that the checkpoint holds: what was recorded after it is moved to
        ``folder/cut-<n>``. None starts a new run, and whatever the folder has recorded is moved there. ``run_id`` is
        the `run_id` of the journal that is continued. ``keepers`` are shown every step's episodes.

        Raises:
            CannotRecord: the folder cannot be written.
        """
        tracking = tracking or Tracking()
        with _recording(folder, "the start of the run"):
            folder.mkdir(parents=True, exist_ok=True)
            last = -1 if resume_step is None else resume_step
            aside = metrics_file.cut_after(folder, last) or metrics_file.next_cut(folder)
            for keeper in keepers:
                keeper.cut_after(last, aside)
            _write_config(folder, run)
            metrics, store, console = MetricsFile(folder), EpisodeStore(folder / EPISODES), ConsoleLog(run.steps)
        wandb = None
        if wished_mode(tracking.wandb) != "disabled":
            account = Account(tracking.wandb, tracking.project, run_id, tracking.group, tracking.job_type)
            wandb = WandbLog(folder, run, account, console.say)
        return cls(folder, run, tracking, Sinks(metrics, store, console, wandb, keepers))

    @classmethod
    def silent(cls, folder: Path, run: RunInfo) -> Journal:
        """A journal that takes everything and keeps nothing."""
        return cls(folder, run, Tracking(), None)

    @property
    def run_id(self) -> str | None:
        """W&B's name of the run, for the checkpoint; hand it to `open` on resume."""
        return self.sinks.wandb.id if self.sinks and self.sinks.wandb else None

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """One row of numbers of this step, e.g. ``{"reward/solver/majority": 0.81, "perf/tokens_per_second": 5214}``.

        Raises:
            CannotRecord: the run folder takes no more.
        """
        self._append(step, values, {})

    def measured(self, step: int, metrics: Sequence[Metric]) -> None:
        """One row of measurements with their intervals (``<name>/low``, ``<name>/high``); keeps their definitions.

        A name may occur once: give two suites two names.
        """
        assert len({metric.name for metric in metrics}) == len(metrics), "two measurements share a name"
        values: dict[str, float] = {}
        for metric in metrics:
            sides = {"": metric.value, "/low": metric.low, "/high": metric.high}
            values |= {metric.name + side: value for side, value in sides.items() if value is not None}
        self._append(step, values, {metric.name: metric.definition for metric in metrics if metric.definition})

    def episodes(self, step: int, episodes: Sequence[Episode]) -> None:
        """Store the step's episodes; every ``transcripts_every`` steps show some, spread over the reward range."""
        if self.sinks is None:
            return
        with _recording(self.folder, f"the episodes of step {step}"):
            self.sinks.store.write(step, episodes)
            for keeper in self.sinks.keepers:
                keeper.write(step, episodes)
        every = self.tracking.transcripts_every
        if every and (step % every == 0 or step == 1):
            chosen = spread(episodes, self.tracking.transcripts)
            self.sinks.console.transcripts(step, chosen)
            if self.sinks.wandb is not None:
                self.sinks.wandb.transcripts(step, chosen)

    def warn(self, step: int, warning: str) -> None:
        """A line for whoever watches, e.g. from an alarm."""
        if self.sinks is not None:
            self.sinks.console.say(f"warning, step {step}: {warning}")

    def sync(self) -> None:
        """Wait until the disk has every row of metrics.jsonl; raises OSError where it refuses."""
        if self.sinks is not None:
            self.sinks.metrics.sync()

    def finish(self, adapters: Path | None = None, facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Write summary.json, print what was gained and where everything lies, and close. {} from a silent journal.

        ``facts`` are further plain values for the summary, e.g. ``{"base_digest": "9f2c..."}``.
        """
        if self.sinks is None:
            return {}
        rows = read_rows(self.folder / METRICS)
        summary = summarise(self.run, rows, self.sinks.metrics.definitions, self._seconds())
        summary["adapters"] = None if adapters is None else adapters.name  # in the run's folder, which may be moved
        summary["facts"] = dict(facts or {})
        with _recording(self.folder, "the summary"):
            write_json(self.folder / SUMMARY, summary)
        if self.sinks.wandb is not None:
            self.sinks.wandb.summary(summary)
        self.sinks.console.ending(summary, self.folder, adapters)
        self.close()
        return summary

    def close(self, failed: bool = False) -> None:
        """Close every sink; a second time does nothing."""
        if self.sinks is None:
            return
        sinks, self.sinks = self.sinks, None
        sinks.metrics.close()
        sinks.console.close()
        if sinks.wandb is not None:
            sinks.wandb.close(failed)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(failed=kind is not None)

    def _append(self, step: int, values: Mapping[str, float], definitions: Mapping[str, str]) -> None:
        if self.sinks is None or not values:
            return
        assert not values.keys() & {"step", "time"}, "step and time are the journal's own"
        row: dict[str, float | None] = {"step": step, "time": round(self._seconds(), 3)}
        row |= {name: finite(value) for name, value in values.items()}
        with _recording(self.folder, f"the metrics of step {step}"):
            self.sinks.metrics.append(row, definitions)
        self.sinks.console.row(row)
        if self.sinks.wandb is not None:
            self.sinks.wandb.row(row)

    def _seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._started


def _write_config(folder: Path, run: RunInfo) -> None:
    versions = "".join(f"# {name} {number}\n" for name, number in run.versions.items())
    write_text(folder / "config.yaml", versions + yaml.safe_dump(dict(run.config), sort_keys=False, allow_unicode=True))


@contextmanager
def _recording(folder: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotRecord(
            f"cannot record {what} in {folder}: {error.strerror or error}. What was recorded before is whole; "
            "make room or mend the folder, then start again with resume=auto."
        ) from error
