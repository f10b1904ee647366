"""Playing without learning: scripts, people and models in any role, printed whole."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from selfplay.configuration import RecipeError, compose
from selfplay.play import main, own_words, play
from tests.tiny import tiny_base

SMALL = "recipe=sqlm_small"
SCRIPTED = [SMALL, "debug=scripted"]


def test_a_scripted_episode_by_hand():
    # Six proposals: 12+30, 8+9, 140+222, then 8+9 again, "what?", and 12+30 again: three are admitted.
    # Eight answers to each: 42, 42, 17, unreadable, twice over: the majority is 42 with 4 of 8.
    (episode,) = play(compose(SCRIPTED), episodes=1)
    assert (episode.facts["admitted"], episode.facts["vote_share"]) == (3, 0.5)
    solver = [turn for turn in episode.turns if turn.role == "solver"]
    assert len(solver) == 24
    assert [turn.rewards["majority"] for turn in solver[:4]] == [1, 1, 0, 0]
    assert episode.facts["vote_accuracy"] == pytest.approx(1 / 3)  # 42 is 12+30 and nothing else


def test_a_control_arm_pays_here_too():
    (episode,) = play(compose([*SCRIPTED, "control=truth"]), episodes=1)
    paid = {(turn.prompt, turn.text[-2:]) for turn in episode.turns if turn.role == "solver" and turn.reward == 1}
    assert paid == {("solve 12+30", "42"), ("solve 8+9", "17")}
    assert all(set(turn.rewards) <= {"truth"} for turn in episode.turns if turn.objective is not None)


def test_a_person_plays_one_role_and_a_script_the_other(monkeypatch, capsys):
    words = [*SCRIPTED, "players={proposer: human, solver: script}", "game.proposals=2", "episodes=1"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("3+4\nnothing much\n"))
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "solver <- solve 3+4" in printed
    assert "1x nothing much   [not learned from]" in printed


def test_a_person_who_leaves_ends_the_game_politely(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("3+4\n"))
    assert main([SMALL, "players=human", "episodes=1"]) == 1
    assert capsys.readouterr().err.startswith("selfplay: the input ended")


def test_a_model_plays_and_saved_adapters_are_worn(tmp_path: Path):
    base = tiny_base(tmp_path / "base")
    words = [SMALL, f"policy.base='{base}'", "game.proposals=2", "game.answers=3", "sampler.max_new_tokens=4"]
    config = compose(words)
    first, second = play(config, episodes=1), play(config, episodes=1)
    assert [turn.text for turn in first[0].turns] == [turn.text for turn in second[0].turns]  # seeded
    assert len(first[0].turns) >= 2
    with pytest.raises(RecipeError, match=r"^adapters=.*no saved adapter 'proposer'"):
        play(config, episodes=1, adapters=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([SMALL, "players=script"], "players.proposer=script, but script.proposer is empty"),
        ([SMALL, "episodes=none"], "episodes=none must be a whole number from 1"),
        ([SMALL, "episodes=0"], "episodes=0"),
        ([SMALL, "players.sover=human"], "did you mean solver"),
        ([SMALL, "learner.lrr=2"], "learner.lrr"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words: list[str], part: str, capsys):
    assert main(words) == 2
    line = capsys.readouterr().err
    assert part in line
    assert line.count("\n") == 1


def test_own_words_are_taken_out():
    assert own_words([SMALL, "adapters=a/b", "episodes=5", "seed=1"]) == (5, Path("a/b"), [SMALL, "seed=1"])
