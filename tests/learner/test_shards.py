"""Under ZeRO-2 a checkpoint is every rank's shards: complete, resumed bit for bit, and refused by all ranks or none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny import tiny_base

CONFIG = Path(__file__).parents[2] / "launch" / "accelerate" / "zero2.yaml"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder, base = tmp_path_factory.mktemp("jobs"), tiny_base(tmp_path_factory.mktemp("base"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    launcher = ["-m", "accelerate.commands.launch", "--config_file", str(CONFIG), "--num_processes", "2"]
    command = [sys.executable, *launcher, "-m", "tests.learner.shards", str(base), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "found.json").read_text())


def test_a_resume_is_bit_exact(found):
    assert found["resumed"]["equal"]


def test_every_rank_s_shard_and_random_state_is_there_and_sealed(found):
    resumed = found["resumed"]
    assert resumed["fault"] == ""
    assert resumed["launched"] == {"processes": 2, "strategy": "zero2"}
    for rank in (0, 1):
        assert f"rng_state_{rank}.pth" in resumed["files"]
        assert any(f"zero_pp_rank_{rank}_" in name for name in resumed["files"])


def test_a_rank_that_cannot_write_its_shard_tells_the_others(found):
    one, other = found["refused"]["told"]
    assert one == other
    assert "(the disk took no more on rank 1, " in one
    assert found["refused"]["left"] == []
