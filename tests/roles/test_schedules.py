from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.roles.adaptive import Adaptive, look_ahead
from selfplay.roles.judge import actor_rewards
from selfplay.roles.schedules import AllPairs, Knockout, Meeting, Schedule
from selfplay.types import Judgment, Verdict

Judge = Callable[[Meeting], Verdict | None]


def stronger(meeting: Meeting) -> Verdict:
    """The higher number is better, whatever the order."""
    return "first" if meeting[0] > meeting[1] else "second"


def played(schedule: Schedule, answers: int, judge: Judge) -> list[list[Judgment]]:
    """The judgments of every round; one meeting is judged ``times`` alike."""
    rounds: list[list[Judgment]] = []
    for _ in range(schedule.rounds):
        so_far = [judgment for judgments in rounds for judgment in judgments]
        meetings = schedule.next(answers, so_far)
        rounds.append([Judgment(*meeting, judge(meeting)) for meeting in meetings for _ in range(schedule.times)])
    return rounds


def all_of(rounds: list[list[Judgment]]) -> list[Judgment]:
    return [judgment for judgments in rounds for judgment in judgments]


# ---- all pairs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [2, 3, 4, 7])
@pytest.mark.parametrize("judgments", [2, 4, 6])
def test_all_pairs_meet_equally_often_in_both_orders(answers, judgments):
    schedule = AllPairs(judgments)
    meetings = schedule.next(answers, [])
    assert len(meetings) * schedule.times * schedule.rounds == schedule.most_judgments(answers)
    assert len(set(meetings)) == len(meetings) == answers * (answers - 1)
    assert all(one != other for one, other in meetings)
    pairs = Counter(frozenset(meeting) for meeting in meetings for _ in range(schedule.times))
    assert set(pairs.values()) == {judgments}


def test_the_paper_spends_24_judgments_on_4_answers():
    assert AllPairs().most_judgments(4) == 24


@pytest.mark.parametrize("judgments", [0, 1, 3, -2, 2.0, True, "4"])
def test_judgments_must_be_halved(judgments):
    with pytest.raises(ValueError, match=r"^game\.schedule\.judgments=.*even number from 2"):
        AllPairs(judgments)


# ---- knock-out ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "rounds", "pairs"),
    [
        (2, 1, [[(0, 1)]]),
        (3, 2, [[(0, 1)], [(1, 2)]]),
        (4, 2, [[(0, 1), (2, 3)], [(1, 3)]]),
        (4, 3, [[(0, 1), (2, 3)], [(1, 3)], []]),
        (5, 3, [[(0, 1), (2, 3)], [(1, 3)], [(3, 4)]]),
    ],
)
def test_a_knock_out_of_the_stronger(answers, rounds, pairs):
    schedule = Knockout(rounds)
    seen = played(schedule, answers, stronger)
    assert [[(j.first, j.second) for j in judgments[::2]] for judgments in seen] == pairs
    assert [[(j.second, j.first) for j in judgments[1::2]] for judgments in seen] == pairs
    assert len(all_of(seen)) == schedule.most_judgments(answers) == 2 * (answers - 1)
    paid = actor_rewards([1] * answers, all_of(seen), None, schedule.expected(answers, all_of(seen)))
    assert paid.index(max(paid)) == answers - 1


def test_of_a_drawn_pair_the_one_with_more_points_goes_on_then_the_lower_number():
    first_shown = played(Knockout(2), 4, lambda meeting: "first")
    assert [(j.first, j.second) for j in first_shown[1]] == [(0, 2), (2, 0)]
    unreadable = played(Knockout(2), 4, lambda meeting: None)
    assert [(j.first, j.second) for j in unreadable[1]] == [(0, 2), (2, 0)]
    ahead = [Judgment(0, 1, "tie"), Judgment(1, 0, "tie"), Judgment(1, 2, "first")]
    assert Knockout(3).next(3, [*ahead[:2]]) == [(0, 2), (2, 0)]
    assert Knockout(3).next(3, ahead) == []  # 1 has the points, and has met 2


def test_a_knock_out_has_rounds_enough():
    with pytest.raises(ValueError, match=r"^game\.schedule\.rounds=2: leaves more than one of 5 answers; set 3"):
        Knockout(2).most_judgments(5)
    for rounds in (0, True, 1.5, "2"):
        with pytest.raises(ValueError, match=r"^game\.schedule\.rounds="):
            Knockout(rounds)  # type: ignore[arg-type]


# ---- adaptive -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [2, 3, 4, 6])
@pytest.mark.parametrize("at_once", [1, 3])
def test_a_steady_judge_is_believed_within_the_budget(answers, at_once):
    schedule = Adaptive(judgments=4 * answers - 4, at_once=at_once)
    judgments = all_of(played(schedule, answers, stronger))
    assert len(judgments) <= schedule.most_judgments(answers)
    assert len({(j.first, j.second) for j in judgments}) == len(judgments), "no meeting twice"
    paid = actor_rewards([1] * answers, judgments, None, schedule.expected(answers, judgments))
    assert paid.index(max(paid)) == answers - 1


@given(st.lists(st.sampled_from(["first", "second", "tie", None]), min_size=12, max_size=12), st.integers(1, 4))
def test_whatever_is_said_the_budget_holds_and_every_meeting_is_counted_once(verdicts, at_once):
    table = dict(zip([(a, b) for a in range(4) for b in range(4) if a != b], verdicts, strict=True))
    schedule = Adaptive(judgments=8, at_once=at_once)
    rounds = played(schedule, 4, table.__getitem__)
    judgments = all_of(rounds)
    assert all(len(judgments) <= at_once for judgments in rounds)
    assert len(judgments) <= 8
    expected = schedule.expected(4, judgments)
    asked = [(int(j.first), int(j.second)) for j in judgments]
    assert sorted([*asked, *expected]) == sorted(table), "asked for or expected, never both"
    assert all(0 <= share <= 1 for share in expected.values())
    assert sum(actor_rewards([1] * 4, judgments, None, expected)) <= 2 + 1e-9  # of 12 judgments, 6 stands of each


def test_once_sure_it_asks_no_more():
    asked = [len(all_of(played(Adaptive(12, sure=sure), 4, stronger))) for sure in (0.8, 0.97, 1)]
    assert asked == sorted(asked)
    assert asked[0] < asked[-1]
    assert [j for judgments in played(Adaptive(8), 2, stronger)[2:] for j in judgments] == []


def test_a_judge_that_always_names_the_first_is_believed_less():
    """The same verdict on a pair counts less from a judge that has shown a lean, whether told so or found out."""

    def share(known, lean: float = 0.0) -> float:
        return look_ahead(3, lean, known).expected[1, 0]

    first_of_01 = ((0, 2),)  # meetings of three: 01 02 10 12 20 21
    assert share((*first_of_01, (1, 2), (3, 2))) > share(first_of_01), "1 may well win, once it is shown first"
    assert share(first_of_01, lean=3.0) > share(first_of_01)
    assert share(((0, 0),), lean=3.0) > share(((0, 0),)), "a verdict against the lean tells most"


def test_the_schedule_knows_no_chance():
    runs = [all_of(played(Adaptive(), 4, stronger)) for _ in range(2)]
    look_ahead.cache_clear()
    assert runs == [all_of(played(Adaptive(), 4, stronger))] * 2


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"judgments": 0}, "game.schedule.judgments=0: must be a whole number from 1"),
        ({"judgments": 8.0}, "game.schedule.judgments=8.0"),
        ({"at_once": True}, "game.schedule.at_once=True"),
        ({"sure": 0.2}, "game.schedule.sure=0.2: must lie between 0.5 and 1"),
        ({"sure": "very"}, "game.schedule.sure='very'"),
        ({"lean": 11}, "game.schedule.lean=11: must lie between -10 and 10"),
        ({"lean": None}, "game.schedule.lean=None"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_key(settings, start):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Adaptive(**settings)
    assert str(caught.value).startswith(start)
