"""Two processes under DDP learn what one learns from the same seeds, and resume as if they had never stopped."""

import json
import os
import subprocess
import sys

import pytest
import torch

from tests.tiny import tiny_base

KL = {"proposer": 0.3, "solver": 0.1}
SEVERAL = {"kl": KL, "updates_per_window": 2, "max_steps": 6, "lr_scheduler": "linear", "dropout": 0.2}
CASES = {
    "plain": {"kl": KL, "max_grad_norm": 1.0},
    "row_mean": {"loss_type": "grpo", "kl": KL, "micro_batches": 2},
    "shared": {"adapters": "shared"},
    "silent_rank": {"kl": KL, "empty": [2, 3, 4, 5]},  # rank 1 in window 0, rank 0 in window 1
    "silent_window": {"empty": [4, 5, 6, 7]},
    "several_updates": {**SEVERAL, "save_every": 2, "keep_checkpoints": 0},
    "several_updates+": {**SEVERAL, "resume": True},
}
EQUAL = [name for name in CASES if not name.startswith("several")]


def launch(folder, base, world):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    launcher = ["-m", "torch.distributed.run", "--nproc_per_node", str(world)]
    command = [sys.executable, *launcher, "-m", "tests.learner.two_processes", str(base), str(folder)]
    done = subprocess.run([*command, json.dumps(CASES)], env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of the same cases on one process and on two."""
    base = tiny_base(tmp_path_factory.mktemp("base"))
    folders = {world: tmp_path_factory.mktemp(f"on_{world}") for world in (1, 2)}
    for world, folder in folders.items():
        launch(folder, base, world)
    return folders


@pytest.mark.parametrize("name", EQUAL)
def test_two_processes_are_one(runs, name):
    one, two = (torch.load(runs[world] / name / "found.pt") for world in (1, 2))
    assert (one["world"], two["world"]) == (1, 2)
    assert one["memory"] == two["memory"] == list(range(12))
    for expected, found in zip(one["gradients"], two["gradients"], strict=True):
        largest = max(gradient.abs().max() for gradient in expected.values())
        for parameter, gradient in expected.items():
            assert (found[parameter] - gradient).abs().max() <= 1e-5 * largest, parameter
    for parameter, value in one["values"].items():
        assert (two["values"][parameter] - value).abs().max() < 1e-4, parameter


@pytest.mark.parametrize("world", [1, 2])
def test_a_resume_is_bit_exact_on_any_number_of_processes(runs, world):
    unbroken, resumed = (torch.load(runs[world] / "several_updates" / f"{kind}.pt") for kind in ("found", "resumed"))
    assert len(unbroken["gradients"]) - len(resumed["gradients"]) == 2
    assert resumed["memory"] == unbroken["memory"]
    assert all(torch.equal(resumed["values"][name], value) for name, value in unbroken["values"].items())


def test_the_second_process_writes_its_random_state_and_nothing_else(runs):
    one, two = ({str(path.relative_to(runs[world])) for path in runs[world].rglob("*")} for world in (1, 2))
    assert {path for path in one ^ two if "rng_state" not in path} == set()
