"""Two processes learn what one learns from the same seeds, and resume as if they had never stopped: DDP and ZeRO."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from selfplay.policy import Policy
from tests.learner.harness import PROBE, ROLES
from tests.tiny import tiny_base

KL = {"proposer": 0.3, "solver": 0.1}
SEVERAL = {"kl": KL, "updates_per_window": 2, "max_steps": 6, "lr_scheduler": "linear", "dropout": 0.2}
RESUMED = {
    "several_updates": {**SEVERAL, "save_every": 2, "keep_checkpoints": 0},
    "several_updates+": {**SEVERAL, "resume": True},
}
CASES = {
    "plain": {"kl": KL, "max_grad_norm": 1.0},
    "row_mean": {"loss_type": "grpo", "kl": KL, "micro_batches": 2},
    "shared": {"adapters": "shared"},
    "ramp": {"adapters": "shared", "mix": "ramp", "kl": KL, "loss_type": "bnpo", "micro_batches": 2},
    "silent_rank": {"kl": KL, "empty": [2, 3, 4, 5]},  # rank 1 in window 0, rank 0 in window 1
    "silent_window": {"empty": [4, 5, 6, 7]},
    **RESUMED,
}
EQUAL = [name for name in CASES if not name.startswith("several")]
CONFIGS = Path(__file__).parents[2] / "launch" / "accelerate"
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node"]
LAUNCHERS = {
    "one": [*TORCHRUN, "1"],
    "ddp": [*TORCHRUN, "2"],
    **{
        name: [
            "-m",
            "accelerate.commands.launch",
            "--config_file",
            str(CONFIGS / f"{name}.yaml"),
            "--num_processes",
            "2",
        ]
        for name in ("zero1", "zero2", "zero3")
    },
}


def launch(folder, base, launcher, cases):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    command = [sys.executable, *LAUNCHERS[launcher], "-m", "tests.learner.two_processes", str(base), str(folder)]
    done = subprocess.run([*command, json.dumps(cases)], env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def runs(base, tmp_path_factory):
    """Folders of the same cases on one process and on two; DeepSpeed's hold the resumed ones only."""
    folders = {launcher: tmp_path_factory.mktemp(launcher) for launcher in LAUNCHERS}
    for launcher, folder in folders.items():
        launch(folder, base, launcher, RESUMED if launcher.startswith("zero") else CASES)
    return folders


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", EQUAL)
def test_two_processes_are_one(runs, name):
    one, two = (torch.load(runs[launcher] / name / "found.pt") for launcher in ("one", "ddp"))
    assert (one["world"], two["world"]) == (1, 2)
    assert one["memory"] == two["memory"] == list(range(12))
    for expected, found in zip(one["gradients"], two["gradients"], strict=True):
        largest = max(gradient.abs().max() for gradient in expected.values())
        for parameter, gradient in expected.items():
            assert (found[parameter] - gradient).abs().max() <= 1e-5 * largest, parameter
    for parameter, value in one["values"].items():
        assert (two["values"][parameter] - value).abs().max() < 1e-4, parameter


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_resume_is_bit_exact_under_every_strategy(runs, launcher):
    unbroken, resumed = (torch.load(runs[launcher] / "several_updates" / f"{kind}.pt") for kind in ("found", "resumed"))
    assert unbroken["world"] == (1 if launcher == "one" else 2)
    assert unbroken["steps"] == resumed["steps"] == 6
    assert len(unbroken["gradients"]) - len(resumed["gradients"]) == 2  # two steps of one window were not done again
    assert resumed["memory"] == unbroken["memory"]
    assert all(torch.equal(resumed["values"][name], value) for name, value in unbroken["values"].items())


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_base_is_as_it_was(runs, base, launcher):
    found = torch.load(runs[launcher] / "several_updates" / "found.pt")
    assert found["digest"] == Policy.build(str(base), ROLES).base_digest()


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("role", ROLES)
def test_adapters_of_every_strategy_load_with_plain_peft(runs, base, launcher, role):
    folder = runs[launcher] / "several_updates"
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder / "adapters" / role).eval()
    with torch.no_grad():
        logits = plain(torch.tensor([PROBE])).logits
        bare = plain.disable_adapter()
        with bare:
            assert not torch.allclose(logits, plain(torch.tensor([PROBE])).logits, atol=1e-3)
    assert torch.allclose(logits, torch.load(folder / "resumed.pt")["logits"][role], atol=1e-5)


def test_the_second_process_writes_its_random_state_and_nothing_else(runs):
    one, two = ({str(path.relative_to(runs[name])) for path in runs[name].rglob("*")} for name in ("one", "ddp"))
    assert {path for path in one ^ two if "rng_state" not in path} == set()
