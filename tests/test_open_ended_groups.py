"""The groups game=serl and the open-ended domains, in a recipe of somebody's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from selfplay.checks import check
from selfplay.configuration import RecipeError, build, compose
from selfplay.plan import make_plan
from selfplay.play import main
from selfplay.train import main as train

RECIPE = """
defaults:
  - job
  - override game: serl
  - override domain: word_lists
  - override evaluation: none
  - _self_
seeds: {per_window: 2, topics: [lists]}
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
        (
            ["domain=arithmetic"],
            "game.domain=Arithmetic: SERL needs open-ended requests, which it has not; choose domain=word_lists or "
            "hub_prompts, or game=sqlm.",
        ),
        (["domain=arithmetic_deadline"], "game.domain=WithDeadline: SERL needs open-ended requests"),
        (
            ["evaluation=arithmetic"],
            "evaluation.yardsticks.arithmetic: domain=WordLists has no problems with known answers to measure on; "
            "choose evaluation=none, or domain=arithmetic.",
        ),
        (["evaluation=pair_file"], "evaluation.yardsticks.judge.pairs.path"),
        (
            ["evaluation=pair_file", "evaluation.yardsticks.judge.pairs.path=no.json"],
            "pairs.path=no.json: cannot be read",
        ),
        (
            ["evaluation=lists", "players.judge=human", "policy.frozen=[judge]"],
            "evaluation.yardsticks.judge measures the model's judge, but players.judge=human plays; leave it out with "
            "'~evaluation.yardsticks.judge'",
        ),
        (
            ["evaluation=lists", "evaluation.yardsticks.answers._target_=selfplay.samplers.human.Human"],
            "evaluation.yardsticks.answers",
        ),
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


def test_an_endpoint_chooses_verdicts_of_one_token_only(recipe: str):
    """A chat's reply is scored by its first token: \\boxed{1} begins like \\boxed{2}."""
    asked = ["players.judge=endpoint", "policy.frozen=[judge]", "endpoint.url=http://localhost:8000/v1"]
    words = [recipe, *asked, "endpoint.model=m", "game.verdicts=scored"]
    check(compose(words))  # the compact wording: A or B
    with pytest.raises(RecipeError) as caught:
        check(compose([*words, "domain.wording=boxed"]))
    assert str(caught.value).startswith("game.verdicts=scored, but players.judge=endpoint: ")
    assert str(caught.value).endswith("set game.verdicts=sampled.")
    assert "\n" not in str(caught.value)
    check(compose([*words, "domain.wording=boxed", "game.verdicts=sampled"]))
    check(compose([*words, "domain.wording=boxed", "players.judge=model", "policy.frozen=[]"]))


@pytest.mark.parametrize("domain", ["word_lists", "prompt_file", "hub_prompts"])
def test_sqlm_needs_problems(domain: str, tmp_path: Path):
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "Say something kind."}')
    path = [] if domain == "word_lists" else [f"domain.path='{tmp_path}/prompts.jsonl'"]
    with pytest.raises(RecipeError) as caught:
        check(compose(["recipe=sqlm_small", f"domain={domain}", *path]))
    assert str(caught.value).startswith("game.domain=")
    assert "SQLM needs problems with answers" in str(caught.value)
    assert str(caught.value).endswith("choose domain=arithmetic, or game=serl.")


def test_a_dataset_is_read_before_a_model_is_loaded_but_not_for_a_plan(recipe, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text('{"question": "Say something kind."}\n')
    words = [recipe, "domain=hub_prompts", f"domain.path='{tmp_path}/data'", "domain.held_out=0"]
    assert train([*words, "dry_run=true"]) == 0
    capsys.readouterr()
    assert train([*words, f"output_dir='{tmp_path}/runs'"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]  # after the library's progress bars
    assert line == f"selfplay: domain.field='prompt': {tmp_path}/data has no such field; choose one of question."
    assert not (tmp_path / "runs").exists()
    words += ["domain.field=question", "players=script", "script.actor=[Hello]", r"script.judge=['\boxed{1}']"]
    assert main([*words, "episodes=1"]) == 0
    assert "actor <- Say something kind.\n    4x Hello   [copeland 0.5" in capsys.readouterr().out


def test_a_dataset_of_the_hub_that_cannot_be_reached_is_one_line(recipe: str, tmp_path: Path):
    """In a process of its own: the library looks once whether it is offline."""
    command = [sys.executable, "-m", "selfplay.play", recipe, "domain=hub_prompts", "domain.path=nobody/nothing"]
    done = subprocess.run(
        command, env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("selfplay: domain.path=nobody/nothing: cannot be loaded: Couldn't reach")
    assert done.stderr.count("\n") == 1
