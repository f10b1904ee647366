"""R_P of arXiv 2508.03682, worked out by hand for n = 4 and n = 5 answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.roles.proposer import Band, calibration, check_band

#                        c = 0    1    2    3    4
TABLE: dict[Band, list[float]] = {
    "paper": [0.0, 1.0, 1.0, 1.0, 0.0],  # 0 < c < n
    "release": [0.0, 0.0, 1.0, 1.0, 0.0],  # 1 < c < n
    "range": [0.0, 1.0, 1.0, 1.0, 0.0],  # .2 <= c/n <= .8
    "triangle": [0.0, 0.75, 1.0, 0.75, 0.0],  # 4 p (1 - p)
}


@pytest.mark.parametrize("band", TABLE)
def test_the_bands_at_four_answers(band):
    assert [calibration(votes, 4, band) for votes in range(5)] == TABLE[band]


def test_both_ends_of_a_range_are_paid():
    # 1/5 and 4/5 are exactly .2 and .8; 3/10 is not reached by 1/4
    assert [calibration(votes, 5, "range") for votes in range(6)] == [0, 1, 1, 1, 1, 0]
    assert [calibration(votes, 4, "range", low=0.3, high=0.5) for votes in range(5)] == [0, 0, 1, 0, 0]


def test_a_range_from_zero_still_pays_nothing_for_no_vote():
    assert calibration(0, 4, "range", low=0.0, high=1.0) == 0.0


def test_an_unknown_band_is_named():
    with pytest.raises(ValueError, match=r"band='tent'.*triangle"):
        calibration(1, 4, "tent")  # type: ignore[arg-type]


@given(st.sampled_from(list(TABLE)), st.integers(1, 64).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_pay_is_between_zero_and_one_and_nothing_for_no_vote(band, count):
    votes, ballots = count
    assert 0.0 <= calibration(votes, ballots, band) <= 1.0
    assert calibration(0, ballots, band) == 0.0


def test_a_band_that_could_never_pay_is_refused():
    check_band("release", 0.2, 0.8, min_votes=2, ballots=4)
    with pytest.raises(ValueError, match=r"^game\.band=release: pays no vote that 2 answers can give"):
        check_band("release", 0.2, 0.8, min_votes=1, ballots=2)  # 1 < c < 2 has no solution
    with pytest.raises(ValueError, match=r"game\.min_votes=2"):
        check_band("paper", 0.2, 0.8, min_votes=2, ballots=2)
