"""Reading verdicts: what counts, what does not, and that no text breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.roles.verdicts import after_thinking, judged_text, read_verdict, verdict_choices
from tests.texts import UGLY, texts

NEARLY = st.text(alphabet="\\boxed{}012AB <think>/\n", max_size=80)


@pytest.mark.parametrize(
    ("text", "final", "release"),
    [
        (r"\boxed{1}", "first", "first"),
        (r"\boxed{2}", "second", "second"),
        (r"They are close. \boxed{2}.", "second", "second"),
        (r"\boxed{ 2 }", "second", None),  # the release wants exactly "1" or "2"
        (r"First \boxed{1}. No, wait: \boxed{2}", "second", "first"),
        (r"<think>\boxed{1}?</think>\boxed{2}", "second", "first"),
        (r"<think>\boxed{1}?</think>no idea", None, "first"),
        (r"<think>\boxed{1}, so ", None, "first"),  # the thinking never ended
        (r"\boxed{1} thought the template opened </think> \boxed{2}", "second", "first"),
        (r"<think>a</think>It says <think>. \boxed{1}", "first", "first"),
        (r"\boxed{1} and \boxed{3}", None, "first"),  # the last box decides, readable or not
        (r"\boxed{1} and \boxed{2", None, "first"),  # broken off
        (r"\boxed{3} and \boxed{1}", "first", None),
        (r'Answer 1 says "\\boxed{1}". \boxed{2}', "second", "first"),  # copied out of the JSON
        (r'\boxed{2}. Answer 1 says "\\boxed{1}".', "second", "second"),
        (r"\boxed{}", None, None),
        (r"\boxed{\text{1}}", None, None),
        (r"\boxed{12}", None, None),
        (r"\boxed{١}", None, None),
        (r"\boxed{0}", None, None),
        ("boxed{1}", None, None),
        ("1", None, None),
        ("", None, None),
    ],
)
def test_boxes(text, final, release):
    assert read_verdict(text) == final
    assert read_verdict(text, reading="release") == release


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("A", "first"), (" B\n", "second"), ("a", None), ("AB", None), ("A B", None), ("", None), (r"\boxed{1}", None)],
)
def test_letters(text, verdict):
    assert read_verdict(text, wording="compact") == verdict


def test_a_tie_is_read_only_where_it_was_allowed():
    assert read_verdict(r"\boxed{0}", ties=True) == "tie"
    assert read_verdict(r"\boxed{0}", ties=True, reading="release") == "tie"
    assert read_verdict(r"\boxed{0}") is None


@pytest.mark.parametrize(
    ("wording", "ties", "verdicts"),
    [
        ("compact", False, ["first", "second"]),
        ("boxed", False, ["first", "second"]),
        ("boxed", True, ["first", "second", "tie"]),
    ],
)
@pytest.mark.parametrize("reading", ["final", "release"])
def test_every_choice_is_a_verdict_whichever_way_it_is_read(wording, ties, verdicts, reading):
    choices = verdict_choices(wording, ties)
    assert [read_verdict(choice, wording, reading, ties) for choice in choices] == verdicts


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("plain", "plain"),
        ("<think>\nhm\n</think>\n\nplain\n", "plain"),
        ("hm</think>plain", "plain"),
        ("<think>one</think>two</think>three", "three"),
        ("<think></think>", ""),
        ("<think>hm", None),
        (" <think>hm", None),
        ("said <think>hm", "said <think>hm"),
        ("<think>a</think><think>b", "<think>b"),
        ("", ""),
    ],
)
def test_thinking_is_taken_away(text, rest):
    assert after_thinking(text) == rest
    assert judged_text(text) == (text if rest is None else rest)
    assert judged_text(text, unfinished="fail") == (rest or "")


@given(st.one_of(texts, NEARLY), st.sampled_from(["boxed", "compact"]), st.sampled_from(["final", "release"]))
def test_no_text_breaks_the_reader(text, wording, reading):
    assert read_verdict(text, wording, reading) in ("first", "second", None)
    assert read_verdict(text, wording, reading, ties=True) in ("first", "second", "tie", None)


@given(st.one_of(texts, NEARLY))
def test_whatever_stands_before_it_the_last_box_decides(text):
    assert read_verdict(text + "</think>" + r" \boxed{2}") == "second"
    if "think>" not in text and not text.endswith("\\"):
        assert read_verdict(text + r"\boxed{1}") == "first"


@pytest.mark.parametrize("text", [*UGLY, "\\boxed{" * 20_000, "\\boxed{1" * 20_000, "<think>" * 20_000, "{" * 100_000])
@pytest.mark.parametrize("reading", ["final", "release"])
def test_ugly_texts_are_unreadable_and_quickly_so(text, reading):
    assert read_verdict(text, reading=reading) is None
