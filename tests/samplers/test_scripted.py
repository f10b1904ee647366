import math

import pytest

from selfplay.samplers.scripted import Scripted


def test_texts_are_said_in_turn_over_prompts_and_calls():
    script = Scripted({"solver": ["a", "b", "c"]})
    turns_N_G = script.sample("solver", ["p", "q"], n=2)
    assert [[turn.text for turn in turns_G] for turns_G in turns_N_G] == [["a", "b"], ["c", "a"]]
    script.begin(0, 1, 2)
    assert script.sample("solver", ["p"])[0][0].text == "b"


def test_roles_do_not_share_their_place():
    script = Scripted({"solver": ["a", "b"], "judge": ["x", "y"]})
    said = [script.sample(role, ["p"])[0][0].text for role in ("solver", "judge", "solver", "judge")]
    assert said == ["a", "x", "b", "y"]


def test_a_function_sees_prompt_and_number():
    script = Scripted({"solver": lambda prompt, k: f"{prompt}{k}"})
    assert [[turn.text for turn in row] for row in script.sample("solver", ["p", "q"], n=2)] == [
        ["p0", "p1"],
        ["q0", "q1"],
    ]


def test_turns_are_written_not_sampled():
    ((turn,),) = Scripted({"solver": ["a"]}).sample("solver", [[{"role": "user", "content": "p"}]])
    assert (turn.role, turn.prompt) == ("solver", [{"role": "user", "content": "p"}])
    assert (turn.prompt_ids, turn.text_ids, turn.logprobs, turn.stopped) == (None, None, None, True)


def test_no_prompts_use_up_no_text():
    script = Scripted({"solver": ["a", "b"]})
    assert script.sample("solver", [], n=3) == []
    assert script.sample("solver", ["p"])[0][0].text == "a"


def test_a_script_is_certain_of_its_next_text():
    script = Scripted({"judge": ["2", "neither"]})
    assert script.score("judge", ["p", "q"], ["1", "2"]) == [[-math.inf, 0.0], [-math.inf, -math.inf]]


def test_a_role_without_lines_is_named():
    with pytest.raises(ValueError, match="no role 'judge'; it has proposer, solver"):
        Scripted({"solver": ["a"], "proposer": ["b"]}).sample("judge", [])
    with pytest.raises(ValueError, match="script of 'solver' is empty"):
        Scripted({"solver": []})


def test_a_script_chooses_what_it_says():
    script = Scripted({"judge": ["A", "neither"]})
    assert [turn.text for turn in script.choose("judge", ["p"], ["A", "B"], 2)[0]] == ["A", "neither"]
