"""Counts of judgments against tables worked by hand and against a slower computation."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.evaluation.pairwise import (
    Orders,
    Triads,
    accuracy,
    compare_orders,
    copeland,
    first_share,
    triads,
    win_matrix,
    win_rates,
)
from selfplay.types import Judgment

LETTERS = {"A": "first", "B": "second", "=": "tie", "?": None}


def judged(meetings: str, item: str = "") -> list[Judgment]:
    """``"xyA yxB"``: x was shown before y and the first was chosen; then y before x and the second."""
    return [Judgment(one, two, LETTERS[said], item) for one, two, said in meetings.split()]


@pytest.mark.parametrize(
    ("meetings", "orders"),
    [
        ("xyA yxB", Orders(1, 0, 0, 0, 0)),
        ("xyB yxA", Orders(1, 0, 0, 0, 0)),
        ("xy= yx=", Orders(1, 0, 0, 0, 0)),
        ("xyA yxA", Orders(0, 1, 0, 0, 0)),
        ("xyB yxB", Orders(0, 0, 1, 0, 0)),
        ("xyA yx=", Orders(0, 0, 0, 1, 0)),
        ("xy= yxA", Orders(0, 0, 0, 1, 0)),
        ("xyA yx?", Orders(0, 0, 0, 0, 1)),
        ("xy? yx?", Orders(0, 0, 0, 0, 1)),
        ("xyA xyA", Orders(0, 0, 0, 0, 0)),  # never shown the other way
        ("", Orders(0, 0, 0, 0, 0)),
        # two judgments in each order make four pairings
        ("xyA xyA yxB yxA", Orders(2, 2, 0, 0, 0)),
        ("xyA xy? yxB yx=", Orders(1, 0, 0, 1, 2)),
        # a tie by the one and a winner by the other, and pairs apart from one another
        ("xyA yxB xzB zxB yzB zyA", Orders(2, 0, 1, 0, 0)),
    ],
)
def test_orders(meetings, orders):
    assert compare_orders(judged(meetings)) == orders
    assert compare_orders(judged(meetings)[::-1]) == orders


def test_items_are_not_set_against_one_another():
    apart = [*judged("xyA", "q1"), *judged("yxB", "q2")]
    assert compare_orders(apart) == Orders(0, 0, 0, 0, 0)
    assert compare_orders([*apart, *judged("yxA", "q1")]) == Orders(0, 1, 0, 0, 0)


def test_shares_of_orders():
    orders = Orders(same=6, to_first=3, to_second=1, half=2, unread=5)
    assert (orders.readable, orders.consistency, orders.flips) == (12, 0.5, 1 / 3)
    assert (Orders(0, 0, 0, 0, 5).consistency, Orders(0, 0, 0, 0, 5).flips) == (None, None)


def test_wins_rates_and_copeland_by_hand():
    # x against y: x wins 2, y wins 1, one tie. x against z: one each. y against z: z once, one unreadable
    judgments = judged("xyA yxB xyB yx= xzA zxA yzB zy?")
    wins = win_matrix(judgments)
    assert wins == {"x": {"y": 2.5, "z": 1}, "y": {"x": 1.5, "z": 0}, "z": {"x": 1, "y": 1}}
    assert win_rates(wins) == {"x": 3.5 / 6, "y": 1.5 / 5, "z": 2 / 3}
    assert copeland(wins) == {"x": 1.5, "y": 0, "z": 1.5}
    assert first_share(judgments) == 3 / 6  # A, B, B, A, A, B


def test_nothing_read_is_nobody_s():
    wins = win_matrix(judged("xy? yx?"))
    assert wins == {"x": {"y": 0}, "y": {"x": 0}}
    assert win_rates(wins) == {}
    assert copeland(wins) == {"x": 0, "y": 0}
    assert first_share(judged("xy? xy=")) is None
    assert (win_matrix([]), copeland({}), triads({})) == ({}, {}, Triads(0, 0, 0))


@pytest.mark.parametrize(
    ("meetings", "counts"),
    [
        ("xyA yzA zxA", Triads(1, 1, 1)),
        ("xyA yzA xzA", Triads(1, 1, 0)),
        ("xyA yzA xz=", Triads(1, 0, 0)),
        ("xyA yzA", Triads(1, 0, 0)),
        ("xyA yzA zxA xyA zxA zxB", Triads(1, 1, 1)),  # by majority: z beats x twice of three
        ("xyA yzA zxA wxA wyA wzA", Triads(4, 4, 1)),
        ("xyA yzA zxA wxA wyB wz=", Triads(4, 2, 2)),  # of xyz, wxy, wxz and wyz the first two are decided
    ],
)
def test_triads(meetings, counts):
    assert triads(win_matrix(judged(meetings))) == counts


def test_accuracy_by_hand():
    judgments = [*judged("xyA yxB xyB yx=", "q"), *judged("xy?", "r"), *judged("xyA", "unknown")]
    assert accuracy(judgments, {"q": "x", "r": "x"}) == 2.5 / 5
    assert accuracy(judgments, {}) is None


judgments = st.lists(
    st.builds(
        lambda pair, said, item: Judgment(pair[0], pair[1], said, item),
        st.sampled_from([pair for pair in product("xyz", "xyz") if pair[0] != pair[1]]),
        st.sampled_from(list(LETTERS.values())),
        st.sampled_from(["q", "r"]),
    ),
    max_size=25,
)


@given(judgments)
def test_against_a_slower_count(played):
    counts = dict.fromkeys(("same", "to_first", "to_second", "half", "unread"), 0)
    for at, one in enumerate(played):
        for other in played[at + 1 :]:
            if (one.item, one.first, one.second) != (other.item, other.second, other.first):
                continue
            if None in (one.verdict, other.verdict):
                counts["unread"] += 1
            elif one.winner == other.winner:
                counts["same"] += 1
            elif "tie" in (one.verdict, other.verdict):
                counts["half"] += 1
            else:
                counts[f"to_{one.verdict}"] += 1
    assert compare_orders(played) == Orders(**counts)
    wins = win_matrix(played)
    readable = [judgment for judgment in played if judgment.verdict]
    assert sum(sum(row.values()) for row in wins.values()) == len(readable)
    met = {frozenset((judgment.first, judgment.second)) for judgment in readable}
    assert sum(copeland(wins).values()) == len(met)
