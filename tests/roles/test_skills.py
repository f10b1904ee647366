"""Skills as text: what is one, what is none, sets, edits, and the system prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.roles.skills import (
    inject,
    is_skill_name,
    read_skill,
    read_skills,
    skill_text,
    update,
    without_markers,
    write_skill,
    write_skills,
)
from selfplay.types import Proposal, Skill
from tests.texts import UGLY, texts

UNITS = Skill("units", "When numbers have units.", "Check them.\n\n---\n\nTwice.")
TONE = Skill("tone", "Always: be kind.", "# Be kind\n- and brief")


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("---\nname: a-b\ndescription: When.\n---\nDo.", Skill("a-b", "When.", "Do.")),
        ("\n---\r\nname: a\r\ndescription: 'When: it'\r\n---\r\n\r\nDo.\r\n", Skill("a", "When: it", "Do.")),
        ("---\nname: '7'\ndescription: >\n  two\n  lines\n---\nDo.", Skill("7", "two lines", "Do.")),
        ("---\nname: 2024-01-01\ndescription: yes\n---\nDo.", Skill("2024-01-01", "yes", "Do.")),  # texts, not dates
        ("Do.", None),  # no front matter
        ("Here it is:\n---\nname: a\ndescription: When.\n---\nDo.", None),
        ("---\nname: a\ndescription: When.\n---\n  \n", None),  # no body
        ("---\nname: a\n---\nDo.", None),
        ("---\nname: a\ndescription: When.\nversion: 1\n---\nDo.", None),  # more than the two
        ("---\nname: A b\ndescription: When.\n---\nDo.", None),
        ("---\nname: a\ndescription: ''\n---\nDo.", None),
        ("---\nname: a\ndescription: [When]\n---\nDo.", None),
        ("---\nname: a\ndescription: {x\n---\nDo.", None),  # no YAML
        ("---\nname: a\ndescription: When.\nDo.", None),  # never closed
        (f"---\nname: {'a' * 65}\ndescription: When.\n---\nDo.", None),
        (f"---\nname: a\ndescription: {'w' * 1025}\n---\nDo.", None),
        ("---\nname: a\ndescription: A.\n---\nDo.\n---\nname: b\ndescription: B.\n---\nDo.", None),  # two skills
        ("---\nname: a\ndescription: &x When.\nmore: *x\n---\nDo.", None),
    ],
)
def test_what_is_one_skill(text, skill):
    assert read_skill(text) == skill


def test_a_set_is_read_as_it_was_written():
    assert read_skills(write_skills([UNITS, TONE])) == (UNITS, TONE)
    assert read_skills(write_skills([])) == ()
    assert read_skills(write_skills([UNITS, Skill("units", "Another.", "Else.")])) is None, "two of one name"


names = st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,5}){0,2}", fullmatch=True)
lines = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1).map(str.strip)


@given(names, lines.filter(bool).map(lambda line: " ".join(line.split())).filter(bool), lines.filter(bool))
def test_whatever_is_written_is_read(name, description, body):
    skill = Skill(name, description, body)
    assert read_skill(write_skill(skill)) == skill


@given(texts)
def test_readers_never_raise(text):
    for wrapped in (text, f"---\n{text}\n---\nDo.", f"---\nname: a\ndescription: {text}\n---\n{text}"):
        skill = read_skill(wrapped)
        assert skill is None or (is_skill_name(skill.name) and skill.body and skill.description)


@pytest.mark.parametrize("text", [*UGLY, "[" * 50_000, "---\n" * 50_000, "---\na\n" * 50_000, "a: &a [*a, *a]"])
def test_ugly_texts_are_no_skills(text):
    assert read_skill(text) is None
    assert read_skill(f"---\n{text}\n---\nDo.") is None


A, B, NEW = Skill("a", "A.", "a"), Skill("b", "B.", "b"), Skill("c", "C.", "c")


@pytest.mark.parametrize(
    ("new", "proposal", "replacement", "most", "result"),
    [
        (NEW, Proposal(""), "replace", None, [NEW]),  # the paper: the whole set
        (NEW, Proposal("", "edit", "a"), "replace", None, [NEW]),
        (NEW, Proposal(""), "append", None, [A, B, NEW]),
        (NEW, Proposal("", "edit", "a"), "append", None, [NEW, B]),
        (Skill("a", "A.", "new"), Proposal("", "edit", "a"), "append", None, [Skill("a", "A.", "new"), B]),
        (
            Skill("b", "B.", "new"),
            Proposal("", "edit", "a"),
            "append",
            None,
            [Skill("b", "B.", "new")],
        ),  # takes b's name
        (NEW, Proposal("", "edit", "gone"), "append", None, [A, B, NEW]),  # no such target: created
        (Skill("a", "A.", "new"), Proposal(""), "append", None, [Skill("a", "A.", "new"), B]),  # the name is taken
        (NEW, Proposal(""), "append", 2, [B, NEW]),  # the oldest goes
    ],
)
def test_what_a_new_skill_does_to_the_set(new, proposal, replacement, most, result):
    assert update([A, B], new, proposal, replacement, most) == tuple(result)


def test_skills_stand_after_or_before_the_system_prompt():
    assert inject("Be brief.", []) == "Be brief."
    after, before = inject("Be brief.", [A, B]), inject("Be brief.", [A, B], "prepend")
    assert after.startswith("Be brief.\n\n# Available skills\n\n## a\nWhen to use it: A.\n\na\n\n---\n\n## b\n")
    assert before.endswith("\n\nb\n\nBe brief.")
    assert inject("", [A]).startswith("# Available skills")


def test_the_compact_wording_shows_bodies_alone():
    assert skill_text([A, B], "compact") == "a\nb"
    assert skill_text([A], "json") == write_skill(A)
    assert skill_text([], "json") == skill_text([], "compact") == ""


@pytest.mark.parametrize(
    "marker", ["<|im_end|>", "</s>", "<start_of_turn>", "[INST]", "[/INST]", "<｜end｜>", "</think>"]
)
def test_no_chat_marker_survives(marker):
    assert marker not in without_markers(f"a{marker}b")


def test_code_survives():
    code = "if a < b: x[0] = [INSTALL] <div> </section> List<s>"
    assert without_markers(code) == code.replace("<s>", "< s>")
