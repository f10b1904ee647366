"""Launches that start fewer processes than were asked for, or several jobs instead of one, and say nothing.

    environment, launcher's command line --check_launch--> silence, or one RecipeError with the command that works

Tried one by one with accelerate 1.15: on a machine without a GPU ``accelerate launch --cpu --num_processes 2``, plain
``--num_processes 2``, a MULTI_CPU config and ``--config_file zero2.yaml --cpu`` all start ONE process, the last one
without DeepSpeed, and end with status 0. ``srun`` and ``mpirun`` in front of ``python -m selfplay.train`` start that
many jobs on one run folder.

What can be known: a rank has WORLD_SIZE from its launcher; without it, the command line of an ``accelerate launch``
above us and the config file it reads say what was asked for. What cannot: other launchers that start one process only
and a command line that is not ours to read. ``processes=N`` in the recipe or among the words is certain: the job starts
on N processes or not at all, and ``processes=1`` means one on purpose.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

from omegaconf import DictConfig

from selfplay.configuration import RecipeError
from selfplay.launch_words import Launcher

MPI_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK")
TRUE = ("1", "true", "yes", "on")


def world_size(config: DictConfig) -> int:
    """Processes of this job, as the launcher says; in a dry run as the recipe says, so that a plan needs no launch."""
    planned = config.dry_run and isinstance(config.processes, int)
    return config.processes if planned else _world(os.environ)


def is_first(environ: Mapping[str, str]) -> bool:
    """Whether this process speaks for the job; also among copies that were started by mistake."""
    return next((environ[name] for name in RANKS if name in environ), "0") == "0"


def check_launch(
    wanted: int | None, words: Sequence[str], environ: Mapping[str, str], above: Sequence[Sequence[str]]
) -> None:
    """Refuse a launch that is not what was asked for.

    Args:
        wanted: the recipe's ``processes``; None = as many as the launcher was asked for.
        words: of our command line, repeated in the command that works.
        environ: of this process.
        above: command lines of the processes above us, the nearest first; from ``commands_above``.

    Raises:
        RecipeError: fewer processes than asked for, several jobs instead of one, or DeepSpeed dropped.
    """
    world = _world(environ)
    launcher = Launcher.among(above, environ)
    _refuse_lost_deepspeed(launcher, environ)
    if wanted is not None and wanted != world:
        raise RecipeError(
            f"processes={wanted}, but {_count(world)} started{launcher.blame(world)}. On several machines see "
            f"launch/README.md; on this one: {_command(wanted, words)}"
        )
    if wanted is None:
        _refuse_copies(world, words, environ)
        if world == 1 and launcher.asked > 1:
            raise RecipeError(
                f"accelerate was asked for {launcher.asked} processes and started one{launcher.blame(world)}. If "
                f"one is meant, add processes=1; for {launcher.asked}: {_command(launcher.asked, words)}"
            )


def check_group(size: int, gpus: int, words: Sequence[str], environ: Mapping[str, str]) -> None:
    """After the processes have met, before a model is loaded.

    Args:
        size: of the process group; 1 where there is none.
        gpus: visible to this process.

    Raises:
        RecipeError: another number of processes than the launcher started, or one process with several GPUs.
    """
    world = _world(environ)
    if size != world:
        raise RecipeError(f"WORLD_SIZE={world}, but {_count(size)} met. Start them with: {_command(world, words)}")
    if world == 1 and gpus > 1 and "LOCAL_RANK" not in environ:  # with it, the process keeps to a GPU of its own
        raise RecipeError(
            f"one process sees {gpus} GPUs, over which transformers would spread every batch (DataParallel, which does "
            f"not switch adapters rightly). On one GPU: CUDA_VISIBLE_DEVICES=0; on all: {_command(gpus, words)}"
        )


def check_trainer(trainers_world: int, n_gpu: int, deepspeed: bool, environ: Mapping[str, str]) -> None:
    """After the trainer is built, before it trains: it must see the job that the launcher started.

    Raises:
        RecipeError: another number of processes, DataParallel, or DeepSpeed asked for and not on.
    """
    world, asked = _world(environ), _is_true(environ, "ACCELERATE_USE_DEEPSPEED")
    if trainers_world != world or n_gpu > 1 or (asked and not deepspeed):
        raise RecipeError(
            f"the launcher started {_count(world)}{' with DeepSpeed' if asked else ''}, but the trainer sees "
            f"{_count(trainers_world)} of {n_gpu} GPU(s){' without DeepSpeed' if asked and not deepspeed else ''}; "
            "unset ACCELERATE_USE_CPU and launch with one of the configs in launch/accelerate."
        )


def _refuse_copies(world: int, words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Several tasks of srun or mpirun, each of which believes to be the whole job."""
    mpi = next((name for name in MPI_SIZES if int(environ.get(name, "1")) > 1), None)
    slurm = "SLURM_STEP_NUM_TASKS" if "SLURM_STEP_NUM_TASKS" in environ else "SLURM_NTASKS"
    name = slurm if int(environ.get(slurm, "1")) > 1 else mpi
    if name is None:
        return
    tasks = int(environ[name])
    if "WORLD_SIZE" not in environ:
        raise RecipeError(
            f"{name}={tasks}, but WORLD_SIZE is not set: {tasks} tasks would be {tasks} jobs in one run folder, or one "
            f"process where {tasks} were asked for. If one process is meant, add processes=1; else start one launcher "
            f"on each node: sbatch launch/slurm.sh {shlex.join(words)}"
        )
    each = int(environ.get("LOCAL_WORLD_SIZE", "0"))
    if "TORCHELASTIC_RUN_ID" in environ and world == each and name != "SLURM_NTASKS":  # which a shell of salloc has too
        raise RecipeError(
            f"{name}={tasks}, and every task's launcher started {_count(world)} of its own: {tasks} jobs in one run "
            "folder. Give the launchers --num_machines, --machine_rank and --main_process_ip, or use launch/slurm.sh."
        )


def _refuse_lost_deepspeed(launcher: Launcher, environ: Mapping[str, str]) -> None:
    asked = launcher.deepspeed or _is_true(environ, "ACCELERATE_USE_DEEPSPEED")
    if asked and _is_true(environ, "ACCELERATE_USE_CPU"):
        raise RecipeError(
            "DeepSpeed was asked for, but --cpu or ACCELERATE_USE_CPU drops it without a word; leave that out: where "
            "there is no GPU the CPU is used anyway."
        )


def _command(processes: int, words: Sequence[str]) -> str:
    launcher = f"torchrun --nproc_per_node {processes}" if processes > 1 else "python"
    return f"{launcher} -m selfplay.train {shlex.join(words)}"


def _world(environ: Mapping[str, str]) -> int:
    return int(environ.get("WORLD_SIZE", "1"))


def _count(processes: int) -> str:
    return "one process" if processes == 1 else f"{processes} processes"


def _is_true(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() in TRUE
