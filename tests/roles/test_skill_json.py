"""Strict replies: what counts, what does not, and that nothing raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.roles.skill_json import (
    read_generated,
    read_object,
    read_proposal,
    read_rubrics,
    read_tasks,
    read_verdicts,
)
from selfplay.types import Challenge, Grading, Proposal, Skill
from tests.texts import UGLY, texts

READERS = (read_object, read_tasks, read_rubrics, read_verdicts, read_proposal, read_generated)
EIGHT = [f"Rubric {number}." for number in range(8)]


def tasks(*items) -> str:
    return json.dumps({"tasks": list(items)})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        (' \n{"a": 1}\n', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```\n{"a": 1}\n```', {"a": 1}),
        ('<think>{"a": 2}</think>{"a": 1}', {"a": 1}),
        ('<think>{"a": 1}', None),  # the thinking never ended
        ('{"a": 1} And that is all.', None),
        ('{"a": 1}{"a": 2}', None),
        ('{"a": 1, "a": 2}', None),
        ('{"a": NaN}', None),
        ("[1]", None),
        ('{"a": 1,}', None),
        ("{'a': 1}", None),
        ('{"a": ' + "[" * 100_000, None),
        ('{"a": ' + "9" * 10_000 + "}", None),  # Python refuses such numbers
    ],
)
def test_one_object_and_nothing_else(text, found):
    assert read_object(text) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (tasks({"task": "Do.", "rubrics": EIGHT}), 1),
        (tasks({"task": "Do.", "rubrics": EIGHT}, {"task": " ", "rubrics": EIGHT}, {"rubrics": EIGHT}), 1),
        (tasks({"task": "Do.", "rubrics": [*EIGHT, 9]}, {"task": "Do it.", "rubrics": EIGHT}), 1),  # no text: left out
        (tasks({"task": "Do.", "rubrics": [*EIGHT, " "]}, {"task": 7, "rubrics": EIGHT}, "Do."), 0),
        (tasks({"task": "Do.", "rubrics": EIGHT[:7]}), 0),  # the bounds are 8 and 15
        (tasks({"task": "Do.", "rubrics": EIGHT * 2}), 0),
        (tasks(), 0),
        ('{"tasks": {"task": "Do."}}', 0),
        ('{"task": "Do."}', 0),
    ],
)
def test_tasks(text, number):
    assert len(read_tasks(text) or []) == number


def test_a_task_is_stripped_and_bounds_can_be_set():
    text = tasks({"task": " Do. ", "rubrics": [" Has 7. "]})
    assert read_tasks(text, fewest=1) == [Challenge("Do.", ("Has 7.",))]
    assert read_tasks(text) is None
    assert read_rubrics('{"rubrics": ["Has 7."]}', fewest=1) == ("Has 7.",)
    assert read_rubrics('{"rubrics": []}', fewest=1) is None


@pytest.mark.parametrize(
    ("reply", "grading"),
    [
        ({"rationale": "r", "statuses": ["Yes ", "no"], "overall": 0}, Grading((True, False), False, "r")),
        ({"statuses": ["yes"]}, Grading((True,))),
        ({"statuses": ["yes"], "overall": True}, Grading((True,), True)),
        ({"statuses": ["no"], "overall": 1}, Grading((False,), True)),  # contradicts itself; kept as said
        ({"statuses": ["yes"], "overall": 2}, None),
        ({"statuses": ["yes"], "overall": "1"}, None),
        ({"statuses": ["yes"], "overall": 1.0}, None),
        ({"statuses": ["yes"], "overall": [1]}, None),
        ({"statuses": ["yes", None]}, None),
        ({"statuses": ["maybe"]}, None),
        ({"statuses": []}, None),
        ({"statuses": "yes"}, None),
        ({"statuses": ["yes"], "rationale": 7}, None),
    ],
)
def test_verdicts(reply, grading):
    assert read_verdicts(json.dumps(reply)) == grading


PROPOSED = {"action": "create", "skill_name": "units", "description": "When.", "proposed_skill": "Check."}


@pytest.mark.parametrize(
    ("changes", "action", "target"),
    [
        ({}, "create", ""),
        ({"target_skill": "old"}, "create", ""),  # a target counts for an edit only
        ({"target_skill": None, "analysis": "Because."}, "create", ""),
        ({"action": "edit", "target_skill": "old"}, "edit", "old"),
        ({"action": "edit"}, None, None),
        ({"action": "delete"}, None, None),
        ({"skill_name": "Check Units"}, None, None),
        ({"description": " "}, None, None),
        ({"proposed_skill": ""}, None, None),
        ({"analysis": ["a"]}, None, None),
    ],
)
def test_proposals(changes, action, target):
    found = read_proposal(json.dumps(PROPOSED | changes))
    assert (found and (found.action, found.target)) == (action and (action, target))


def test_the_generator_is_told_the_proposal_and_no_more():
    found = read_proposal(json.dumps(PROPOSED | {"secret": "x"}))
    assert isinstance(found, Proposal)
    assert json.loads(found.text) == PROPOSED


def test_a_generated_skill_is_markdown_in_json():
    markdown = "---\nname: units\ndescription: When.\n---\n\nCheck."
    assert read_generated(json.dumps({"skill_content": markdown, "reasoning": ""})) == Skill("units", "When.", "Check.")
    assert read_generated(json.dumps({"skill_content": "Check."})) is None
    assert read_generated(json.dumps({"skill_content": ["Check."]})) is None
    assert read_generated(markdown) is None


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["tasks", "task", "rubrics", "statuses", "overall", "rationale", "action", "skill_content"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@given(st.one_of(texts, json_like.map(json.dumps), st.sampled_from(UGLY)))
def test_no_reader_ever_raises(text):
    for read in READERS:
        read(text)
