"""The kill drill, short: two processes, killed twice, resumed twice, and the end as if nothing had happened."""

import random
import sys

import pytest

from tests.drill.__main__ import Drill
from tests.drill.jobs import Setting
from tests.drill.kills import KILLS
from tests.drill.moments import MOMENTS
from tests.drill.wholeness import damaged, files_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Scripted(random.Random):
    """Draws the wanted kills and moments in turn, and everything else by chance."""

    def __init__(self, *wanted: str) -> None:
        super().__init__(0)
        self.wanted = list(wanted)

    def choice(self, seq):
        known = sorted(seq) in (sorted(KILLS), sorted(MOMENTS))
        return self.wanted.pop(0) if known and self.wanted else super().choice(seq)


def test_two_kills_two_clean_resumes(tmp_path, capsys):
    drill = Drill(tmp_path / "runs", 6, 0, ["ours"], ())
    drill.rng = Scripted("SIGKILL one rank", "checkpoint", "SIGTERM launcher", "update")
    drill.job(0, Setting.named("two_cpu"), 2)
    assert drill.verdict(2) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.splitlines()[-1] == (
        "2 of 2 clean resumes; bit-equal; 0 orphans; 0 unreadable checkpoints"
    )
    log = (tmp_path / "runs" / "000-two_cpu.log").read_text()
    assert "died (signal 9, SIGKILL; out of memory?); " in log
    assert "Traceback" not in log
    _the_drill_itself_finds_a_torn_checkpoint(tmp_path / "runs" / "two_cpu-undisturbed" / "checkpoints")


def _the_drill_itself_finds_a_torn_checkpoint(checkpoints):
    whole = checkpoints / "step-000006"
    expected = files_of(whole)
    assert damaged(checkpoints, expected) == []
    (whole / "optimizer.pt").write_bytes((whole / "optimizer.pt").read_bytes()[:-100])
    (checkpoints / "step-000005" / "scheduler.pt").unlink()
    assert len(damaged(checkpoints, expected)) == 2
