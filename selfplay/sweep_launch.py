"""How a job of a sweep is started: its words, its launcher, its environment, its GPUs.

Job --words_of--> the words of `selfplay.train` --command_of--> argv             on a cluster: selfplay/sweep_slurm.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfplay.configuration import RecipeError, recipes_folder
from selfplay.keys import did_you_mean
from selfplay.learner.watch import LAUNCHER_PID
from selfplay.sweep_file import Launch
from selfplay.sweep_folder import MARK
from selfplay.sweep_jobs import Job, hydra_word

SETTINGS = {"PYTHONHASHSEED": "0", "TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": "PASSIVE"}
"""As launch/environment.sh sets them, where the user has not."""

THREADS, SHARED = "OMP_NUM_THREADS", "SELFPLAY_THREADS"
"""``SELFPLAY_THREADS=shared``: the number of threads is a script's and not the user's; jobs side by side take fewer."""


def words_of(job: Job, folder: Path, group: str) -> list[str]:
    """All words of a job's recipe; ``resume=auto`` goes on from what an earlier start saved, and else begins."""
    return [
        *job.words,
        hydra_word("output_dir", str(folder)),
        hydra_word("run_name", job.name),
        hydra_word("tracking.group", group),
        hydra_word("tracking.job_type", job.kind),
        "resume=auto",
    ]


def command_of(launch: Launch, words: Sequence[str]) -> list[str]:
    """The command of one job on this machine.

    Raises:
        RecipeError: a launch config that does not exist.
    """
    train = ["-m", "selfplay.train", *words]
    if launch.config is None and not launch.words:
        return [sys.executable, *train]
    config = [] if launch.config is None else ["--config_file", str(config_file(launch.config))]
    return [sys.executable, "-m", "selfplay.launch", *config, *launch.words, *train]


def config_file(name: str) -> Path:
    """A file of launch/accelerate by its name, or any by its path."""
    shipped = recipes_folder().parent / "launch" / "accelerate"
    file = shipped / f"{name}.yaml" if "/" not in name and not name.endswith((".yaml", ".yml")) else Path(name)
    if not file.is_file():
        known = [path.stem for path in shipped.glob("*.yaml")]
        raise RecipeError(f"launch.config={name}: there is no {file}{did_you_mean(name, known)}")
    return file


def environment(folder: Path, at_once: int, gpus: Sequence[str] | None) -> dict[str, str]:
    """Of a job: marked as this sweep's, told who started it, shown its GPUs; jobs side by side share out the cores,
    where the user has not said how many threads a job has."""
    chosen = {**SETTINGS, **os.environ, MARK: str(folder.resolve()), LAUNCHER_PID: str(os.getpid())}
    if gpus is not None:
        chosen["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    elif at_once > 1 and (THREADS not in os.environ or os.environ.get(SHARED) == "shared"):
        share = max(1, (os.cpu_count() or 1) // at_once)
        chosen[THREADS] = str(min(share, int(os.environ.get(THREADS, share))))
    return chosen


def visible_gpus(environ: Mapping[str, str] = os.environ) -> list[str]:
    """CUDA devices as CUDA_VISIBLE_DEVICES names them; all of the machine's, by number, where it names none."""
    if "CUDA_VISIBLE_DEVICES" in environ:
        return [name.strip() for name in environ["CUDA_VISIBLE_DEVICES"].split(",") if name.strip()]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return [str(number) for number, line in enumerate(listed.stdout.splitlines()) if line.startswith("GPU ")]


def places(launch: Launch, gpus: Sequence[str]) -> list[tuple[str, ...] | None]:
    """One entry for each job that runs at once: the GPUs that it is shown, None = whatever there is.

    >>> places(Launch(), ["0", "1"]), places(Launch(jobs=2), []), places(Launch(gpus_per_job=2), ["0", "1", "2", "3"])
    ([('0',), ('1',)], [None, None], [('0', '1'), ('2', '3')])

    Raises:
        RecipeError: fewer GPUs than a job wants.
    """
    if not gpus:
        return [None] * (launch.jobs or 1)
    size = launch.gpus_per_job
    if len(gpus) < size:
        raise RecipeError(f"launch.gpus_per_job={size}, but this machine shows {len(gpus)}; give fewer.")
    groups = [tuple(gpus[start : start + size]) for start in range(0, len(gpus) - size + 1, size)]
    return [groups[number % len(groups)] for number in range(launch.jobs or len(groups))]
