import io
import math

import pytest

from selfplay.samplers.human import Human, PlayerLeft


def person(typed: str) -> tuple[Human, io.StringIO]:
    screen = io.StringIO()
    return Human(io.StringIO(typed), screen), screen


def test_a_person_answers_each_prompt_n_times():
    human, screen = person("7\n8\n\n >112 \n")
    turns_N_G = human.sample("solver", ["solve 3+4", "solve 27+85"], n=2)
    assert [[turn.text for turn in turns_G] for turns_G in turns_N_G] == [["7", "8"], ["", " >112 "]]
    assert [turns_G[0].prompt for turns_G in turns_N_G] == ["solve 3+4", "solve 27+85"]
    assert all(turn.logprobs is None and turn.stopped for turns_G in turns_N_G for turn in turns_G)
    assert screen.getvalue().count("reply") == 4
    assert "[solver, prompt 2 of 2]\nsolve 27+85" in screen.getvalue()


def test_nobody_is_asked_without_prompts():
    human, screen = person("")
    assert human.sample("solver", []) == []
    assert screen.getvalue() == ""


def test_leaving_is_said_clearly():
    human, _ = person("7\n")
    with pytest.raises(PlayerLeft, match="the input ended where a reply of the solver was wanted"):
        human.sample("solver", ["solve 3+4"], n=2)


def test_a_last_line_without_a_break_still_counts():
    human, _ = person("7")
    assert human.sample("solver", ["solve 3+4"])[0][0].text == "7"


def test_a_person_picks_a_choice_and_is_asked_again_after_a_slip():
    human, screen = person("3\nright\n2\n1\n")
    assert human.score("judge", ["a or b?", "c or d?"], ["first", "second"]) == [[-math.inf, 0.0], [0.0, -math.inf]]
    assert "  2) second" in screen.getvalue()
    assert "'right' is none of these numbers" in screen.getvalue()


def test_a_person_chooses_n_times_for_each_prompt():
    human, screen = person("2\n1\n1\n1\n")
    turns_N_G = human.choose("judge", ["a or b?", "c or d?"], ["A", "B"], n=2)
    assert [[turn.text for turn in turns_G] for turns_G in turns_N_G] == [["B", "A"], ["A", "A"]]
    assert [turns_G[0].prompt for turns_G in turns_N_G] == ["a or b?", "c or d?"]
    assert turns_N_G[0][0].logprobs is None
    assert "[judge]\na or b?" in screen.getvalue()
