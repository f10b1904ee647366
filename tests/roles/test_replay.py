"""Verdicts, probes, Laplace shares and the choice, as tables."""

from __future__ import annotations

import pytest

from selfplay.roles.replay import Replayed, Tally, best_round, easiest_passed, hardest_failed, tally
from selfplay.roles.rubrics import is_solved, majority_grading, pass_rate, side_of
from selfplay.types import Grading, Trace

YES, NO = True, False


def trace(task: str, *statuses: bool, rubrics: int | None = None) -> Trace:
    return Trace(task, ("r",) * (len(statuses) if rubrics is None else rubrics), "", "", statuses)


@pytest.mark.parametrize(
    ("statuses", "overall", "by_rubrics", "by_overall"),
    [
        ((YES, YES), True, True, True),
        ((YES, NO), True, False, True),  # the release believes the judge's conclusion
        ((YES, YES), False, True, False),
        ((YES, YES), None, True, True),  # no conclusion: the list
        ((YES, NO), None, False, False),
        ((), None, False, False),
    ],
)
def test_all_or_nothing(statuses, overall, by_rubrics, by_overall):
    grading = Grading(statuses, overall)
    assert (is_solved(grading), is_solved(grading, "overall")) == (by_rubrics, by_overall)


@pytest.mark.parametrize(
    ("gradings", "statuses", "overall"),
    [
        ([Grading((YES, NO), True)], (YES, NO), True),
        ([Grading((YES, NO)), Grading((NO, NO))], (NO, NO), None),  # half is no majority
        ([Grading((YES, NO), True), Grading((YES, YES), False), Grading((NO, YES))], (YES, YES), False),
    ],
)
def test_the_majority_of_gradings(gradings, statuses, overall):
    found = majority_grading(gradings)
    assert found is not None
    assert (found.statuses, found.overall) == (statuses, overall)


def test_of_no_grading_there_is_no_majority():
    assert majority_grading([]) is None


@pytest.mark.parametrize(
    ("statuses", "rate"), [((), 0.0), ((YES,), 1.0), ((YES, NO, NO, NO), 0.25)], ids=["none", "all", "one of four"]
)
def test_pass_rate(statuses, rate):
    assert pass_rate(statuses) == rate


def test_routing():
    assert [side_of(solved) for solved in (True, False)] == ["challenger", "reasoner"]


@pytest.mark.parametrize(
    ("failed", "hardest"),
    [
        ([], None),
        ([trace("a", YES, NO), trace("b", NO, NO), trace("c", NO, NO)], "b"),  # the first of two
        ([trace("a", NO), trace("b", rubrics=3)], "a"),  # nothing was judged: counts as 0, as a 0 does
        ([trace("a", YES, NO), trace("b", YES, NO, NO)], "b"),
    ],
)
def test_the_hardest_failed(failed, hardest):
    found = hardest_failed(failed)
    assert (found and found.task) == hardest


def test_the_easiest_passed():
    passed = [trace("a", YES, YES), trace("b", YES), trace("c", YES)]
    assert easiest_passed([]) is None
    assert easiest_passed(passed, "first").task == "b"  # type: ignore[union-attr]
    drawn = [easiest_passed(passed, "random", key=str(number)).task for number in range(40)]  # type: ignore[union-attr]
    assert set(drawn) == {"b", "c"}
    assert drawn == [easiest_passed(passed, key=str(number)).task for number in range(40)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kinds", "solved", "counted"),
    [
        ("", [], Replayed()),
        ("hhe", [YES, NO, YES], Replayed(Tally(1, 2), Tally(1, 1))),
        ("hhe", [None, NO, None], Replayed(Tally(0, 1), Tally(0, 0))),  # out of numerator and denominator
    ],
)
def test_counting(kinds, solved, counted):
    assert tally([{"h": "hard", "e": "easy"}[kind] for kind in kinds], solved) == counted


@pytest.mark.parametrize(
    ("hard", "easy", "product", "total"),
    [
        ((0, 0), (0, 0), 1, 2),
        ((1, 2), (3, 4), 2 / 3 * 4 / 5, 2 / 3 + 4 / 5),
        ((0, 5), (5, 5), 1 / 6, 7 / 6),
    ],
)
def test_scores(hard, easy, product, total):
    replayed = Replayed(Tally(*hard), Tally(*easy))
    assert (replayed.score(), replayed.score("sum")) == pytest.approx((product, total))


@pytest.mark.parametrize(
    ("solved", "best"),
    [
        ({1: (0, 0), 2: (2, 1), 3: (1, 2)}, 2),  # 3/3 * 2/3 and 2/3 * 3/3: the earliest
        ({1: (0, 0), 2: (0, 0)}, 1),
        ({0: (2, 2), 1: (2, 2)}, 0),  # no skill is as good
        ({2: (2, 2), 1: (2, 2)}, 1),  # earliest by number, not by place
        ({1: (2, 0), 2: (1, 1)}, 2),  # 1 * 1/3 < 2/3 * 2/3
    ],
)
def test_the_choice(solved, best):
    assert (
        best_round({number: Replayed(Tally(hard, 2), Tally(easy, 2)) for number, (hard, easy) in solved.items()})
        == best
    )


def test_without_a_valid_probe_there_is_no_choice():
    assert best_round({}) is None
    assert best_round({1: Replayed(), 2: Replayed()}) is None
    assert best_round({1: Replayed(), 2: Replayed(easy=Tally(0, 1))}) == 1
