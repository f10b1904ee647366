"""The benchmark runs and its report is whole. Nothing here depends on how fast the machine is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.bench import make_room
from tests.benchmarks.figures import ratio
from tests.benchmarks.sections import SECTIONS

ROOT = Path(__file__).parents[2]
PARTS = {"generate", "backward", "overhead"}


@pytest.mark.timeout(900)
def test_a_quick_benchmark_leaves_a_whole_report(tmp_path):
    folder = tmp_path / "bench"
    command = [sys.executable, "-m", "tests.benchmarks.bench", "--quick", "--folder", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=890)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads((folder / "bench.json").read_text())
    assert list(report["sections"]) == list(SECTIONS)
    assert {"machine", "versions", "rounds", "seconds", "holds"} <= set(report)
    for section in report["sections"].values():
        assert all(one["median"] > 0 and one["definition"] for one in section["ratios"])
        assert all(one["name"] in done.stdout for one in section["ratios"])
    for name in ("trl", "roles", "processes"):
        for one in report["sections"][name]["contenders"].values():
            assert set(one["split_mean"]) >= PARTS - {"generate"}
            assert sum(one["split_mean"].values()) == pytest.approx(one["seconds_mean"])
            assert one["rows"] > 0
    assert report["sections"]["processes"]["contenders"]["two"]["rows"] > 0


def test_an_earlier_benchmark_is_moved_aside(tmp_path):
    folder = tmp_path / "bench"
    for number in range(3):
        make_room(folder)
        (folder / "bench.json").write_text(str(number))
    kept = [(tmp_path / name / "bench.json").read_text() for name in ("bench.1", "bench.2", "bench")]
    assert kept == ["0", "1", "2"]


def test_a_ratio_is_the_median_within_rounds_and_knows_its_bound():
    slow_machine = [(1.0, 2.0), (10.0, 20.0), (3.0, 5.0)]  # the second round was ten times as slow for both
    found = ratio("a / b", "seconds", slow_machine, "<= 0.5")
    assert (found.median, found.low, found.high, found.holds) == (0.5, 0.5, 0.6, True)
    assert not ratio("a / b", "seconds", [(1.1, 2.0)], "<= 0.5").holds
    assert not ratio("b / a", "rows/s", [(3.0, 2.0)], ">= 1.7").holds
    assert ratio("b / a", "rows/s", [(3.0, 2.0)]).holds
