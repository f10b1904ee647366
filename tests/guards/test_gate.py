"""The task gate: each reason, in which order, and what it remembers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.domains.arithmetic import Arithmetic
from selfplay.guards.gate import TaskGate
from tests.texts import texts

HELD_OUT = "1+2"  # see tests/domains/test_arithmetic.py


def reasons(gate: TaskGate, *row: str) -> list[str]:
    return [admission.reason for admission in gate.admit(row)]


def test_each_reason():
    gate = TaskGate(Arithmetic(), max_level=2)
    gate.remember(["3+4"])
    row = ("27+85", "dunno", "100+1", HELD_OUT, "4+3", "85+27")
    assert reasons(gate, *row) == ["admitted", "unreadable", "out_of_scope", "held_out", "duplicate", "duplicate"]
    assert [admission.problem is not None for admission in gate.admit(row)] == [True] + [False] * 5


def test_held_out_problems_are_refused_at_every_level_and_in_every_spelling():
    domain = Arithmetic()
    gate = TaskGate(domain)
    for problems in domain.held_out_problems(per_level=20, seed=0).values():
        for problem in problems:
            first, second = problem.text.split("+")
            assert reasons(gate, problem.text, f"{second} + {first}", f"0{first}+{second}") == ["held_out"] * 3


def test_a_twin_in_the_row_is_a_duplicate_and_one_in_another_row_is_not():
    gate = TaskGate(Arithmetic())
    assert reasons(gate, "3+4", "3+4", "4+3") == ["admitted", "duplicate", "duplicate"]
    assert reasons(gate, "3+4") == ["admitted"], "the outcome may not depend on how rows are split over processes"


def test_only_remembering_fills_the_pool():
    gate = TaskGate(Arithmetic())
    gate.admit(["3+4"])
    assert gate.state_dict() == {"asked": []}
    gate.remember(["3+4", "27+85", "3+4"])
    assert gate.state_dict() == {"asked": ["3+4", "27+85"]}


def test_the_pool_survives_a_checkpoint():
    gate, resumed = TaskGate(Arithmetic()), TaskGate(Arithmetic())
    gate.remember(["3+4"])
    resumed.load_state_dict(json.loads(json.dumps(gate.state_dict())))
    assert reasons(resumed, "4+3", "3+5") == ["duplicate", "admitted"]
    assert resumed.state_dict() == gate.state_dict()


def test_without_deduplication_nothing_is_a_duplicate_and_nothing_is_kept():
    gate = TaskGate(Arithmetic(), deduplicate=False)
    gate.remember(["3+4"])
    assert reasons(gate, "3+4", "3+4") == ["admitted", "admitted"]
    assert gate.state_dict() == {"asked": []}


def test_a_scope_below_one_is_refused():
    with pytest.raises(ValueError, match=r"^guards\.gate\.max_level=0"):
        TaskGate(Arithmetic(), max_level=0)


@given(st.lists(texts, max_size=6), st.sampled_from(["compact", "tagged"]))
def test_any_row_gets_one_verdict_for_each_text(row, wording):
    gate = TaskGate(Arithmetic("+-*", wording=wording), max_level=3)
    admissions = gate.admit(row)
    assert len(admissions) == len(row)
    assert all((admission.reason == "admitted") == (admission.problem is not None) for admission in admissions)
    keys = [admission.problem.key for admission in admissions if admission.problem]
    assert len(set(keys)) == len(keys)
    gate.remember(keys)
    assert all(admission.problem is None for admission in gate.admit(row))
