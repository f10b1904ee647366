"""A sweep on a cluster: one `sbatch launch/slurm.sh` for each job, printed or submitted, none while it is queued.

Job --slurm_command--> argv --submit--> logs/<run>.slurm, which holds SLURM's number of the job
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfplay.configuration import RecipeError, recipes_folder
from selfplay.sweep_file import Launch
from selfplay.sweep_folder import LOGS, is_finished
from selfplay.sweep_jobs import Job
from selfplay.sweep_launch import words_of
from selfplay.sweep_run import Outcome
from selfplay.tracking.files import write_text


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
        RecipeError: sbatch is not to be had, or refused.
    """
    outcome = Outcome()
    (folder / LOGS).mkdir(exist_ok=True)
    for job in jobs:
        if is_finished(folder / job.name):
            outcome.done.append(job.name)
            continue
        outcome.stopped.append(job.name)
        number = folder / LOGS / f"{job.name}.slurm"
        if number.is_file() and _in_queue(number.read_text(encoding="utf-8")):
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


def _in_queue(number: str) -> bool:
    asked = subprocess.run(["squeue", "--noheader", "--jobs", number], capture_output=True, text=True, check=False)
    return asked.returncode == 0 and bool(asked.stdout.strip())
