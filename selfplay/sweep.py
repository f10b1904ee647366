"""Methods side by side: recipes x bases x control arms x seeds, one launched job each, then what they came to.

    file --jobs--> run folders --arena--> arena/answers, standings.json --report--> report/report.html

    selfplay compare small [--folder FOLDER] [--dry-run] [KEY=VALUE ...]
    selfplay compare folder/mine.yaml

What is finished is skipped and what was cut goes on, so that the same command, stopped or killed anywhere, ends where
an unbroken one ends. ``KEY=VALUE`` is an override for every job and wins over the file's; selfplay/sweep_file.py says
what a file holds.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfplay.arena_suites import check_suites
from selfplay.configuration import RecipeError, one_line
from selfplay.sweep_end import conclude
from selfplay.sweep_file import Sweep, find_sweep, read_sweep
from selfplay.sweep_folder import (
    await_leftovers,
    is_finished,
    keep_resolved,
    occupied,
    refuse_changed_recipes,
)
from selfplay.sweep_jobs import Job, check_jobs, jobs_of, suites_of
from selfplay.sweep_launch import command_of, places, visible_gpus, words_of
from selfplay.sweep_run import STOPPED, Crew
from selfplay.sweep_slurm import refuse_queued, slurm_command, submit

MISTAKE = 2
USAGE = "selfplay compare SWEEP [--folder FOLDER] [--dry-run] [KEY=VALUE ...]"


@dataclass(frozen=True)
class Plan:
    """A sweep whose every job has been composed and checked."""

    sweep: Sweep
    folder: Path
    jobs: tuple[Job, ...]
    commands: Mapping[str, Sequence[str]]  # argv by job
    suites: Mapping[str, Mapping[str, Any]]

    @property
    def runs(self) -> list[Path]:
        """Folders of the runs that are finished, in the order of the jobs."""
        return [self.folder / job.name for job in self.jobs if is_finished(self.folder / job.name)]


def make_plan(sweep: Sweep, folder: Path) -> Plan:
    """Everything that can be known before a job starts.

    Raises:
        RecipeError: whatever is wrong, of the sweep, of one of its jobs or of a suite.
    """
    jobs = jobs_of(sweep)
    configs = check_jobs(jobs, folder)
    suites = suites_of(sweep.suites, list(configs.values()))
    check_suites(suites)
    refuse_changed_recipes(folder, configs)
    group = folder.name
    slurm = sweep.launch.slurm is not None
    commands = {
        job.name: slurm_command(sweep.launch, job, folder, group)
        if slurm
        else command_of(sweep.launch, words_of(job, folder, group))
        for job in jobs
    }
    return Plan(sweep, folder, jobs, commands, suites)


def main(words: Sequence[str]) -> int:
    """Exit status: 0 all of it, 1 a job failed or is unfinished or the disk refused, 2 a mistake in the sweep, 130
    stopped by the user."""
    try:
        name, folder, dry_run, overrides = _options(words)
        file = find_sweep(name)
        plan = make_plan(read_sweep(file, overrides), folder or Path("runs/compare") / file.stem)
        if dry_run or plan.sweep.launch.slurm == "print":
            return show(plan)
        with occupied(plan.folder):
            return _work(plan)
    except ValueError as error:  # a RecipeError, or what the arena or the report refuse
        _say(one_line(error))
        return MISTAKE
    except OSError as error:
        _say(f"{one_line(error)}; the same command goes on")
        return 1
    except KeyboardInterrupt:
        _say("stopped; the same command goes on")
        return STOPPED


def show(plan: Plan) -> int:
    """The plan: every job, whether it is finished, and its command. Nothing is started."""
    width = max(len(job.name) for job in plan.jobs)
    for number, job in enumerate(plan.jobs, start=1):
        state = "finished" if is_finished(plan.folder / job.name) else "to run"
        print(f"{number:>{len(str(len(plan.jobs)))}}/{len(plan.jobs)}  {job.name:<{width}}  {state}")
        print(f"    {shlex.join(plan.commands[job.name])}")
    suites = ", ".join(plan.suites) or "none"
    print(f"in {plan.folder}; measured by: {suites}; nothing was started")
    return 0


def _work(plan: Plan) -> int:
    await_leftovers(plan.folder, _say)
    if plan.sweep.launch.slurm != "submit":  # which passes them over
        refuse_queued(plan.folder, plan.jobs)
    keep_resolved(plan.folder, plan.jobs, plan.suites)
    if plan.sweep.launch.slurm == "submit":
        outcome = submit(plan.folder, plan.jobs, plan.commands)
    else:
        at_once = places(plan.sweep.launch, visible_gpus())
        outcome = Crew(plan.folder, plan.commands, at_once, lambda text: print(text, flush=True)).run(plan.jobs)
    if outcome.asked:
        _say(f"stopped, {len(outcome.done)} of {len(plan.jobs)} jobs done; the same command goes on")
        return STOPPED
    if plan.runs:
        conclude(plan)
    for names, what in ((outcome.failed, "failed"), (outcome.stopped, "are not finished")):
        if names:
            _say(f"{len(names)} of {len(plan.jobs)} jobs {what}: {', '.join(names)}; the same command tries again")
    return 1 if outcome.failed or outcome.stopped else 0


def _options(words: Sequence[str]) -> tuple[str, Path | None, bool, list[str]]:
    """The sweep, ``--folder``, ``--dry-run``, and the overrides."""
    rest, folder, dry_run, names = list(words), None, False, []
    overrides: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--folder" and rest:
            folder = Path(rest.pop(0))
        elif word == "--dry-run":
            dry_run = True
        elif word.startswith("-"):
            raise RecipeError(f"{word} is unknown or needs a value; usage: {USAGE}")
        elif "=" in word:
            overrides.append(word)
        else:
            names.append(word)
    if len(names) != 1:
        raise RecipeError(f"one sweep at a time; usage: {USAGE}")
    return names[0], folder, dry_run, overrides


def _say(line: str) -> None:
    print(f"selfplay: {line}", file=sys.stderr, flush=True)
