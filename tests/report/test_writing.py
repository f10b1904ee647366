"""What is written, what is left alone, and what is refused with one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from selfplay.inspect import main
from selfplay.report import write_page, write_report
from tests.report.made import episode, fill_store, made_run
from tests.report.made_standings import standings


def test_a_report_is_a_page_with_pictures_a_table_and_numbers(tmp_path):
    runs = [made_run(tmp_path / "sqlm-0"), made_run(tmp_path / "sqlm-random-0", "random", gain=0.0)]
    page = write_report(tmp_path / "out", runs, standings(), "Two arms")
    names = {path.name for path in page.parent.iterdir()}
    assert page == tmp_path / "out" / "report.html"
    assert {"report.html", "numbers.json", "table.md", "differences.png", "yardstick-arithmetic-pass-1.png"} <= names
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in page.parent.glob("*.png"))
    table = (page.parent / "table.md").read_text()
    assert "| sqlm_small | untrained base small | arithmetic | better | +50.0 points [+40.0, +60.0] |" in table
    text = page.read_text()
    assert "<title>Two arms</title>" in text
    assert "its words are not in the vocabulary" in text


def test_the_page_asks_the_network_for_nothing(tmp_path):
    text = write_page(tmp_path / "page.html", made_run(tmp_path / "a")).read_text()
    named = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", text)
    assert [place for place in named if not place.startswith(("#", "data:"))] == []
    links = set(re.findall(r"https?://[^\s\"'<)]+", text))
    assert links <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, "names of SVG, never fetched"


def test_ids_are_given_once(tmp_path):
    text = write_report(tmp_path / "out", [made_run(tmp_path / "a")], standings(), "Ids").read_text()
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)


def test_names_are_text_and_never_markup(tmp_path):
    run = made_run(tmp_path / "<img src=x onerror=alert(1)>", recipe="<b>bold</b>")
    text = write_report(tmp_path / "out", [run], None, "</title><script>alert(2)</script>").read_text()
    assert "<b>bold" not in text
    assert "<img src=x" not in text
    assert "<script>alert" not in text


def test_a_page_of_ours_is_replaced_and_a_strangers_file_is_not(tmp_path):
    run = made_run(tmp_path / "a")
    first = write_report(tmp_path / "out", [run], None, "One").read_text()
    assert write_report(tmp_path / "out", [run], None, "Two").read_text() != first
    for name in ("table.md", "numbers.json", "report.html", "yardstick-arithmetic-pass-1.png"):
        out = tmp_path / f"mine-{name}"
        out.mkdir()
        (out / name).write_text("my own notes")
        with pytest.raises(ValueError, match=r"left alone"):
            write_report(out, [run], None, "Three")
        assert [path.name for path in out.iterdir()] == [name], "nothing is written before all is known to be free"
        assert (out / name).read_text() == "my own notes"


def test_the_same_runs_give_the_same_bytes(tmp_path):
    run = made_run(tmp_path / "a")
    pages = [write_page(tmp_path / f"{name}.html", run).read_bytes() for name in ("one", "two")]
    assert pages[0] == pages[1]


def test_inspect_writes_into_the_run_and_prints_the_path(tmp_path, capsys):
    run = made_run(tmp_path / "a")
    capsys.readouterr()
    assert main([str(run)]) == 0
    assert capsys.readouterr().out == f"{run / 'inspect.html'}\n"
    assert main([str(run)]) == 0, "a page of an earlier call is replaced"
    assert main([str(run), "--out", str(tmp_path / "else" / "page.html")]) == 0
    assert (tmp_path / "else" / "page.html").exists()


def test_inspect_opens_the_page_when_asked(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    run = made_run(tmp_path / "a")
    assert main([str(run), "--open"]) == 0
    assert opened == [(run / "inspect.html").resolve().as_uri()]


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_run_that_is_still_going_can_be_looked_at(tmp_path, steps):
    run = made_run(tmp_path / "a", finish=False, steps=steps)
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "torn')
    text = write_page(tmp_path / "page.html", run).read_text()
    assert f"a (step {steps} of 4)" in text
    if steps < 2:
        assert "nothing can be said about progress yet" in text or "no evidence" in text


def folder_without_config(folder: Path) -> Path:
    folder.mkdir()
    return folder


def folder_with(folder: Path, config: str) -> Path:
    folder.mkdir()
    (folder / "config.yaml").write_text(config)
    return folder


def run_with_torn_episodes(folder: Path) -> Path:
    run = made_run(folder)
    (run / "episodes" / "step-000002.parquet").write_bytes(b"PAR1 torn")
    return run


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder, "is no folder"),
        (folder_without_config, "it has no config.yaml"),
        (lambda folder: folder_with(folder, "a: [1"), "cannot be read"),
        (lambda folder: folder_with(folder, "- 1"), "it holds list, not keys"),
        (lambda folder: folder_with(folder, "recipe: x\n"), "KeyError: 'policy'"),
        (run_with_torn_episodes, "step-000002.parquet cannot be read"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(tmp_path, capsys, make, said):
    folder = make(tmp_path / "run")
    capsys.readouterr()
    assert main([str(folder), "--out", str(tmp_path / "page.html")]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("words", [[], ["a", "b"], ["a", "--characters", "0"], ["a", "--characters", "many"]])
def test_misuse_has_a_status_of_its_own(words, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err


def test_a_report_of_no_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no run folder was named"):
        write_report(tmp_path / "out", [], None, "Nothing")


def test_a_page_says_how_many_episodes_it_has_room_for(tmp_path):
    run = made_run(tmp_path / "a")
    fill_store(run, steps=4, per_step=20)
    whole = write_page(tmp_path / "whole.html", run).read_text()
    assert "All 80 episodes that were stored." in whole
    some = write_page(tmp_path / "some.html", run, characters=8000).read_text()
    (shown,) = re.findall(r"(\d+) of 80 episodes are here, spread evenly over the steps", some)
    assert 8 <= int(shown) < 40


def test_runs_of_one_name_are_told_apart(tmp_path):
    runs = [made_run(tmp_path / "x" / "same"), made_run(tmp_path / "y" / "same", seed=1)]
    write_report(tmp_path / "out", runs, None, "Same")
    numbers = json.loads((tmp_path / "out" / "numbers.json").read_text())
    assert [run["run"] for run in numbers["runs"]] == ["x/same", "y/same"]
    assert numbers["episodes"]["stored"] == {"x/same": 8, "y/same": 8}


def test_texts_of_models_cannot_end_the_script_that_carries_them(tmp_path):
    run = made_run(tmp_path / "a", episodes=[episode(0, "</script><script>alert(1)</script>")])
    text = write_page(tmp_path / "page.html", run).read_text()
    assert "alert(1)" not in text, "texts are carried compressed, in letters and digits alone"
