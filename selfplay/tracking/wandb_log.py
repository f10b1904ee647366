"""The door of W&B: a copy of the metrics and of some transcripts, online where somebody is logged in, else in the run
folder.

Nothing here is needed to judge a run, so a failure of W&B is said once and ends the copy, not the training. An offline
run is uploaded later with ``wandb sync RUN/wandb/offline-run-*``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from selfplay.tracking.episodes import rows_of
from selfplay.tracking.metrics_file import Row
from selfplay.tracking.run_info import RunInfo
from selfplay.tracking.summary import is_headline
from selfplay.types import Episode

if TYPE_CHECKING:
    import wandb

MODES = ("auto", "online", "offline", "disabled")
ROOMS = ("yardstick", "duel", "instrument", "role", "reward", "game", "guard", "learner", "perf")
TABLE = ("step", "seed", "topic", "role", "prompt", "text", "reward", "rewards", "advantage", "stopped")
SIDES = ("first", "best", "last", "low", "high")
METHOD = "method"
"""Job type of a run that no control arm pays."""

LONGEST_TAG = 64
SECONDS_TO_CONNECT = 20


def wished_mode(mode: str) -> str:
    """``auto`` becomes what WANDB_MODE says, if that is set.

    Raises:
        ValueError: an unknown mode.
    """
    if mode not in MODES:
        raise ValueError(f"tracking.wandb={mode!r} is unknown; choose one of {', '.join(MODES)}.")
    told = os.environ.get("WANDB_MODE", mode)
    return told if mode == "auto" and told in MODES else mode


@dataclass(frozen=True)
class Account:
    """Which W&B run to write to, and how."""

    mode: str = "auto"  # follows WANDB_MODE, and else is online where somebody is logged in and the server answers
    project: str = "selfplay"
    run_id: str | None = None  # of an earlier start of this run, to continue it
    group: str | None = None  # None = the recipe
    job_type: str | None = None  # None = METHOD, or the control arm


class WandbLog:
    """One W&B run that mirrors metrics.jsonl.

    Args:
        folder: the run folder; W&B writes into ``folder/wandb``.
        run: name, config and versions to show.
        account: ``mode="online"`` insists on it, ``"offline"`` writes files only; nobody is ever asked to log in.
        say: where a line for the user goes.

    Raises:
        ValueError: ``"online"`` where W&B cannot be reached or nobody is logged in.
    """

    def __init__(self, folder: Path, run: RunInfo, account: Account, say: Callable[[str], None] = print) -> None:
        os.environ.setdefault("WANDB_SILENT", "true")  # what is worth saying is said by us, in one line
        self.say = say
        self.run = _online(folder, run, account) or _start(folder, run, account, "offline")
        self.id: str = self.run.id
        self.run.define_metric("step")
        for room in ROOMS:
            self.run.define_metric(f"{room}/*", step_metric="step")
        say(f"W&B: {self.run.url or f'offline (upload it with: wandb sync {folder}/wandb/offline-run-*)'}")

    def row(self, row: Row) -> None:
        self._log({name: value for name, value in row.items() if value is not None})

    def transcripts(self, step: int, episodes: Sequence[Episode]) -> None:
        import wandb

        rows: list[Any] = [[row[column] for column in TABLE] for row in rows_of(step, episodes)]
        self._log({"step": step, "transcripts": wandb.Table(columns=list(TABLE), data=rows)})

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Where the run's headline metrics began, stood best and ended, as columns of W&B's table of runs:
        ``first/yardstick/arithmetic/pass@1``, ``best/...``, ``last/...``, and ``low/...`` and ``high/...`` of the last.
        """
        sides = {
            f"{side}/{name}": course[side]
            for name, course in summary["metrics"].items()
            if is_headline(name)
            for side in SIDES
            if course[side] is not None
        }
        if self.run is not None:
            self._guarded(lambda run: run.summary.update(sides))

    def close(self, failed: bool = False) -> None:
        if self.run is not None:
            self._guarded(lambda run: run.finish(exit_code=int(failed)))
        self.run = None

    def _log(self, values: dict[str, object]) -> None:
        if self.run is not None:
            self._guarded(lambda run: run.log(values))

    def _guarded(self, act: Callable[[wandb.Run], None]) -> None:
        from wandb.errors import Error

        assert self.run is not None
        try:
            act(self.run)
        except (Error, OSError) as error:
            self.run = None
            self.say(f"W&B stopped answering ({error}); the run goes on without it, metrics.jsonl has everything.")


def _online(folder: Path, run: RunInfo, account: Account) -> wandb.Run | None:
    """An online run, or None where one is not wanted or, in ``auto``, not to be had."""
    if wished_mode(account.mode) == "offline":
        return None
    import wandb
    from wandb.errors import Error

    try:
        if wandb.login(prompt=False, verify=False):
            return _start(folder, run, account, "online")
        reason = "nobody is logged in"
    except Error as error:
        wandb.teardown()  # frees the run's id
        reason = str(error)
    if account.mode == "online":
        raise ValueError(f"tracking.wandb=online, but {reason}. Log in with `wandb login`, or use tracking.wandb=auto.")
    return None


def _start(folder: Path, run: RunInfo, account: Account, mode: Literal["online", "offline"]) -> wandb.Run:
    import wandb

    return wandb.init(
        project=account.project,
        name=run.name or run.recipe,
        group=account.group or run.recipe,
        job_type=account.job_type or _job_type(run),
        tags=_tags(run),
        id=account.run_id,
        resume="allow" if mode == "online" and account.run_id else None,
        dir=folder,
        mode=mode,
        config={**run.config, "versions": dict(run.versions)},
        settings=wandb.Settings(silent=True, console="off", init_timeout=SECONDS_TO_CONNECT),
    )


def _job_type(run: RunInfo) -> str:
    return METHOD if run.control == "none" else run.control


def _tags(run: RunInfo) -> list[str]:
    """Recipe, arm and base, to filter by."""
    base = str(run.config.get("policy", {}).get("base") or "")
    names = (run.recipe, _job_type(run), base.rstrip("/").rpartition("/")[2])
    return [name[:LONGEST_TAG] for name in dict.fromkeys(names) if name]
