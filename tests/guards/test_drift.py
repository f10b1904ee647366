"""The canary: what it compares with what, when it sings, and that a checkpoint keeps it."""

import json

import pytest

from selfplay.guards.alarms import Alarms
from selfplay.guards.drift import Drift
from selfplay.types import Episode, Seed


def window(*formed: float, on_topic: float = 1.0, words: float = 3.0) -> list[Episode]:
    facts = {"on_topic": on_topic, "answer_words": words}
    return [Episode(Seed(number, "lists"), facts=facts | {"formed": share}) for number, share in enumerate(formed)]


def sung(drift: Drift, *windows: list[Episode]) -> list[set[str]]:
    """The alarms that hold after each window."""
    said = []
    for episodes in windows:
        lines: dict[str, str] = {}
        drift.watch(episodes, {}, lines)
        said.append(set(lines))
    return said


def test_a_fall_is_measured_against_the_first_windows_by_a_running_mean():
    drift = Drift(windows=2, fall=0.2)
    values: dict[str, float] = {}
    lines: dict[str, str] = {}
    for shares in ((1.0, 0.8), (1.0, 1.0), (0.6, 0.8), (0.6, 0.6)):  # means .9 1 .7 .6; first .95, latest .65
        drift.watch(window(*shares), values, lines)
    assert values["guard/formed"] == pytest.approx(0.65)
    assert set(lines) == {"drift formed"}
    assert "65% of the actor's answers have the form asked for, down from 95%" in lines["drift formed"]


@pytest.mark.parametrize(
    ("late", "alarm"),
    [
        (window(0.91), set()),  # from 1.0 by less than 0.1
        (window(0.89), {"drift formed"}),
        (window(1.0, on_topic=0.5), {"drift on_topic"}),
        (window(1.0, words=8.9), set()),
        (window(1.0, words=9.1), {"drift length"}),
        (window(0.0, on_topic=0.0, words=0.0), {"drift formed", "drift on_topic"}),
    ],
)
def test_what_makes_it_sing(late, alarm):
    assert sung(Drift(windows=1), window(1.0), late) == [set(), alarm]


def test_it_ends_when_the_share_is_back():
    assert sung(Drift(windows=1), window(1.0), window(0.5), window(1.0)) == [set(), {"drift formed"}, set()]


def test_an_empty_beginning_is_no_measure_of_length():
    assert sung(Drift(windows=1), window(1.0, words=0), window(1.0, words=50)) == [set(), set()]


def test_a_game_that_reports_nothing_is_not_watched():
    values: dict[str, float] = {}
    Drift(windows=1).watch([Episode(Seed(0, "addition"), facts={"admitted": 4.0})], values, {})
    assert values == {}


def test_a_checkpoint_keeps_the_measure():
    before = Drift(windows=2)
    sung(before, window(1.0), window(1.0), window(0.5))
    after = Drift(windows=2)
    after.load_state_dict(json.loads(json.dumps(before.state_dict())))
    assert sung(after, window(0.5)) == sung(before, window(0.5)) == [{"drift formed"}]


def test_an_alarm_is_said_once_and_not_again_after_a_resume():
    alarms = Alarms(drift={"windows": 1})
    assert [len(alarms.check(window(share))[1]) for share in (1.0, 0.5, 0.5)] == [0, 1, 0]
    resumed = Alarms(drift={"windows": 1})
    resumed.load_state_dict(json.loads(json.dumps(alarms.state_dict())))
    assert resumed.check(window(0.5))[1] == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"windows": 0}, "guards.alarms.drift.windows=0: must be at least 1"),
        ({"fall": 1.0}, "guards.alarms.drift.fall=1.0: must be above 0 and below 1"),
        ({"longer": 1.0}, "guards.alarms.drift.longer=1.0: must be above 1"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        Alarms(drift=setting)


def test_a_checkpoint_from_before_there_was_a_canary_is_taken():
    alarms = Alarms()
    alarms.load_state_dict({"barren": 2, "raised": []})
    assert alarms.state_dict()["barren"] == 2
