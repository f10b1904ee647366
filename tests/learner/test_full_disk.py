"""A disk that takes no more on one of two ranks: all are told, none waits, nothing half-written stays."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from selfplay.learner.checkpoint_names import CheckpointError, latest_checkpoint
from selfplay.learner.durable import fault
from tests.learner.test_checkpoints import trainer_of
from tests.tiny import tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def found(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    launcher = ["-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command = [sys.executable, *launcher, "-m", "tests.learner.full_disk", str(base), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "found.json").read_text())


@pytest.mark.parametrize("rank", [0, 1])
def test_every_rank_is_told_which_one_could_not_write(found, rank):
    told = found[f"rank {rank}"]["told"]
    assert told[0] == told[1]
    assert told[0].startswith("cannot write the checkpoint of step 2 (")
    assert f"on rank {rank}, " in told[0]
    assert "the last whole one is" in told[0]
    assert "step-000001. Make room" in told[0]
    assert "\n" not in told[0]


@pytest.mark.parametrize("rank", [0, 1])
def test_what_was_saved_before_stays_and_goes_on(found, rank):
    assert found[f"rank {rank}"]["left"] == ["step-000001"]
    assert found[f"rank {rank}"]["steps"] == 3


def test_a_filesystem_that_is_full(base, tmp_path):
    """A real one, of one megabyte; only the superuser may mount it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is refused here")
    try:
        trainer = trainer_of(base, disk / "run", max_steps=9, save_every=1, keep_checkpoints=0)
        with pytest.raises(CheckpointError, match=r"\((the disk took no more|.*No space left).*Make room"):
            trainer.train()
        parent = disk / "run" / "checkpoints"
        assert [path.name for path in parent.iterdir() if path.name.startswith(".")] == []
        assert fault(latest_checkpoint(parent)) == ""
    finally:
        # Lazily: the file that torch could not finish stays open for as long as its exception is shown.
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
