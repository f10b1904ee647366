"""The folder of a sweep: who may work in it, what it was begun as, and which of its jobs are done.

    <sweep>/sweep.yaml  <run>/  logs/<run>.txt  arena/  report/

One sweep at a time works in a folder. A sweep that is killed with SIGKILL leaves jobs which save and stop by themselves
(`selfplay.learner.watch`); a second start waits until the last of them is gone, so that no run has two writers. They
are known by a mark in their environment, whoever has adopted them meanwhile.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout
from omegaconf import DictConfig, OmegaConf

from selfplay.comparison.answers_file import path_of
from selfplay.configuration import RecipeError, one_line
from selfplay.recipe_changes import changes
from selfplay.sweep_jobs import Job
from selfplay.tracking.files import write_text
from selfplay.tracking.metrics_file import SUMMARY

SWEEP = "sweep.yaml"
PARTS = ("suites", "jobs")
"""Of sweep.yaml."""

LOGS = "logs"
MARK = "SELFPLAY_SWEEP"
"""In the environment of every job: the full path of its sweep's folder."""

PATIENCE = 120.0
"""Seconds that jobs of an earlier start are given; the watch ends them within a window, or 46 s."""


@contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Work in the folder alone.

    Raises:
        RecipeError: another sweep works there, or the folder cannot be made.
    """
    holder = folder / ".lock.holder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        who = holder.read_text(encoding="utf-8") if holder.is_file() else "another process"
        raise RecipeError(
            f"--folder={folder}: another sweep runs there ({who}); wait for it, or stop it with Ctrl-C: it saves."
        ) from error
    except OSError as error:
        raise RecipeError(f"--folder={folder} cannot be used ({error.strerror}); name another.") from error
    try:
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def leftovers(folder: Path) -> list[int]:
    """Processes of training jobs that an earlier start of this sweep began and that still live on this machine."""
    import psutil  # comes with accelerate

    mark, found = str(folder.resolve()), []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and "selfplay.train" in process.cmdline():
                found.append(process.pid)
        except psutil.Error:  # gone meanwhile, or not ours to read
            continue
    return found


def await_leftovers(folder: Path, say: Callable[[str], None], patience: float = PATIENCE) -> None:
    """Wait until nobody else writes into the folder's runs.

    Raises:
        RecipeError: a job of an earlier start does not end.
    """
    until, told = time.monotonic() + patience, False
    while living := leftovers(folder):
        if time.monotonic() > until:
            raise RecipeError(
                f"--folder={folder}: a job of an earlier start still runs there (process "
                f"{', '.join(map(str, living))}); end it, then start again."
            )
        if not told:
            say("jobs of an earlier start, which was killed, are saving and stopping; waiting for them")
            told = True
        time.sleep(0.5)


def is_finished(run: Path) -> bool:
    """The summary is what a run writes last."""
    return (run / SUMMARY).is_file()


def seconds_of(run: Path) -> float:
    """What a finished run took."""
    return json.loads((run / SUMMARY).read_text(encoding="utf-8"))["seconds"]


def keep_resolved(folder: Path, jobs: Sequence[Job], suites: Mapping[str, Any]) -> None:
    """Write sweep.yaml, or see that the one that is there is this sweep, perhaps with fewer jobs and suites. A suite
    on which nobody has been measured may change.

    Raises:
        RecipeError: it is another one; the keys that differ are named.
    """
    now = {"suites": dict(suites), "jobs": {job.name: list(job.words) for job in jobs}}
    file = folder / SWEEP
    if file.is_file():
        differ = _differing(_begun_as(file), now, folder / "arena")
        if differ:
            raise RecipeError(
                f"--folder={folder} holds another sweep, which differs in {'; '.join(differ[:4])}"
                f"{f' and {len(differ) - 4} more' if len(differ) > 4 else ''}. Jobs and suites may be added; for "
                "anything else undo that, or name another --folder; a suite's files may be removed, to measure it anew."
            )
    write_text(file, yaml.safe_dump(now, sort_keys=False, allow_unicode=True, width=10_000))


def refuse_changed_recipes(folder: Path, configs: Mapping[str, DictConfig]) -> None:
    """A run that is there must be of the recipe as it is now: else old and new would stand side by side as one.

    Raises:
        RecipeError: a recipe has changed in a key that alters what is learned.
    """
    for name, config in configs.items():
        file = folder / name / "config.yaml"
        if not file.is_file():
            continue
        saved: Any = OmegaConf.to_container(OmegaConf.load(file))
        differ = [f"{key} {then} -> {now}" for key, (then, now) in changes(saved, config).items()]
        if saved.get("max_steps") != config.max_steps and is_finished(folder / name):
            differ.append(f"max_steps {saved.get('max_steps')} -> {config.max_steps}")
        if differ:
            raise RecipeError(
                f"{name}: the recipe has changed since it was run ({', '.join(dict.fromkeys(differ))}); undo that, or "
                "name another --folder."
            )


def _begun_as(file: Path) -> Mapping[str, Any]:
    """
    Raises:
        RecipeError: no sweep.yaml as ``keep_resolved`` writes it.
    """
    try:
        plain = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file} cannot be read ({one_line(error)}); remove it to have it written anew.") from error
    if not isinstance(plain, dict) or not all(isinstance(plain.get(part, {}), dict) for part in PARTS):
        raise RecipeError(f"{file} is not what a sweep wrote; remove it to have it written anew.")
    return plain


def _differing(then: Mapping[str, Any], now: Mapping[str, Any], arena: Path) -> list[str]:
    """What of ``then`` is gone or another now, e.g. ``jobs.a-method-seed0 (learner.lr=1 -> learner.lr=2)``."""
    found = []
    for part in PARTS:
        for name, old in then.get(part, {}).items():
            new = now[part].get(name)
            files = path_of(arena, "*", name)
            measured = part == "suites" and any(arena.glob(str(files.relative_to(arena))))
            if new == old or (part == "suites" and not measured):
                continue
            how = "no longer there" if new is None else f"{_shown(old, new)} -> {_shown(new, old)}"
            found.append(f"{part}.{name} ({how}){f', measured in {files}' if measured else ''}")
    return found


def _shown(one: Any, other: Any) -> str:
    """What ``one`` has and ``other`` has not."""
    if isinstance(one, Mapping):
        return ", ".join(f"{key}: {value}" for key, value in one.items() if other.get(key) != value) or "without"
    return " ".join(word for word in one if word not in other) or "without"
