"""SIGKILL at every file operation of writing a checkpoint and of the pruning after it: the last whole one stays."""

import json
import os
import subprocess
import sys

import pytest
import torch

from selfplay.learner import checkpoints
from selfplay.learner.checkpoint_names import clear_leftovers, named_checkpoints, sound_checkpoint, step_of
from selfplay.learner.durable import fault
from selfplay.policy import Policy
from tests.learner.harness import ROLES, FixedGame, make_trainer
from tests.tiny import tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def trainer(base, tmp_path_factory):
    """Another process's trainer at the same step."""
    policy = Policy.build(base=str(base), roles=ROLES, rank=4, alpha=8, seed=0)
    game = FixedGame(policy.model.config.vocab_size)
    trainer = make_trainer(policy, tmp_path_factory.mktemp("own"), game=game, max_steps=2, keep_checkpoints=1)
    trainer.train()
    trainer.state.global_step = 3
    return trainer


@pytest.fixture(scope="module")
def killed(base, tmp_path_factory):
    """Folder of runs, and the operation that each was killed at."""
    folder = tmp_path_factory.mktemp("killed")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.learner.killed", str(base), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, json.loads((folder / "operations.json").read_text())


def test_every_kind_of_operation_was_a_moment_to_die(killed):
    _, operations = killed
    kinds = [operation.split()[0] for operation in operations]
    assert {"os.mkdir", "open", "create", "half", "fsync", "os.rename", "os.remove", "os.rmdir"} <= set(kinds)
    assert len(operations) > 50


def test_all_files_are_on_the_disk_before_the_folder_gets_its_name(killed):
    """What a power cut leaves cannot be tried here; that nothing is renamed before it is synced can."""
    folder, operations = killed
    parent = folder / "run" / "checkpoints"
    writing = parent / ".step-000003.writing"
    renamed = operations.index(f"os.rename {writing}")
    synced = {line.removeprefix("fsync ") for line in operations[:renamed] if line.startswith("fsync ")}
    final = folder / f"after-{len(operations)}" / "checkpoints" / "step-000003"
    assert synced == {str(writing), *(str(writing / path.relative_to(final)) for path in final.rglob("*"))}
    assert operations[renamed + 1] == f"fsync {parent}"
    assert not any(line.startswith("os.remove") for line in operations[:renamed])


def test_the_last_whole_checkpoint_is_there_and_loads(killed, trainer):
    folder, operations = killed
    publishing = 1 + operations.index(f"os.rename {folder / 'run' / 'checkpoints' / '.step-000003.writing'}")
    for number, operation in enumerate(operations, start=1):
        parent = folder / f"after-{number}" / "checkpoints"
        assert [fault(path) for path in named_checkpoints(parent) if fault(path)] == [], operation
        found, torn = sound_checkpoint(parent)
        assert torn == [], operation
        assert step_of(found) == (3 if number > publishing else 2), operation
        checkpoints.load(trainer, found)
        torch.load(found / "optimizer.pt", weights_only=True)


def test_the_next_run_leaves_nothing_of_it(killed, trainer):
    folder, operations = killed
    for number, operation in enumerate(operations, start=1):
        parent = folder / f"after-{number}" / "checkpoints"
        clear_leftovers(parent)
        assert [path.name for path in parent.iterdir() if path.name.startswith(".")] == [], operation
    trainer.args.output_dir = str(folder / f"after-{len(operations) // 3}")
    checkpoints.save(trainer)
    assert [path.name for path in checkpoints.checkpoints_of(trainer).iterdir()] == ["step-000003"]
