"""metrics.jsonl: whole rows whatever happens, nothing twice and nothing lost over a resume."""

import json

import pytest

from selfplay.tracking.metrics_file import METRICS, MetricsFile, cut_after, finite, read_rows


def write(folder, *lines: str) -> None:
    (folder / METRICS).write_text("".join(lines))


ROWS = ['{"step": 9, "time": 1.0, "a": 1.0}\n', '{"step": 10, "time": 2.0, "a": 2.0}\n', '{"step": 11, "time": 3.0}\n']


def test_rows_are_read_as_written(tmp_path):
    file = MetricsFile(tmp_path)
    file.append({"step": 1, "time": 0.5, "loss": finite(float("nan")), "a": finite(float("-inf")), "b": 0.1}, {})
    file.append({"step": 2, "time": 0.75}, {"a": "what a is"})
    file.close()
    assert read_rows(tmp_path / METRICS) == [
        {"step": 1, "time": 0.5, "loss": None, "a": None, "b": 0.1},
        {"step": 2, "time": 0.75},
    ]
    assert json.loads((tmp_path / "definitions.json").read_text()) == {"a": "what a is"}


def test_definitions_are_kept_over_a_resume(tmp_path):
    for name in ("a", "b"):
        file = MetricsFile(tmp_path)
        file.append({"step": 1, "time": 0.0}, {name: f"what {name} is"})
        file.close()
    assert json.loads((tmp_path / "definitions.json").read_text()) == {"a": "what a is", "b": "what b is"}


def test_a_running_file_may_be_read(tmp_path):
    write(tmp_path, ROWS[0], '{"step": 10, "ti')
    assert read_rows(tmp_path / METRICS) == [{"step": 9, "time": 1.0, "a": 1.0}]
    assert read_rows(tmp_path / "nowhere.jsonl") == []


def test_a_spoilt_line_is_named(tmp_path):
    write(tmp_path, ROWS[0], "rubbish\n", ROWS[1])
    with pytest.raises(ValueError, match=r"metrics.jsonl line 2 is no JSON"):
        read_rows(tmp_path / METRICS)


def test_cut_moves_later_rows_and_a_torn_line(tmp_path):
    write(tmp_path, *ROWS, '{"step": 12, "ti')
    assert cut_after(tmp_path, 10) == tmp_path / "cut-1"
    assert (tmp_path / METRICS).read_text() == "".join(ROWS[:2])
    assert (tmp_path / "cut-1" / METRICS).read_text() == ROWS[2] + '{"step": 12, "ti'


def test_cut_moves_later_episodes_and_the_old_summary(tmp_path):
    (tmp_path / "episodes").mkdir()
    for step in (10, 11):
        (tmp_path / "episodes" / f"step-{step:06d}.parquet").write_text(str(step))
    (tmp_path / "summary.json").write_text("{}")
    cut_after(tmp_path, 10)
    assert [file.name for file in (tmp_path / "episodes").iterdir()] == ["step-000010.parquet"]
    assert (tmp_path / "cut-1" / "episodes" / "step-000011.parquet").read_text() == "11"
    assert (tmp_path / "cut-1" / "summary.json").exists()
    assert not (tmp_path / "summary.json").exists()


def test_every_cut_has_a_folder_of_its_own(tmp_path):
    write(tmp_path, *ROWS)
    assert cut_after(tmp_path, 11) is None
    assert cut_after(tmp_path, 10) == tmp_path / "cut-1"
    assert cut_after(tmp_path, 9) == tmp_path / "cut-2"
    assert cut_after(tmp_path, 9) is None
    assert cut_after(tmp_path / "fresh", 9) is None
