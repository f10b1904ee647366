"""Launches that would start something else than was asked for are refused with the command that works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from selfplay.configuration import RecipeError
from selfplay.launch_words import Launcher
from selfplay.processes import check_group, check_launch, check_trainer, is_first

WORDS = ["recipe=sqlm_small", "seeds.topics=[a b]"]
TORCHRUN = "torchrun --nproc_per_node 2 -m selfplay.train recipe=sqlm_small 'seeds.topics=[a b]'"
RANK = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "TORCHELASTIC_RUN_ID": "none"}
SRUN = {"SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "8"}


def launch(*flags: str) -> list[list[str]]:
    """Command lines above a rank that ``accelerate launch FLAGS -m selfplay.train`` started through a shell."""
    launcher = ["/venv/bin/python", "/venv/bin/accelerate", "launch", *flags, "-m", "selfplay.train", *WORDS]
    return [["sh", "-c", "whatever"], launcher, ["bash"]]


def config(folder: Path, kind: str, processes: int = 2) -> str:
    file = folder / "accelerate" / "default_config.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"distributed_type: {kind}\nnum_processes: {processes}\nuse_cpu: true\n")
    return str(file)


def refusal(wanted: int | None = None, environ: dict[str, str] | None = None, above=()) -> str:
    with pytest.raises(RecipeError) as caught:
        check_launch(wanted, WORDS, {"HF_HOME": "/nowhere", **(environ or {})}, above)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def passes(wanted: int | None = None, environ: dict[str, str] | None = None, above=()) -> None:
    check_launch(wanted, WORDS, {"HF_HOME": "/nowhere", **(environ or {})}, above)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--cpu", "--num_processes", "2"], "--cpu starts a single process"),
        (["--cpu", "--num-processes=2"], "--cpu starts a single process"),
        (["--num_processes", "2", "--mixed_precision", "no"], "without --multi_gpu"),
    ],
)
def test_a_launcher_asked_for_two_that_started_one(flags, why):
    said = refusal(above=launch(*flags))
    assert why in said
    assert said.endswith(TORCHRUN)
    passes(above=launch(*flags), environ=RANK)
    passes(wanted=1, above=launch(*flags))  # one on purpose


def test_a_config_that_starts_one_process_given_or_the_user_s_own(tmp_path):
    file = config(tmp_path, "MULTI_CPU")
    for environ, above in (({}, launch("--config_file", file)), ({"HF_HOME": str(tmp_path)}, launch("--quiet"))):
        said = refusal(environ=environ, above=above)
        assert f"MULTI_CPU in {file}" in said
        assert said.endswith(TORCHRUN)
    passes(environ={"HF_HOME": str(tmp_path)}, above=launch("--cpu"))  # which reads no config unless given one
    passes(environ={"HF_HOME": str(tmp_path)}, above=launch("--config_file", file, "--num_processes", "1"))


@pytest.mark.parametrize(
    "above",
    [
        [],
        [["bash", "launch/quickstart.sh"]],
        launch("--quiet", "--num_processes", "1"),
        [["python", "/venv/bin/accelerate", "launch", "--num_processes", "8", "tests_of_another_program.py"]],
    ],
)
def test_an_ordinary_single_process_passes(above):
    passes(above=above)
    passes(wanted=1, above=above)


@pytest.mark.parametrize(
    "command",
    [
        ["python", "-m", "accelerate.commands.launch"],
        ["/v/bin/accelerate-launch"],
        ["python", "/v/bin/accelerate", "launch"],
        ["python", "-m", "selfplay.launch"],
    ],
)
def test_the_ways_to_call_accelerate(command):
    found = Launcher.among([[*command, "--num_processes", "4", "-m", "selfplay.train", "--num_processes=9"]], {})
    assert found.asked == 4


def test_deepspeed_that_would_be_dropped_without_a_word(tmp_path):
    file = config(tmp_path, "DEEPSPEED")
    above, environ = launch("--config_file", file, "--cpu"), {"ACCELERATE_USE_CPU": "True"}
    assert "DeepSpeed" in refusal(above=above, environ=environ)
    assert "DeepSpeed" in refusal(environ={"ACCELERATE_USE_CPU": "1", "ACCELERATE_USE_DEEPSPEED": "true", **RANK})
    passes(environ={"ACCELERATE_USE_DEEPSPEED": "true", **RANK}, above=launch("--config_file", file))


@pytest.mark.parametrize(
    "environ",
    [
        SRUN,
        {"SLURM_NTASKS": "8"},
        {"OMPI_COMM_WORLD_SIZE": "2"},
        {"PMI_SIZE": "2"},
        {**SRUN, "OMPI_COMM_WORLD_SIZE": "8"},
    ],
)
def test_tasks_of_srun_and_mpirun_that_would_be_jobs_of_their_own(environ):
    assert "sbatch launch/slurm.sh recipe=sqlm_small" in refusal(environ=environ)
    passes(wanted=1, environ=environ)  # a sweep: every task a job of its own, and said so


def test_a_launcher_in_every_task_that_knows_nothing_of_the_others():
    nodes = {"SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "4"}
    assert "4 jobs in one run folder" in refusal(environ={**RANK, **nodes})
    passes(environ={**RANK, **nodes, "WORLD_SIZE": "8"})  # two on each of four nodes
    passes(environ={**RANK, "SLURM_NTASKS": "2"})  # one launcher in the shell of an allocation


def test_a_number_in_the_recipe_is_kept():
    assert "processes=2, but one process started" in refusal(wanted=2)
    assert refusal(wanted=2).endswith(TORCHRUN)
    assert "processes=8, but 2 processes started" in refusal(wanted=8, environ=RANK)
    assert "processes=1, but 2 processes started" in refusal(wanted=1, environ=RANK)
    passes(wanted=2, environ=RANK)


def test_what_the_group_must_be():
    check_group(1, 1, WORDS, {})
    check_group(2, 8, WORDS, RANK)
    check_group(1, 4, WORDS, {**RANK, "WORLD_SIZE": "1"})  # a launched process keeps to its own GPU
    with pytest.raises(RecipeError, match="WORLD_SIZE=2, but one process met"):
        check_group(1, 0, WORDS, RANK)
    with pytest.raises(RecipeError, match=r"sees 4 GPUs.*CUDA_VISIBLE_DEVICES=0.*nproc_per_node 4"):
        check_group(1, 4, WORDS, {})


def test_what_the_trainer_must_see():
    asked = {**RANK, "ACCELERATE_USE_DEEPSPEED": "true"}
    check_trainer(2, 1, False, RANK)
    check_trainer(2, 0, True, asked)
    for world, gpus, deepspeed, environ in ((1, 0, False, RANK), (2, 2, False, RANK), (2, 1, False, asked)):
        with pytest.raises(RecipeError, match="the trainer sees"):
            check_trainer(world, gpus, deepspeed, environ)


def test_a_mistake_is_said_once():
    assert is_first({})
    assert is_first({"RANK": "0", "SLURM_PROCID": "1"})
    assert not is_first({"SLURM_PROCID": "3"})
    assert not is_first({"OMPI_COMM_WORLD_RANK": "1"})


def test_the_real_trap(tmp_path):
    """The launcher itself would end with status 0, after a run on one process."""
    trap = [str(Path(sys.executable).parent / "accelerate"), "launch", "--quiet", "--cpu", "--num_processes", "2"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "OMPI", "PMI"))}
    words = ["recipe=sqlm_small", f"output_dir={tmp_path}", "max_steps=1"]
    command = [*trap, "-m", "selfplay.train", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("selfplay:")]
    assert line.endswith(f"torchrun --nproc_per_node 2 -m selfplay.train {' '.join(words)}")
    assert list(tmp_path.iterdir()) == []
