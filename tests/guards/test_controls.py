"""Control arms: what each pays, whom, and that a coin is the same however the work is split."""

from copy import deepcopy

import pytest

from selfplay.guards.controls import Control
from selfplay.types import Episode, Seed, Turn


def episode(index: int = 0, turns: int = 3) -> Episode:
    measures = {"format": 1.0, "truth": 0.0}
    return Episode(
        Seed(index, "addition"),
        [Turn("solver", "3+4", "8", rewards={"majority": 1.0}, measures=dict(measures)) for _ in range(turns)],
    )


def paid(episodes: list[Episode]) -> list[dict[str, float]]:
    return [turn.rewards for episode in episodes for turn in episode.turns]


@pytest.mark.parametrize(
    ("arm", "expected"), [("none", {"majority": 1.0}), ("format", {"format": 1.0}), ("truth", {"truth": 0.0})]
)
def test_what_an_arm_pays(arm, expected):
    episodes = [episode()]
    Control(arm).repay(episodes, key=(0, 0))
    assert paid(episodes) == [expected] * 3


def test_the_coin_is_fair_and_the_only_part():
    episodes = [episode(index, turns=20) for index in range(100)]
    Control("random").repay(episodes, key=(0, 0))
    tosses = [rewards["random"] for rewards in paid(episodes)]
    assert all(set(rewards) == {"random"} for rewards in paid(episodes))
    assert set(tosses) == {0.0, 1.0}
    assert sum(tosses) / len(tosses) == pytest.approx(0.5, abs=0.05)  # 2000 tosses: 4.5 standard errors


def test_the_coin_follows_from_run_window_and_seed():
    def tosses(key, *indices) -> list[dict[str, float]]:
        episodes = [episode(index, turns=16) for index in indices]
        Control("random").repay(episodes, key)
        return paid(episodes)

    assert tosses((0, 3), 0, 1) == tosses((0, 3), 0) + tosses((0, 3), 1), "one process is two processes"
    assert tosses((0, 3), 0) != tosses((0, 3), 1)
    assert tosses((0, 3), 0) != tosses((0, 4), 0)
    assert tosses((0, 3), 0) != tosses((1, 3), 0)


def test_a_masked_turn_stays_masked_and_moves_no_other_coin():
    whole, masked = episode(turns=16), episode(turns=16)
    masked.turns[0].objective = None
    before = deepcopy(masked.turns[0])
    for one in (whole, masked):
        Control("random").repay([one], key=(0, 0))
    assert masked.turns[0] == before
    assert paid([masked])[1:] == paid([whole])[1:]


def test_an_arm_without_its_measure_says_what_is_missing():
    silent = Episode(Seed(0, "addition"), [Turn("solver", "3+4", "8")])
    with pytest.raises(
        ValueError, match=r"^control=truth: cannot pay the solver, since this domain has no ground truth"
    ):
        Control("truth").repay([silent], key=(0,))
    with pytest.raises(ValueError, match=r"^control=format: .* does not measure it"):
        Control("format").repay([silent], key=(0,))
    Control("random").repay([silent], key=(0,))


def test_an_unknown_arm_is_named():
    with pytest.raises(ValueError, match=r"control='placebo'.*none, random, format, truth"):
        Control("placebo")  # type: ignore[arg-type]


def test_a_turn_of_unknown_truth_is_left_out_and_its_peers_are_paid():
    control = Control("truth")
    known, unknown = (Turn("solver", "p", "t", rewards={"majority": 1.0}) for _ in range(2))
    known.measures = {"truth": 1.0}
    control.repay([Episode(Seed(0, "x"), [known, unknown])], key=(0,))
    assert (known.rewards, known.objective) == ({"truth": 1.0}, "reinforce")
    assert (unknown.rewards, unknown.objective) == ({}, None)
    later = Turn("solver", "p", "t", rewards={"majority": 1.0})
    control.repay([Episode(Seed(1, "x"), [later])], key=(1,))  # a whole window may be unknown
    assert later.objective is None
    with pytest.raises(ValueError, match="cannot pay the proposer"):
        control.repay([Episode(Seed(2, "x"), [Turn("proposer", "p", "t")])], key=(2,))
