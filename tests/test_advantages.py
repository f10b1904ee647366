"""Advantages worked out by hand, and what must not change them."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.advantages import RoleBaselines, assign_advantages
from selfplay.types import Turn


def turns_of(groups: dict[str, list[float]], role: str = "solver") -> list[Turn]:
    return [Turn(role, "p", "t", group, rewards={"r": reward}) for group, row in groups.items() for reward in row]


def advantages(turns: list[Turn]) -> list[float]:
    return [turn.advantage for turn in turns]


def test_group_scale_by_hand():
    turns = turns_of({"a": [1, 1, 0, 0], "b": [1, 0, 0, 0]})
    assign_advantages(turns, epsilon=0)
    # a: mean 1/2, unbiased variance (4 * 1/4) / 3; b: mean 1/4, (9/16 + 3 * 1/16) / 3 = 1/4
    assert advantages(turns[:4]) == pytest.approx([math.sqrt(3) / 2] * 2 + [-math.sqrt(3) / 2] * 2)
    assert advantages(turns[4:]) == pytest.approx([1.5, -0.5, -0.5, -0.5])


def test_epsilon_is_added_to_the_spread():
    turns = turns_of({"b": [1, 0, 0, 0]})
    assign_advantages(turns, epsilon=0.5)
    assert advantages(turns) == pytest.approx([0.75, -0.25, -0.25, -0.25])


def test_batch_scale_divides_by_the_spread_of_the_role():
    turns = turns_of({"a": [1, 0], "b": [1, 1]}) + turns_of({"a": [100, 0]}, role="proposer")
    assign_advantages(turns, scale="batch", epsilon=0)
    # solver rewards 1 0 1 1: unbiased std 1/2, so +-1/2 becomes +-1; the proposer's scale is its own
    assert advantages(turns) == pytest.approx([1, -1, 0, 0, 1 / math.sqrt(2), -1 / math.sqrt(2)])


def test_no_scale_only_centres():
    turns = turns_of({"a": [3, 0, 0]})
    assign_advantages(turns, scale="none")
    assert advantages(turns) == [2, -1, -1]


def test_only_turns_to_reinforce_are_compared():
    turns = turns_of({"a": [1, 0, 0, 1]})
    turns[2].objective, turns[3].objective = None, "imitate"
    turns[2].advantage = 5.0  # of an earlier look
    assign_advantages(turns, scale="none")
    assert advantages(turns) == [0.5, -0.5, 0.0, 1.0]


def test_equal_names_of_groups_in_two_roles_are_two_groups():
    turns = turns_of({"0": [1, 0]}) + turns_of({"0": [0, 0]}, role="judge")
    assign_advantages(turns, scale="none")
    assert advantages(turns) == [0.5, -0.5, 0.0, 0.0]


def test_a_group_of_one_learns_nothing_and_is_counted():
    turns = turns_of({"a": [1], "b": [1, 0]})
    report = assign_advantages(turns)
    assert turns[0].advantage == 0.0
    assert report["role/solver/groups_of_one"] == 0.5
    assert report["role/solver/dead_groups"] == 0.5


def test_the_report_by_hand():
    report = assign_advantages(turns_of({"a": [1, 0], "b": [1, 1], "c": [0, 0]}), scale="none")
    assert report == {
        "role/solver/dead_groups": pytest.approx(2 / 3),
        "role/solver/groups_of_one": 0.0,
        "role/solver/advantage_spread": pytest.approx(math.sqrt(2 * 0.25 / 6)),
    }


def test_nothing_to_assign():
    assert assign_advantages([]) == {}


rows = st.lists(st.floats(-10, 10), min_size=1, max_size=6)


@given(rows, st.sampled_from(["group", "batch", "none"]), st.floats(-1e6, 1e6), st.integers(1, 9))
def test_equal_rewards_give_exactly_nothing(others, scale, reward, size):
    turns = turns_of({"equal": [reward] * size, "others": others})
    assign_advantages(turns, scale=scale)
    assert advantages(turns[:size]) == [0.0] * size  # also 0.1 three times, whose mean is not 0.1


@given(st.lists(rows, min_size=2, max_size=5), st.sampled_from(["group", "batch", "none"]), st.randoms())
def test_the_order_of_turns_and_groups_changes_nothing(table, scale, chance: random.Random):
    turns = turns_of({str(number): row for number, row in enumerate(table)})
    assign_advantages(turns, scale=scale)
    before = advantages(turns)
    shuffled = list(turns)
    chance.shuffle(shuffled)
    assign_advantages(shuffled, scale=scale)
    assert advantages(turns) == before


@given(rows, rows, st.sampled_from(["group", "none"]))
def test_another_group_changes_nothing(mine, others, scale):
    alone, together = turns_of({"mine": mine}), turns_of({"mine": mine, "others": others})
    assign_advantages(alone, scale=scale)
    assign_advantages(together, scale=scale)
    assert advantages(together[: len(mine)]) == advantages(alone)


@given(st.lists(st.integers(-8, 8), min_size=2, max_size=6), st.integers(-1000, 1000))
def test_a_reward_for_everybody_changes_nothing(row, gift):
    plain, shifted = turns_of({"a": row}), turns_of({"a": [reward + gift for reward in row]})
    assign_advantages(plain)
    assign_advantages(shifted)
    assert advantages(shifted) == pytest.approx(advantages(plain), abs=1e-9)
    assert sum(advantages(plain)) == pytest.approx(0, abs=1e-9)


def test_a_role_s_running_mean():
    baselines = RoleBaselines(decay=0.5)
    first, second = turns_of({"a": [1], "b": [0]}), turns_of({"a": [1], "b": [1]})
    assign_advantages(first, scale="none", baselines=baselines)
    assert advantages(first) == [0.5, -0.5]  # the first window is its own baseline
    assign_advantages(second, scale="none", baselines=baselines)
    assert advantages(second) == [0.5, 0.5]  # against the mean so far, 1/2
    assert baselines.state_dict() == {"means": {"solver": 0.75}}


def test_running_means_survive_a_checkpoint_and_are_one_for_each_role():
    baselines = RoleBaselines(decay=0.5)
    assign_advantages(turns_of({"a": [1]}) + turns_of({"a": [0]}, "proposer"), scale="none", baselines=baselines)
    resumed = RoleBaselines(decay=0.5)
    resumed.load_state_dict(baselines.state_dict())
    turns = turns_of({"a": [0]}) + turns_of({"a": [0]}, "proposer")
    assign_advantages(turns, scale="none", baselines=resumed)
    assert advantages(turns) == [-1.0, 0.0]


def test_a_resting_role_keeps_its_mean():
    baselines = RoleBaselines()
    assign_advantages(turns_of({"a": [1]}), scale="none", baselines=baselines)
    resting = turns_of({"a": [0]})
    resting[0].objective = None
    assign_advantages(resting, scale="none", baselines=baselines)
    assert baselines.means == {"solver": 1.0}


def test_settings_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match=r"learner\.scale='std'"):
        assign_advantages([], scale="std")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"role_ema.*learner\.scale=batch or none"):
        assign_advantages([], scale="group", baselines=RoleBaselines())
    with pytest.raises(ValueError, match="decay=1"):
        RoleBaselines(decay=1)
