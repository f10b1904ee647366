"""The majority vote and R_S of arXiv 2508.03682."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.domains.arithmetic import Arithmetic
from selfplay.roles.solver import Poll, Vote, agreement, hold_poll, majority, poll_facts
from selfplay.types import Problem
from tests.texts import UGLY, texts

SUM = Problem(text="27+85", key="27+85", level=2, truth="112")


@pytest.mark.parametrize(
    ("answers_G", "tie", "min_votes", "expected"),
    [
        (["112", "7", "112", "112"], "first", 1, Vote("112", 3, 4)),
        (["7", "112", "112", "7"], "first", 1, Vote("7", 2, 4)),  # as often as 112, and met before it
        (["7", "112", "112", "7"], "none", 1, Vote(None, 0, 4)),
        (["1", "2", "3", "4"], "first", 1, Vote("1", 1, 4)),
        (["1", "2", "3", "4"], "none", 1, Vote(None, 0, 4)),
        (["1", "2", "3", "4"], "first", 2, Vote(None, 0, 4)),
        (["5", "5", "3", None], "none", 2, Vote("5", 2, 4)),
        ([None, None, None, "112"], "first", 1, Vote("112", 1, 4)),  # three unreadable answers elect nobody
        ([None, None, None, "112"], "first", 2, Vote(None, 0, 4)),
        ([None, None], "first", 1, Vote(None, 0, 2)),
        ([], "first", 1, Vote(None, 0, 0)),
    ],
)
def test_votes_counted_by_hand(answers_G, tie, min_votes, expected):
    assert majority(answers_G, tie, min_votes) == expected


def test_the_share_counts_unreadable_answers_as_ballots():
    assert majority(["112", None, None, "112"]).share == 0.5
    assert majority([]).share == 0.0


def test_an_unknown_tie_rule_is_named():
    with pytest.raises(ValueError, match="tie='coin'"):
        majority(["1"], tie="coin")  # type: ignore[arg-type]


def test_nobody_is_paid_when_nobody_is_elected():
    vote = majority([None, None, None])
    assert [agreement(answer, vote) for answer in (None, "112")] == [0.0, 0.0]


@given(st.lists(st.none() | texts, max_size=12), st.sampled_from(["first", "none"]), st.integers(1, 4))
def test_a_vote_of_anything(answers_G, tie, min_votes):
    vote = majority(answers_G, tie, min_votes)
    assert vote.ballots == len(answers_G)
    assert vote.votes == (answers_G.count(vote.answer) if vote.answer is not None else 0)
    assert vote.votes == 0 or vote.votes >= min_votes
    assert sum(agreement(answer, vote) for answer in answers_G) == vote.votes  # the release's c
    others = [answers_G.count(answer) for answer in answers_G if answer not in (None, vote.answer)]
    if vote.answer is not None:
        assert vote.votes >= max(others, default=0)


@given(st.permutations(["1", "2", "2", "3", "3", "3", None]))
def test_order_does_not_matter_where_there_is_no_tie(answers_G):
    assert majority(answers_G) == Vote("3", 3, 7)


def test_a_poll_measures_what_the_vote_may_not_know():
    poll = hold_poll(Arithmetic(), SUM, [">112", ">102", ">102", "?"])
    assert poll.answers_G == ("112", "102", "102", None)
    assert poll.vote == Vote("102", 2, 4)
    assert poll.rights_G == (True, False, False, False)
    assert poll.elected_right is False
    assert hold_poll(Arithmetic(), SUM, [">112", ">112"]).elected_right is True
    assert hold_poll(Arithmetic(), SUM, ["?", "?"]).elected_right is None


def test_without_truth_nothing_is_measured():
    poll = hold_poll(Arithmetic(), Problem("27+85", "27+85", 2, truth=None), [">112", ">112"])
    assert poll.rights_G is None
    assert poll.elected_right is None
    assert set(poll_facts([poll], 2)) == {
        "difficulty_0", "difficulty_1", "difficulty_2", "vote_share", "readable", "level",
    }  # fmt: skip


def test_facts_of_three_polls():
    polls_P = [
        hold_poll(Arithmetic(), SUM, [">112", ">112", ">112", "?"]),  # 3 of 4, right
        hold_poll(Arithmetic(), SUM, [">102", ">102", ">112", "?"]),  # 2 of 4, wrong
        hold_poll(Arithmetic(), Problem("3+4", "3+4", 1, "7"), ["?", "?", "?", "?"]),  # nobody
    ]
    facts = poll_facts(polls_P, 4)
    assert [facts[f"difficulty_{votes}"] for votes in range(5)] == [1, 0, 1, 1, 0]
    assert facts["vote_share"] == pytest.approx((3 / 4 + 2 / 4 + 0) / 3)
    assert facts["readable"] == pytest.approx(6 / 12)
    assert facts["level"] == pytest.approx(5 / 3)
    assert facts["answer_accuracy"] == pytest.approx(4 / 12)
    assert facts["vote_accuracy"] == pytest.approx(1 / 2)  # of the two that elected somebody


def test_no_poll_no_means():
    assert poll_facts([], 2) == {"difficulty_0": 0.0, "difficulty_1": 0.0, "difficulty_2": 0.0}


@given(st.lists(texts, min_size=1, max_size=6), st.sampled_from(["compact", "tagged"]))
def test_a_poll_of_anything(texts_G, wording):
    poll = hold_poll(Arithmetic(wording=wording), SUM, texts_G)
    assert isinstance(poll, Poll)
    assert len(poll.answers_G) == len(texts_G)


@pytest.mark.parametrize("text", UGLY, ids=lambda text: repr(text[:12]))
def test_ugly_texts_are_no_answers(text):
    assert hold_poll(Arithmetic(), SUM, [text, text]).vote.answer is None
