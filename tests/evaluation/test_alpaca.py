"""AlpacaEval's files: round trips, what other versions write, and mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfplay.evaluation.alpaca import (
    Annotations,
    Output,
    is_annotations,
    read_annotations,
    read_outputs,
    write_annotations,
    write_outputs,
)
from selfplay.evaluation.contests import Comparison

ANSWER = {"instruction": "Say hello.", "output": "Hello", "generator": "mine"}
JUDGED = {
    "instruction": "Say hello.",
    "output_1": "Hi",
    "output_2": "Hello",
    "generator_1": "reference",
    "generator_2": "mine",
    "annotator": "gpt4",
    "preference": 2.0,
}


def file_of(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "given.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_outputs_survive_a_round_trip(tmp_path: Path):
    outputs = [
        Output("list animals", "cat owl", "now", "0"),
        Output("list animals", "", "now", "0"),  # a second answer, and an empty one
        Output('two\nlines "and" \u2028 more', "é <|im_end|>", "now", "1", "helpful_base"),
    ]
    write_outputs(tmp_path / "out.json", outputs)
    assert read_outputs(tmp_path / "out.json") == outputs
    (first, *_) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert {"dataset", "instruction", "output", "generator"} <= set(first)


def test_annotations_survive_a_round_trip(tmp_path: Path):
    comparisons = (
        Comparison("0", "0-0", "list animals", "cat", "red", True, 1.0),
        Comparison("0", "0-0", "list animals", "cat", "red", False, 0.0),
        Comparison("0", "0-1", "list animals", "cat", "", None, 0.5),
        Comparison("1", "0-0", "list tools", "saw", "axe", True, None),
        Comparison("1", "0-1", "list tools", "saw", "file", True, 0.8125),
    )
    given = Annotations("now", "base", "a judge", comparisons)
    write_annotations(tmp_path / "out.json", given)
    assert read_annotations(tmp_path / "out.json") == given


def test_the_policy_in_question_is_output_2_as_in_alpacaeval(tmp_path: Path):
    won = Comparison("0", "0-0", "list animals", "cat", "red", True, 1.0)
    write_annotations(tmp_path / "out.json", Annotations("now", "base", "a judge", (won,)))
    (row,) = json.loads((tmp_path / "out.json").read_text())
    assert (row["generator_2"], row["output_2"], row["preference"]) == ("now", "cat", 2.0)
    assert (row["generator_1"], row["output_1"], row["is_switch_output_1_output_2"]) == ("base", "red", True)


@pytest.mark.parametrize(
    ("preference", "score"),
    [
        (1, 0.0), (2, 1.0), (1.5, 0.5), (None, None), (0, 0.5), ("2", 1.0), (1.25, 0.25), (float("nan"), None),
        (1.9999998, pytest.approx(0.9999998)),
    ],
)  # fmt: skip
def test_preferences_of_all_versions(tmp_path: Path, preference, score):
    found = read_annotations(file_of(tmp_path, [{**JUDGED, "preference": preference}]))
    assert found.comparisons[0].score == score
    assert (found.a, found.b, found.annotator) == ("mine", "reference", "gpt4")
    assert found.comparisons[0].a_first is None  # AlpacaEval shuffles and does not say how


def test_entries_the_other_way_round_are_turned(tmp_path: Path):
    turned = {"output_1": "Hello", "output_2": "Hi", "generator_1": "mine", "generator_2": "reference"}
    rows = [JUDGED, {**JUDGED, **turned, "preference": 1.25, "is_switch_output_1_output_2": True}]
    found = read_annotations(file_of(tmp_path, rows)).comparisons
    assert [(c.text_a, c.text_b, c.score, c.a_first) for c in found] == [
        ("Hello", "Hi", 1.0, None),
        ("Hello", "Hi", 0.75, False),
    ]


def test_outputs_of_old_files(tmp_path: Path):
    path = file_of(tmp_path, [{"instruction": "Sum up.", "input": "A text.", "output": "Text."}])
    assert read_outputs(path) == [Output("Sum up.\n\nA text.", "Text.", "given", "", "")]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{", "cannot be read (it is not JSON"),
        ([], "holds an empty list; give a JSON list of"),
        ({"instruction": "x"}, "holds dict; give a JSON list of"),
        ([ANSWER, "x"], ", entry 2: is no object; give"),
        ([ANSWER, {"instruction": "x"}], ", entry 2: has no text 'output' (its keys: instruction); give"),
        ([{**ANSWER, "output": None}], ", entry 1: has no text 'output'"),
    ],
)
def test_a_mistake_in_outputs_names_file_entry_and_mend(tmp_path: Path, value, told):
    path = file_of(tmp_path, value)
    with pytest.raises(ValueError, match=r"given\.json") as caught:
        read_outputs(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"preference": 3}, ", entry 2: preference=3 must be 1 (output_1 is better), 2 (output_2)"),
        ({"preference": -1}, ", entry 2: preference=-1"),
        ({"preference": "m"}, ", entry 2: preference='m'"),
        ({"preference": True}, ", entry 2: preference=True"),
        ({"preference": [2]}, ", entry 2: preference=[2]"),
        ({"generator_1": "another"}, ", entry 2: compares another with mine, the entries before reference with mine"),
        ({"output_1": 7}, ", entry 2: has no text 'output_1'"),
    ],
)
def test_a_mistake_in_annotations_names_file_entry_and_mend(tmp_path: Path, change, told):
    path = file_of(tmp_path, [JUDGED, {**JUDGED, **change}])
    with pytest.raises(ValueError, match=r"given\.json") as caught:
        read_annotations(path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_two_kinds_are_told_apart(tmp_path: Path):
    assert not is_annotations(file_of(tmp_path, [ANSWER]))
    assert is_annotations(file_of(tmp_path, [JUDGED]))


def test_nothing_is_overwritten(tmp_path: Path):
    path = file_of(tmp_path, [ANSWER])
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"given\.json: cannot be written \(File exists\); name another folder"):
        write_outputs(path, read_outputs(path))
    assert path.read_bytes() == before


def test_a_missing_file_is_one_line(tmp_path: Path):
    with pytest.raises(ValueError, match=r"none\.json: cannot be read \(No such file or directory\); give a JSON list"):
        read_outputs(tmp_path / "none.json")
