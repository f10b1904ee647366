"""A sweep on a cluster: one `sbatch launch/slurm.sh` for each job, printed or submitted, none while it is queued.

Job --slurm_command--> argv --submit--> logs/<run>.slurm, which holds SLURM's number of the job
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfplay.configuration import RecipeError, one_line, recipes_folder
from selfplay.sweep_file import Launch
from selfplay.sweep_folder import LOGS, is_finished
from selfplay.sweep_jobs import Job
from selfplay.sweep_launch import words_of
from selfplay.sweep_run import Outcome
from selfplay.tracking.files import write_text

FORGOTTEN = "Invalid job id"
"""What squeue says, with a status of 1, of a job that ended some minutes ago."""

PATIENCE = 60.0
"""Seconds that squeue is given; a controller at its limit answers late."""


def slurm_command(launch: Launch, job: Job, folder: Path, group: str) -> list[str]:
    """The line that submits one job, from the repository's root; the folder must lie on shared storage.

    Raises:
        RecipeError: the package is installed without launch/slurm.sh.
    """
    script = recipes_folder().parent / "launch" / "slurm.sh"
    if not script.is_file():
        raise RecipeError("launch.slurm needs launch/slurm.sh, which is in a checkout of the repository only.")
    folder = folder.resolve()
    log = folder / LOGS / f"{job.name}.txt"
    config = ["--config", launch.config] if launch.config else []
    own = [f"--job-name={job.name}", f"--output={log}", *launch.slurm_words]
    return ["sbatch", "--parsable", *own, "launch/slurm.sh", *config, *words_of(job, folder, group)]


def submit(folder: Path, jobs: Sequence[Job], commands: Mapping[str, Sequence[str]]) -> Outcome:
    """Hand every job that is neither finished nor in the queue to SLURM, and come back at once.

    Jobs that are not finished count as stopped: the sweep, started again, measures when they are done.

    Raises:
        RecipeError: sbatch is not to be had, or refused, or the queue cannot be asked.
    """
    outcome = Outcome()
    (folder / LOGS).mkdir(exist_ok=True)
    for job in jobs:
        if is_finished(folder / job.name):
            outcome.done.append(job.name)
            continue
        outcome.stopped.append(job.name)
        number = _note(folder, job)
        if _in_queue(number):
            continue
        try:
            done = subprocess.run(commands[job.name], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or error
            raise RecipeError(
                f"launch.slurm=submit: {job.name} was not taken ({' '.join(str(said).split())})."
            ) from error
        write_text(number, done.stdout.strip().partition(";")[0])  # NUMBER;CLUSTER
        print(f"{job.name}: job {number.read_text(encoding='utf-8')}")
    return outcome


def refuse_queued(folder: Path, jobs: Sequence[Job]) -> None:
    """For a start on this machine: what an earlier start handed in must be gone, else a run would have two writers.

    Raises:
        RecipeError: SLURM still has a job of the sweep, or does not say.
    """
    for job in jobs:
        note = _note(folder, job)
        if not is_finished(folder / job.name) and _in_queue(note):
            number = note.read_text(encoding="utf-8")
            raise RecipeError(
                f"launch.slurm: {job.name} was handed to SLURM, which still has it as job {number}; wait for it, or "
                f"end it with scancel {number}."
            )


def _note(folder: Path, job: Job) -> Path:
    """Holds SLURM's number of the job."""
    return folder / LOGS / f"{job.name}.slurm"


def _in_queue(note: Path) -> bool:
    """Whether SLURM has the job of this number still to run, or running. Only SLURM's own word for no counts as no.

    Raises:
        RecipeError: squeue is not to be had, or fails in another way.
    """
    if not note.is_file():
        return False
    number = note.read_text(encoding="utf-8")
    words = ["squeue", "--noheader", "--jobs", number]
    try:
        asked = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        why = one_line(error)
    else:
        if asked.returncode == 0:
            return bool(asked.stdout.strip())
        if FORGOTTEN in asked.stderr:
            return False
        why = " ".join(asked.stderr.split()) or f"status {asked.returncode}"
    raise RecipeError(
        f"launch.slurm: squeue does not say whether job {number} of an earlier start still runs ({why}); try again "
        f"later or where SLURM is, or remove {note} if the job is gone."
    )
