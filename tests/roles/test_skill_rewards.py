"""Rewards of reasoner, challenger and judge, and planted items, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.roles.planted import ABSENT, plant
from selfplay.roles.skill_rewards import challenger_reward, judge_reward, reasoner_rewards, task_reward
from tests.texts import texts

YES, NO = True, False


@pytest.mark.parametrize(
    ("statuses", "solved", "bonus", "paid"),
    [
        ((YES, YES, NO, NO), False, 0.5, 0.5),
        ((YES, YES), True, 0.5, 1.5),
        ((YES, NO), True, 0.5, 1.0),  # the judge's conclusion counts (game.verdict=overall)
        ((), False, 0.5, 0.0),
        ((YES,), True, 0.0, 1.0),
    ],
)
def test_the_reasoner_earns_its_share_and_a_bonus(statuses, solved, bonus, paid):
    rewards = reasoner_rewards(statuses, solved, bonus)
    assert set(rewards) == {"rubrics", "solved"}
    assert sum(rewards.values()) == paid


@pytest.mark.parametrize(
    ("solved", "closed_book", "band", "earned"),
    [
        ((YES, NO, NO, NO), None, "triangle", 0.75),
        ((YES, NO), False, "triangle", 1.0),
        ((YES, NO), True, "triangle", 0.0),  # the document was not needed
        ((YES, YES), None, "triangle", 0.0),
        ((NO, NO), None, "triangle", 0.0),  # perhaps unsolvable
        ((), None, "triangle", 0.0),
        ((YES, NO, NO, NO), None, "paper", 1.0),
        ((YES,) + (NO,) * 9, None, "range", 0.0),  # .1 is below .2
    ],
)
def test_a_task_earns_its_difficulty_behind_the_gate(solved, closed_book, band, earned):
    assert task_reward(solved, closed_book, band) == earned


@pytest.mark.parametrize(("tasks", "paid"), [([], 0.0), ([0.0, 1.0, 0.5], 0.5), ([0.0], 0.0)])
def test_the_challenger_is_never_paid_less_than_nothing(tasks, paid):
    assert challenger_reward(tasks) == paid


@pytest.mark.parametrize(
    ("statuses", "wanted", "paid"),
    [
        ((YES, NO), (YES, NO), 1.0),
        ((YES, NO), (NO, YES), 0.0),
        ((YES, NO, YES, YES), (YES, YES, YES, YES), 0.75),
        (None, (YES,), 0.0),
        ((YES,), (YES, YES), 0.0),
        (None, (), 0.0),
    ],
)
def test_the_judge_earns_agreement(statuses, wanted, paid):
    assert judge_reward(statuses, wanted) == paid


ANSWER = "The committee meets every second Tuesday and keeps short minutes."


def test_planted_items_are_true_as_they_say():
    mets = []
    for number in range(60):
        item = plant("When?", ANSWER, str(number))
        assert item is not None
        assert len(item.rubrics) == len(item.statuses) == 4
        assert (item.task, item.answer) == ("When?", ANSWER)
        for rubric, met in zip(item.rubrics, item.statuses, strict=True):
            mets.append(met)
            assert holds(rubric) == met, rubric
    assert 0.35 < sum(mets) / len(mets) < 0.65, "neither yes nor no throughout is a good guess"


def holds(rubric: str) -> bool:
    """An independent reading of the sentence."""
    if "words, counted" in rubric:
        limit = next(int(word) for word in rubric.split() if word.isdecimal())
        words = ANSWER.count(" ") + 1
        return words <= limit if "at most" in rubric else words >= limit
    word = rubric.split('"')[1]
    stands = word in ANSWER.lower().replace(".", "").split()
    return stands != ("does not" in rubric)


@given(texts, st.text(max_size=5))
def test_planting_never_raises(answer, seed):
    item = plant("t", answer, seed)
    assert item is None or (len(item.rubrics) == len(item.statuses) and item.answer == answer)


def test_an_answer_that_holds_every_stranger_cannot_be_planted():
    assert plant("t", " ".join(ABSENT), "0") is None
