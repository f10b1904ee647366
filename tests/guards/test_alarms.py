"""Alarms: when each begins, that it is said once, and that it survives a checkpoint."""

import json

import pytest

from selfplay.guards.alarms import Alarms
from selfplay.types import Episode, Seed, Turn


def window(admitted: float = 4, vote_share: float = 0.5, elected: str = "", cut_off: int = 0) -> list[Episode]:
    turns = [Turn("solver", "3+4", "7", stopped=number >= cut_off) for number in range(4)]
    facts = {"admitted": admitted, "vote_share": vote_share}
    return [Episode(Seed(0, "addition"), turns, facts, {"elected": elected})]


def test_a_barren_stretch_is_said_once_until_it_ends():
    alarms = Alarms(barren_windows=2)
    said = [alarms.check(window(admitted=admitted)) for admitted in (0, 0, 0, 1, 0, 0)]
    assert [values["guard/barren_windows"] for values, _ in said] == [1, 2, 3, 0, 1, 2]
    assert [len(lines) for _, lines in said] == [0, 1, 0, 0, 0, 1]
    assert "2 windows in a row" in said[1][1][0]


def test_one_episode_with_a_problem_is_enough():
    alarms = Alarms(barren_windows=1)
    values, lines = alarms.check(window(admitted=0) + window(admitted=1))
    assert (values["guard/barren_windows"], lines) == (0, [])


def test_a_collapse_to_one_answer():
    many, one = "7 11 15 7 21 30 42 58", "7 7 7 7 7 7 11 15"
    assert Alarms().check(window(vote_share=0.99, elected=many))[1] == [], "agreement alone is mastery"
    assert Alarms().check(window(vote_share=0.60, elected=one))[1] == []
    values, lines = Alarms().check(window(vote_share=0.99, elected=one))
    assert values["guard/one_answer"] == 0.75
    assert lines == [
        "the answers agree at 0.99 and 6 of 8 questions have the answer 7: a collapse to one answer, which the vote "
        "cannot see"
    ]


def test_few_questions_prove_nothing():
    values, lines = Alarms().check(window(vote_share=1.0, elected="7 7 7"))
    assert "guard/one_answer" not in values
    assert lines == []


def test_replies_that_hit_the_limit():
    values, lines = Alarms().check(window(cut_off=1))
    assert (values["guard/cut_off_solver"], lines) == (0.25, [])
    values, lines = Alarms().check(window(cut_off=2))
    assert values["guard/cut_off_solver"] == 0.5
    assert lines == ["50% of the solver's replies hit the token limit; raise sampler.max_new_tokens"]


def test_a_server_that_failed_is_not_the_token_limit():
    episodes = window(cut_off=1)
    lost = [Turn("solver", "3+4", "", stopped=False, failure="HTTP 503 after 5 tries") for _ in range(4)]
    episodes[0].turns += [*lost, Turn("proposer", "", "", stopped=False, failure="HTTP 503 after 5 tries")]
    values, lines = Alarms().check(episodes)
    found = {name: value for name, value in values.items() if "cut_off" in name or "failed" in name}
    assert found == {"guard/cut_off_solver": 0.25, "guard/failed_solver": 4.0, "guard/failed_proposer": 1.0}
    assert lines == []


def test_two_alarms_are_two_lines():
    assert len(Alarms(barren_windows=1).check(window(admitted=0, cut_off=4))[1]) == 2


def test_what_a_game_does_not_report_is_not_watched():
    assert Alarms().check([]) == ({}, [])
    assert Alarms().check([Episode(Seed(0, "addition"), [Turn("judge", "a or b?", "a")])]) == (
        {"guard/cut_off_judge": 0.0},
        [],
    )


def test_alarms_survive_a_checkpoint():
    alarms, resumed = Alarms(barren_windows=2), Alarms(barren_windows=2)
    alarms.check(window(admitted=0, cut_off=4))
    resumed.load_state_dict(json.loads(json.dumps(alarms.state_dict())))
    assert alarms.check(window(admitted=0, cut_off=4)) == resumed.check(window(admitted=0, cut_off=4))
    unseen = {"first": {}, "latest": {}}
    kept = {"barren": 2, "raised": ["barren", "cut_off solver"], "drift": unseen}
    assert resumed.state_dict() == alarms.state_dict() == kept


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"barren_windows": 0}, "barren_windows=0"), ({"saturated": 0}, "saturated=0"), ({"cut_off": 1.5}, "cut_off=1.5")],
)
def test_settings_that_cannot_work_are_refused(settings, key):
    with pytest.raises(ValueError, match=rf"^guards\.alarms\.{key}"):
        Alarms(**settings)
