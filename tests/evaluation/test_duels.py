"""Duels by hand: four samples of each side on two problems."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.evaluation.duels import Duel, pair_up
from selfplay.evaluation.statistics import wilson
from selfplay.evaluation.yardsticks import Measurement
from tests.evaluation.fakes import problems


def measurement(*right: int, samples: int = 4) -> Measurement:
    problems_N = tuple(problems("3+4", "27+85", "10+11")[: len(right)])
    answers_N_G = ((None,) * samples,) * len(right)
    return Measurement(problems_N, answers_N_G, (None,) * len(right), right, samples, ())


def test_every_pairing_counts():
    # 3 of 4 right against 1 of 4: 3 * 3 = 9 wins, 1 * 1 = 1 loss, 3 * 1 + 1 * 3 = 6 ties, of 16
    duel = Duel.against("base", measurement(1, 4))
    values = {metric.name: metric.value for metric in duel.fight(measurement(3, 4))}
    assert values == {
        "duel/base/win_rate": (9 / 16 + 6 / 32 + 1 / 2) / 2,  # the second problem is all ties
        "duel/base/wins": 9 / 16,
        "duel/base/ties": 6 / 16 + 1,
        "duel/base/losses": 1 / 16,
    }


def test_the_interval_is_wilsons_over_problems():
    rate = Duel.against("base", measurement(1, 4)).fight(measurement(3, 4))[0]
    assert (rate.low, rate.high) == wilson(1.25, 2)
    assert "2 held-out problems" in rate.definition
    assert "Wilson" in rate.definition


@pytest.mark.parametrize(("now", "base", "rate"), [((4, 4), (0, 0), 1.0), ((0, 0), (4, 4), 0.0), ((2, 1), (2, 1), 0.5)])
def test_extremes_and_itself(now, base, rate):
    assert Duel.against("base", measurement(*base)).fight(measurement(*now))[0].value == pytest.approx(rate)


def test_sample_numbers_may_differ():
    assert Duel("old", {"3+4": (1, 2)}).fight(measurement(4))[0].value == 0.75


def test_an_unmeasured_problem_is_refused():
    with pytest.raises(ValueError, match=r"not measured on '27\+85'"):
        Duel.against("base", measurement(1)).fight(measurement(1, 1))


def test_the_record_survives_a_checkpoint():
    duel = Duel.against("base", measurement(1, 4))
    again = Duel(**json.loads(json.dumps(asdict(duel))))
    assert again.fight(measurement(3, 4)) == duel.fight(measurement(3, 4))


@given(st.integers(1, 9), st.integers(1, 9), st.data())
def test_a_score_is_half_plus_half_the_difference_of_shares(n, m, data):
    right, other = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    pairings = pair_up(right, n, other, m)
    assert pairings.win + pairings.tie + pairings.loss == pytest.approx(1)
    assert pairings.win + pairings.tie / 2 == pytest.approx(0.5 + (right / n - other / m) / 2)
