"""Every process must see the first one's run folder."""

import json
import os
import subprocess
import sys

from selfplay.shared_folder import require_shared


def test_a_process_that_sees_another_folder_is_named_to_all(tmp_path):
    launcher = ["-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command = [sys.executable, *launcher, "-m", "tests.shared_folder", str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    shared, apart = json.loads((tmp_path / "found.json").read_text())
    assert shared == ["", ""]
    assert apart[0] == apart[1]
    assert apart[0].startswith("output_dir=runs is not the same folder for all processes: rank 1 on ")
    assert f"(in {tmp_path / 'home-1' / 'runs'})" in apart[0]
    assert "\n" not in apart[0]
    for rank in (0, 1):
        assert list((tmp_path / f"home-{rank}" / "runs" / "mine").iterdir()) == []


def test_one_process_sees_its_own_folder(tmp_path):
    require_shared(tmp_path)
    assert list(tmp_path.iterdir()) == []
