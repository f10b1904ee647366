"""Pairs from a file, and what is said of files that hold none."""

import json

import pytest

from selfplay.domains.judged_pairs import PairFile
from selfplay.evaluation.judge_accuracy import JudgeYardstick
from selfplay.samplers.scripted import Scripted
from tests.reality.folder import real_data

ONE = {"input": "Name a colour.", "output_1": "Red.", "output_2": "A cat.", "label": 1}
OTHER = {"input": "Say\u2028hello.", "output_1": "No.", "output_2": "Hello.", "label": 2}


@pytest.mark.parametrize("text", [json.dumps([ONE, OTHER]), f"{json.dumps(ONE)}\n{json.dumps(OTHER)}\n"])
def test_a_list_and_lines_are_the_same(tmp_path, text):
    path = tmp_path / "pairs.json"
    path.write_text(text, encoding="utf-8")
    pairs = PairFile(str(path)).held_out_pairs(9, seed=1)
    assert sorted((pair.request.shown, pair.better, pair.worse) for pair in pairs) == [
        ("Name a colour.", "Red.", "A cat."),
        ("Say\u2028hello.", "Hello.", "No."),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("{", "neither a JSON list nor JSON lines"),
        ("[1]", "entry 1: needs the texts"),
        (json.dumps([ONE, {**ONE, "label": 0}]), "entry 2: label=0 must be 1 or 2"),
        (json.dumps([{**ONE, "label": True}]), "label=True must be 1 or 2"),
    ],
)
def test_what_is_no_pair_is_named(tmp_path, text, message):
    path = tmp_path / "pairs.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        PairFile(str(path))
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named():
    with pytest.raises(ValueError, match=r"pairs.path=no\.json: cannot be read \(No such file"):
        PairFile("no.json")


def test_a_judge_is_measured_on_real_pairs():
    """100 pairs of LLMBar's natural subset: a judge that takes the first is right half of the time, by both orders."""
    source = PairFile(str(real_data("llmbar") / "dataset_Natural.json"))
    assert len(source.pairs) == 100
    found = JudgeYardstick(source, n=1000).measure(Scripted({"judge": [r"\boxed{1}"]}))
    values = {metric.name: metric.value for metric in found.metrics}
    assert values["yardstick/judge/accuracy"] == 0.5
    assert values["instrument/judge/order_flips"] == 1.0
