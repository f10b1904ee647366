"""The groups game=serl, domain=word_lists and domain=prompt_file, in a recipe of somebody's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfplay.checks import check
from selfplay.configuration import RecipeError, build, compose
from selfplay.plan import make_plan
from selfplay.play import main

RECIPE = """
defaults:
  - job
  - override game: serl
  - override domain: word_lists
  - _self_
seeds: {per_window: 2, topics: [lists]}
evaluation: {every: 0}
sampler: {max_new_tokens: {actor: 16, judge: 2}}
"""

SCRIPTED = ["players=script", "script.actor=[cat owl, cat red, red, dog]", "script.judge=[A]"]


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    (tmp_path / "mine.yaml").write_text(RECIPE)
    return f"recipe={tmp_path / 'mine.yaml'}"


def test_the_group_files_hold_the_defaults_of_the_classes(recipe: str):
    game = build(compose([recipe]), "game")
    assert (game.answers, game.length_control, game.rows_per_seed) == (4, 0.2, {"actor": 4, "judge": 24})
    assert (game.domain.wording, len(game.domain.categories)) == ("compact", 7)


def test_a_scripted_episode_is_played_from_the_command_line(recipe: str, capsys):
    assert main([recipe, *SCRIPTED, "episodes=1"]) == 0
    printed = capsys.readouterr().out
    assert "judge <- judge animals : cat owl | cat red\n    2x A   [consistency 0, advantage +0.00]" in printed
    assert "1x dog   [copeland 0.167, advantage +0.00]" in printed  # 2 wins over red, in 12 judgments


def test_the_plan_counts_24_judgments_for_4_answers(recipe: str):
    actor, judge = make_plan(compose([recipe])).roles
    assert (actor.rows, judge.rows) == (8, 48)


@pytest.mark.parametrize(("schedule", "most"), [("all_pairs", 24), ("adaptive", 8), ("knockout", 6)])
def test_a_schedule_is_chosen_by_its_name(recipe: str, schedule: str, most: int, capsys):
    words = [recipe, f"game/schedule={schedule}"]
    check(compose(words))
    assert build(compose(words), "game").rows_per_seed["judge"] == most
    assert main([*words, *SCRIPTED, "game.verdicts=scored", "episodes=1"]) == 0
    assert "judge <- judge animals" in capsys.readouterr().out


def test_the_group_files_of_the_schedules_hold_the_defaults_of_the_classes(recipe: str):
    for schedule in ("all_pairs", "adaptive", "knockout"):
        built = build(compose([recipe, f"game/schedule={schedule}"]), "game").schedule
        assert vars(built) == vars(type(built)())


def test_prompts_of_a_file_are_judged_in_boxes(recipe: str, tmp_path: Path, capsys):
    (tmp_path / "prompts.jsonl").write_text('{"context": "Say something kind."}')
    words = [recipe, "domain=prompt_file", f"domain.path='{tmp_path}/prompts.jsonl'", "domain.field=context"]
    assert main([*words, "players=script", "script.actor=[Hello]", r"script.judge=['\boxed{1}']", "episodes=1"]) == 0
    printed = capsys.readouterr().out
    assert "actor <- Say something kind.\n    4x Hello   [copeland 0.5" in printed


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["domain=prompt_file"], "domain.path"),
        (["domain=prompt_file", "domain.path=no.jsonl"], "domain.path=no.jsonl: cannot be read"),
        (["domain=arithmetic"], "game.domain: has no open-ended requests"),
        (["domain.categories=[cars]"], "domain.categories=['cars']: choose one or more of animals"),
        (["game.schedule.judgments=3"], "game.schedule.judgments=3: must be an even number"),
        (["game.schedule.judgement=4"], "game.schedule.judgement is not a key"),
        (["game/schedule=swiss"], "game/schedule=swiss is unknown; known: adaptive, all_pairs, knockout."),
        (["game/schedule=adaptive", "game.schedule.sure=2"], "game.schedule.sure=2: must lie between 0.5 and 1"),
        (["game/schedule=adaptive", "game.schedule.rounds=2"], "game.schedule.rounds is not a key"),
        (["game/schedule=knockout", "game.answers=5"], "game.schedule.rounds=2: leaves more than one of 5 answers"),
        (["game.verdicts=scores"], "game.verdicts='scores': unknown; choose one of sampled, scored"),
        (["game.length_control=2"], "game.length_control=2: must lie between 0 and 1"),
        (["game.ties=true"], "game.ties=true: the compact wording has no tie"),
    ],
)
def test_a_mistake_is_one_line(recipe: str, words: list[str], part: str):
    with pytest.raises(RecipeError) as caught:
        check(compose([recipe, *words]))
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
