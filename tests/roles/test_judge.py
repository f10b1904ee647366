"""R_A and R_J of arXiv 2511.07922 against tables worked by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.roles.judge import actor_rewards, judge_reward, length_weight
from selfplay.types import Judgment

LETTERS = {"A": "first", "B": "second", "=": "tie", "?": None}


def judged(meetings: str) -> list[Judgment]:
    """``"01A 10B"``: 0 was shown before 1 and the first was chosen; then 1 before 0 and the second."""
    return [Judgment(int(one), int(two), LETTERS[said]) for one, two, said in meetings.split()]


@pytest.mark.parametrize(
    ("winner", "loser", "alpha", "worth"),
    [
        (100, 100, 0.2, Fraction(1)),
        (81, 100, 0.2, Fraction(100, 81)),  # shorter than the loser: worth more
        (119, 100, 0.2, Fraction(100, 119)),
        (80, 100, 0.2, Fraction(0)),  # the bounds themselves are outside
        (120, 100, 0.2, Fraction(0)),
        (4, 5, 0.2, Fraction(0)),
        (5, 6, 0.2, Fraction(6, 5)),
        (11, 10, 0.1, Fraction(0)),  # 1.1 * 10 is 11.000000000000002 in floating point
        (29, 100, 0.71, Fraction(0)),  # (1 - 0.71) * 100 is 29.000000000000004
        (0, 0, 0.2, Fraction(0)),
        (0, 7, 0.2, Fraction(0)),
        (7, 0, 0.2, Fraction(0)),
        (500, 1, None, Fraction(1)),
        (0, 9, None, Fraction(1)),
    ],
)
def test_what_a_win_is_worth(winner, loser, alpha, worth):
    assert length_weight(winner, loser, alpha) == worth


@pytest.mark.parametrize(
    ("words", "meetings", "alpha", "rewards"),
    [
        # two answers, K = 4: M K = 4 judgments for each
        ([5, 5], "01A 01A 10B 10B", 0.2, [1, 0]),
        ([5, 5], "01A 01A 10A 10A", 0.2, [1 / 2, 1 / 2]),  # whoever stands first
        ([5, 5], "01A 01? 10? 10B", 0.2, [1 / 2, 0]),  # what cannot be read stays in the denominator
        ([10, 11], "01A 01B 10A 10A", 0.2, [(11 / 10) / 4, (10 / 11) * 3 / 4]),
        ([9, 10], "01A 01A 10B 10B", 0.2, [10 / 9, 0]),  # may exceed 1
        ([4, 8], "01A 01B 10A 10A", 0.2, [0, 0]),  # every comparison discarded
        ([4, 8], "01A 01B 10A 10A", None, [1 / 4, 3 / 4]),
        ([5, 5], "01= 01A 10= 10=", 0.2, [5 / 8, 3 / 8]),  # ties, where allowed, are half a win to each
        ([5, 9], "01= 10=", 0.2, [0, 0]),  # and are under length control too
        # three answers, K = 2: M K = 4; 0 beats 1, 1 beats 2, 2 beats 0: a cycle is nobody's win
        ([5, 5, 5], "01A 10B 12A 21B 02B 20A", 0.2, [1 / 2, 1 / 2, 1 / 2]),
        # 0 loses to nobody, but its wins over the long 2 do not count
        ([10, 10, 20], "01A 10B 02A 20B 12A 21A", 0.2, [2 / 4, 0, 0]),
        ([10, 10, 20], "01A 10B 02A 20B 12A 21A", None, [4 / 4, 1 / 4, 1 / 4]),
        # never compared
        ([5, 5, 5], "01A", 0.2, [1, 0, 0]),
    ],
)
def test_what_answers_are_paid(words, meetings, alpha, rewards):
    assert actor_rewards(words, judged(meetings), alpha) == pytest.approx(rewards)


@pytest.mark.parametrize(
    ("meeting", "rewards", "paid"),
    [
        ("01A", [0.75, 0.25], 1),
        ("01B", [0.75, 0.25], -1),
        ("10A", [0.75, 0.25], -1),
        ("10B", [0.75, 0.25], 1),
        ("01A", [0.5, 0.5], 0),
        ("01=", [0.75, 0.25], 0),
        ("01?", [0.75, 0.25], -1),
        ("01?", [0.5, 0.5], -1),
    ],
)
def test_what_a_judgment_is_paid(meeting, rewards, paid):
    assert judge_reward(judged(meeting)[0], rewards) == paid


def test_equal_sums_are_equal_in_whatever_order_they_are_added():
    assert 9 / 10 + 10 / 10 + 12 / 10 != 12 / 10 + 10 / 10 + 9 / 10  # as floating point has it
    rewards = actor_rewards([10, 9, 10, 12, 10], judged("01A 02A 03A 43A 42A 41A"))
    assert rewards[0] == rewards[4]
    assert judge_reward(judged("04A")[0], rewards) == 0.0


meetings = st.lists(
    st.builds(
        lambda pair, said: Judgment(pair[0], pair[1], said),
        st.sampled_from([(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]),
        st.sampled_from(["first", "second", "tie", None]),
    ),
    max_size=30,
)


@given(st.lists(st.integers(0, 30), min_size=3, max_size=3), meetings)
def test_names_and_order_of_showing_do_not_matter(words, judgments):
    turned = {"first": "second", "second": "first", "tie": "tie", None: None}
    mirrored = [Judgment(j.second, j.first, turned[j.verdict]) for j in judgments]
    renamed = [Judgment(2 - int(j.first), 2 - int(j.second), j.verdict) for j in judgments]
    rewards = actor_rewards(words, judgments)
    assert rewards == actor_rewards(words, mirrored)
    assert rewards == actor_rewards(words[::-1], renamed)[::-1]
    assert all(0 <= reward < 1.25 for reward in rewards)
    assert [judge_reward(j, rewards) for j in judgments] == [judge_reward(j, rewards) for j in mirrored]
