"""The nouns: what a turn is paid, and what is not shared between two of them."""

import copy
import pickle

from selfplay.types import Episode, Labelled, Raw, Seed, Turn


def test_a_turn_is_paid_the_sum_of_its_parts():
    assert Turn("solver", "3+4", "7", rewards={"majority": 1.0, "length": -0.25}).reward == 0.75
    assert Turn("solver", "3+4", "7").reward == 0


def test_measures_are_never_paid():
    assert Turn("solver", "3+4", "7", measures={"truth": 1.0}).reward == 0


def test_turns_and_episodes_share_nothing():
    one, other = Turn("solver", "3+4", "7"), Turn("solver", "3+4", "8")
    one.rewards["majority"] = 1.0
    one.measures["truth"] = 1.0
    assert (other.rewards, other.measures) == ({}, {})
    first, second = Episode(Seed(0, "addition")), Episode(Seed(1, "addition"))
    first.turns.append(one)
    first.facts["vote_share"] = 1.0
    first.notes["asked"] = "3+4"
    assert (second.turns, second.facts, second.notes) == ([], {}, {})


def test_a_raw_prompt_is_told_from_a_message():
    assert Raw("3+4") == "3+4"
    assert isinstance(Raw("3+4"), Raw)
    assert not isinstance("3+4", Raw)


def test_a_labelled_prompt_is_a_conversation_that_keeps_its_label():
    prompt = Labelled([{"role": "user", "content": "solve 3+4"}], "context 7")
    assert prompt == [{"role": "user", "content": "solve 3+4"}]
    for copied in (copy.deepcopy(prompt), pickle.loads(pickle.dumps(prompt))):  # episodes travel between processes
        assert (copied, copied.label) == (prompt, "context 7")
    assert Turn("solver", prompt, "7").failure == ""
