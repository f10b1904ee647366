"""The journal as the trainer uses it: what lies in the run folder after a run, a resume, a kill, a full disk."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from selfplay.evaluation.metrics import Metric
from selfplay.tracking.journal import CannotRecord, Journal, Tracking
from selfplay.tracking.metrics_file import read_rows, timeless
from tests.tracking.fakes import RUN, UNSEEN, episode, opened, pass_at_1


def rows_in(folder: Path) -> list[dict]:
    return read_rows(folder / "metrics.jsonl")


def test_a_run_leaves_its_record(tmp_path):
    with opened(tmp_path) as journal:
        journal.measured(0, [pass_at_1(0.3)])
        for step in (1, 2):
            journal.episodes(step, [episode(0), episode(1)])
            journal.record(step, {"reward/solver/majority": 0.5 * step, "perf/tokens_per_second": 100.0})
        journal.measured(2, [pass_at_1(0.8), Metric("perf/examine_seconds", 1.5)])
        summary = journal.finish(tmp_path / "adapters", {"base_digest": "9f2c"})
    assert [timeless(row) for row in rows_in(tmp_path)] == [
        {
            "step": 0,
            "yardstick/arithmetic/pass@1": 0.3,
            "yardstick/arithmetic/pass@1/low": 0.25,
            "yardstick/arithmetic/pass@1/high": 0.35,
        },
        {"step": 1, "reward/solver/majority": 0.5},
        {"step": 2, "reward/solver/majority": 1.0},
        {
            "step": 2,
            "yardstick/arithmetic/pass@1": 0.8,
            "yardstick/arithmetic/pass@1/low": 0.75,
            "yardstick/arithmetic/pass@1/high": pytest.approx(0.85),
        },
    ]
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == RUN.config
    assert "# selfplay 0.1.0" in (tmp_path / "config.yaml").read_text()
    assert sorted(file.name for file in (tmp_path / "episodes").iterdir()) == [
        "step-000001.parquet",
        "step-000002.parquet",
    ]
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert summary["metrics"]["yardstick/arithmetic/pass@1"] == {
        "first": 0.3,
        "best": 0.8,
        "last": 0.8,
        "low": 0.75,
        "high": pytest.approx(0.85),
        "definition": "mean share right, n=8",
    }
    assert (summary["steps"], summary["adapters"]) == (2, "adapters")
    assert summary["facts"] == {"base_digest": "9f2c"}


def test_a_resumed_run_ends_like_an_unbroken_one(tmp_path):
    def play(journal: Journal, first: int, last: int) -> None:
        for step in range(first, last + 1):
            journal.record(step, {"game/vote_share": step / 10})
            journal.episodes(step, [episode(step)])
            journal.measured(step, [pass_at_1(0.3 + step / 10)])

    with opened(tmp_path / "unbroken") as journal:
        play(journal, 1, 4)
        unbroken = journal.finish()
    with opened(tmp_path / "broken") as journal:
        play(journal, 1, 3)  # the last checkpoint was after step 2
    before = rows_in(tmp_path / "broken")
    with opened(tmp_path / "broken", resume_step=2) as journal:
        play(journal, 3, 4)
        resumed = journal.finish()
    rows = rows_in(tmp_path / "broken")
    assert list(map(timeless, rows)) == list(map(timeless, rows_in(tmp_path / "unbroken")))
    assert resumed["metrics"] == unbroken["metrics"]
    assert rows_in(tmp_path / "broken" / "cut-1") == before[4:]
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows), "time goes on where it stopped"


def test_a_new_run_in_a_used_folder_starts_from_nothing(tmp_path):
    with opened(tmp_path) as journal:
        journal.record(1, {"game/vote_share": 0.1})
        journal.finish()
    with opened(tmp_path) as journal:
        journal.record(1, {"game/vote_share": 0.2})
    assert [timeless(row) for row in rows_in(tmp_path)] == [{"step": 1, "game/vote_share": 0.2}]
    assert [timeless(row) for row in rows_in(tmp_path / "cut-1")] == [{"step": 1, "game/vote_share": 0.1}]
    assert not (tmp_path / "summary.json").exists(), "a summary stands for a finished run"


def test_a_silent_journal_leaves_no_trace(tmp_path, capsys):
    with Journal.silent(tmp_path / "run", RUN) as journal:
        journal.record(1, {"game/vote_share": 0.1})
        journal.measured(1, [pass_at_1(0.3)])
        journal.episodes(1, [episode(0)])
        journal.warn(1, "unheard")
        assert journal.finish() == {}
        assert journal.run_id is None
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""


def test_numbers_that_are_not_finite_are_null(tmp_path):
    with opened(tmp_path) as journal:
        journal.record(1, {"learner/loss": 0.5})
        journal.record(2, {"learner/loss": float("nan")})
        course = journal.finish()["metrics"]["learner/loss"]
    assert rows_in(tmp_path)[1]["learner/loss"] is None
    assert (course["first"], course["last"]) == (0.5, None)


def test_transcripts_come_every_so_often_and_first(tmp_path, capsys):
    tracking = Tracking(wandb="disabled", transcripts_every=3, transcripts=2)
    with opened(tmp_path, tracking=tracking) as journal:
        for step in range(1, 8):
            journal.episodes(step, [episode(0, 0.25), episode(1, 0.5), episode(2, 1.0)])
    printed = capsys.readouterr().out
    assert [f"episodes of step {step}" in printed for step in range(1, 8)] == [
        True,
        False,
        True,
        False,
        False,
        True,
        False,
    ]
    assert ("seed 0 ·" in printed, "seed 1 ·" in printed, "seed 2 ·" in printed) == (True, False, True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"wandb": "on"}, "wandb='on'"), ({"transcripts_every": -1}, "transcripts_every=-1"), ({"transcripts": 0}, "=0")],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Tracking(**settings)


FILL = """
import resource, sys
from pathlib import Path
from tests.tracking.fakes import episode, opened, pass_at_1
journal = opened(Path(sys.argv[1]))
journal.record(1, {"game/vote_share": 0.5})
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
{what}
"""


def fill(folder: Path, limit: int, what: str) -> subprocess.CompletedProcess:
    """Run ``what`` in a process that may write no file longer than ``limit`` bytes, as on a disk that fills up."""
    words = [sys.executable, "-c", FILL.replace("{what}", what), str(folder), str(limit)]
    return subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)


def test_a_full_disk_stops_the_run_with_one_clear_line_and_whole_rows(tmp_path):
    done = fill(tmp_path, 300, "for step in range(2, 99): journal.record(step, {'game/vote_share': 0.5})")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "CannotRecord: cannot record the metrics of step" in last
    assert "resume=auto" in last
    text = (tmp_path / "metrics.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert text.endswith("}\n")
    assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) > 1
    with opened(tmp_path, resume_step=1) as journal:  # with room again, the run goes on
        journal.record(2, {"game/vote_share": 0.75})
    assert [row["game/vote_share"] for row in rows_in(tmp_path)] == [0.5, 0.75]


@pytest.mark.parametrize(
    ("what", "named", "absent"),
    [
        ("journal.episodes(2, [episode(0)])", "the episodes of step 2", "episodes/step-000002.parquet"),
        ("journal.finish()", "the summary", "summary.json"),
    ],
)
def test_a_full_disk_leaves_no_torn_file(tmp_path, what, named, absent):
    done = fill(tmp_path, 200, what)
    assert f"cannot record {named} in" in done.stderr.strip().splitlines()[-1]
    assert not (tmp_path / absent).exists()
    assert not list(tmp_path.rglob("*.partial"))
    assert len(rows_in(tmp_path)) == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CannotRecord, match="the start of the run"):
        Journal.open(tmp_path / "file" / "run", RUN, UNSEEN)
