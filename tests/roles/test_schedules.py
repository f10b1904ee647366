from __future__ import annotations

from collections import Counter

import pytest

from selfplay.roles.schedules import AllPairs


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
