"""What a person watching a run sees: one live line on a terminal, a line every few steps elsewhere, and the ending."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from selfplay.tracking.metrics_file import Row
from selfplay.tracking.summary import is_headline
from selfplay.tracking.transcripts import transcript
from selfplay.types import Episode

PLAIN_LINES = 20
"""About so many progress lines a whole run prints where nobody can be shown a line that changes."""

PLAIN_WIDTH = 120


class ConsoleLog:
    """Prints progress, measurements, transcripts and the ending.

    Args:
        steps: planned steps.
        console: where to; standard output by default.
    """

    def __init__(self, steps: int, console: Console | None = None) -> None:
        self.steps = steps
        self.console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
        self.live: Live | None = None
        self.latest: dict[str, float | None] = {}
        self.started: tuple[float, float] | None = None  # (step, seconds) of the first step of this start
        self.shown_step = -1

    def row(self, row: Row) -> None:
        """Take in a row of metrics.jsonl and show where the run stands."""
        self.latest.update(row)
        step, time = int(row["step"] or 0), row["time"] or 0.0
        only_measured = any(is_headline(name) for name in row)  # the window's own row comes after it
        if only_measured:
            self.say(f"measured at step {step}: {measured(row)}")
        if self.started is None and step > 0:
            self.started = (step, time)
        if self.console.is_terminal:
            self._show_live()
        elif self._is_due(step) and not only_measured:
            self.shown_step = step
            self.say(self.progress())

    def transcripts(self, step: int, episodes: Sequence[Episode]) -> None:
        self.say(f"episodes of step {step}, from the lowest mean reward to the highest:")
        for episode in episodes:
            for line in transcript(episode):
                self.say("  " + line)

    def progress(self) -> str:
        """The live line, e.g. ``step 12/40 | 0:21 left | pass@1 0.812 | win rate 0.71 | 5,214 tok/s``."""
        parts = [f"step {int(self.latest.get('step') or 0)}/{self.steps}"]
        left = self._seconds_left()
        if left is not None:
            parts.append(f"{clock(left)} left")
        return " | ".join([*parts, *headlines(self.latest)])

    def ending(self, summary: Mapping[str, Any], folder: Path, adapters: Path | None) -> None:
        self.close()
        table = Table(box=None, pad_edge=False)
        table.add_column("measured from outside", no_wrap=True)
        for heading in ("first", "best", "last", "95 % interval", "gain, points"):
            table.add_column(heading, justify="right")
        for name, course in summary["metrics"].items():
            if is_headline(name):
                table.add_row(name.removeprefix("yardstick/"), *_course_cells(course))
        self.console.print(Panel(table, title=f"{summary['recipe']}, seed {summary['seed']}", expand=False))
        self.say(
            f"{summary['steps']} of {self.steps} steps in {clock(summary['seconds'])}. Everything lies in {folder}:"
        )
        self.say("  summary.json  metrics.jsonl  episodes/  config.yaml" + ("  wandb/" * (folder / "wandb").exists()))
        if adapters is not None:
            self.say(f"  adapters (PEFT format): {adapters}")

    def say(self, line: str) -> None:
        """One line, never broken by us; signs that the stream cannot show are spelled out."""
        encoding = self.console.encoding
        self.console.print(Text(line.encode(encoding, "backslashreplace").decode(encoding)), soft_wrap=True)

    def close(self) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _show_live(self) -> None:
        line = Text(self.progress(), style="bold", no_wrap=True, overflow="ellipsis")
        if self.live is None:  # no thread of its own: it changes when there is something new
            self.live = Live(line, console=self.console, auto_refresh=False, transient=True)
            self.live.start()
        self.live.update(line, refresh=True)

    def _is_due(self, step: int) -> bool:
        due = step % math.ceil(self.steps / PLAIN_LINES) == 0 or step in (1, self.steps)
        return due and step > max(0, self.shown_step)

    def _seconds_left(self) -> float | None:
        step, time = self.latest.get("step") or 0, self.latest.get("time") or 0.0
        if self.started is None or step <= self.started[0]:
            return None
        first_step, first_time = self.started
        return (time - first_time) / (step - first_step) * max(0, self.steps - step)


def headlines(latest: Row) -> list[str]:
    """The few numbers worth a place in one line, in a fixed order; what is not there yet is left out.

    >>> headlines({"reward/solver/majority": 0.8, "yardstick/arithmetic/pass@1": 0.5, "perf/tokens_per_second": 5214.0})
    ['pass@1 0.500', 'solver paid 0.80', '5,214 tok/s']
    """
    shown = {name: value for name, value in latest.items() if value is not None}
    parts = [f"pass@1 {shown[name]:.3f}" for name in shown if is_headline(name) and name.endswith("/pass@1")]
    parts += [f"win rate {shown[name]:.2f}" for name in shown if is_headline(name) and name.endswith("/win_rate")]
    paid: dict[str, float] = {}
    for name, value in shown.items():
        if name.startswith("reward/"):
            role = name.split("/")[1]
            paid[role] = paid.get(role, 0.0) + value
    parts += [f"{role} paid {value:.2f}" for role, value in paid.items()]
    if "learner/loss" in shown:
        parts.append(f"loss {shown['learner/loss']:.3g}")
    if "perf/tokens_per_second" in shown:
        parts.append(f"{shown['perf/tokens_per_second']:,.0f} tok/s")
    return parts


def measured(row: Row) -> str:
    """A measurement in one line.

    >>> measured({"step": 0, "duel/base/win_rate": 0.5, "duel/base/win_rate/low": 0.4, "duel/base/win_rate/high": 0.6})
    'duel/base/win_rate 0.500 [0.400, 0.600]'
    """
    parts = []
    for name, value in row.items():
        if is_headline(name):
            interval = _interval(row.get(f"{name}/low"), row.get(f"{name}/high"))
            parts.append(f"{name.removeprefix('yardstick/')} {_number(value)} {interval}")
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where needed.

    >>> clock(65.4), clock(3725)
    ('1:05', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _course_cells(course: Mapping[str, Any]) -> list[str]:
    first, last = course["first"], course["last"]
    gain = "" if first is None or last is None else f"{100 * (last - first):+.1f}"
    cells = [_number(course[key]) for key in ("first", "best", "last")]
    return [*cells, _interval(course["low"], course["high"]), gain]


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3f}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"
