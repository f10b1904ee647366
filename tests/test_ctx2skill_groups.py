"""The group game=ctx2skill in a recipe of somebody's own: its defaults, a whole scripted run, mistakes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from selfplay import cli
from selfplay.checks import check
from selfplay.configuration import RecipeError, build, compose, recipes_folder
from selfplay.games.ctx2skill_settings import Settings
from selfplay.plan import make_plan
from selfplay.rehearsal import rehearse
from selfplay.run_folder import open_run_folder

RECIPE = """
defaults:
  - job
  - override game: ctx2skill
  - override domain: shelf
  - _self_
seeds: {per_window: 2, topics: [contexts]}
evaluation: {every: 0}
tracking: {wandb: disabled, transcripts_every: 0}
sampler: {max_new_tokens: 16}
max_steps: 1
"""

SCRIPT = """
# @package _global_
players: script
script:
  challenger: ["task ab", "has A & has B"]
  reasoner: ["Ab", "AB"]
  judge: ["yes no", "yes yes"]
  reasoner_proposer: ["want B"]
  reasoner_generator: ["upper: write B"]
  challenger_proposer: ["want length"]
  challenger_generator: ["length: ask longer ones"]
"""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "domain").mkdir()
    (tmp_path / "debug").mkdir()
    (tmp_path / "mine.yaml").write_text(RECIPE)
    (tmp_path / "domain" / "shelf.yaml").write_text("_target_: tests.games.shelf.Shelf\ntrainable: true\n")
    (tmp_path / "debug" / "letters.yaml").write_text(SCRIPT.lstrip())
    return [f"recipe={tmp_path / 'mine.yaml'}", f"output_dir={tmp_path / 'runs'}", "run_name=one"]


def test_the_group_file_holds_the_defaults_of_the_class():
    written = OmegaConf.to_container(OmegaConf.load(recipes_folder() / "game" / "ctx2skill.yaml"), resolve=False)
    assert isinstance(written, dict)
    defaults = {field.name: field.default for field in fields(Settings)}
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in defaults.items()}
    assert {key: value for key, value in written.items() if key not in ("_target_", "domain")} == plain


def test_a_run_leaves_its_skills(words, tmp_path, capsys):
    config = compose([*words, "debug=letters", "game.tasks=1", "game.rounds=2"])
    check(config)
    assert rehearse(config, open_run_folder(config)) == 0
    run = tmp_path / "runs" / "one"
    assert sorted(path.name for path in (run / "skills").iterdir()) == ["letters", "words"]
    assert (run / "skills" / "letters" / "SKILL.md").exists()
    assert "game/solve_rate" in (run / "metrics.jsonl").read_text()
    capsys.readouterr()
    assert cli.main(["skills", "list", str(run)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_papers_budget(words):
    """At most 175 calls a context where nothing is asked twice: 5 x (1 + 5 + 5 + 4), and 5 x 10 x 2 of the replay."""
    rows = build(compose([*words, "game.tries=1"]), "game").rows_per_seed
    assert rows["reasoner"] == 25 + 50
    assert rows["judge"] == 25 + 50
    assert sum(rows[role] for role in rows if role.endswith(("proposer", "generator"))) == 20
    roles = {role.role: role.rows for role in make_plan(compose([*words, "game.tries=1"])).roles}
    assert roles == {role: 2 * number for role, number in rows.items()}


@pytest.mark.parametrize(
    "changes",
    [["game.evolves=[reasoner]"], ["game.select=1"], ["game.select=sum"], ["game.select=last", "game.no_skill=true"]],
)
def test_the_ablations_are_settings(words, changes):
    check(compose([*words, *changes]))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        (["domain=arithmetic"], "game.domain: has no contexts to mine skills from"),
        (["domain=word_lists"], "game.domain: has no contexts to mine skills from"),
        (["game.rounds=0"], "game.rounds=0: must be a whole number from 1"),
        (["game.round=3"], "game.round is not a key"),
        (["game.learns=[judge]"], "game.judgments=1: must be 3 or more where the judge learns"),
        (["game.select=best"], "game.select='best': unknown"),
        (["game.merged=true"], "game.merged=true: the compact wording has no prompt for it"),
        (["domain.trainable=false", "game.learns=[reasoner]", "game.answers=2"], "is for benchmarking only"),
    ],
)
def test_a_mistake_is_one_line(words, changes, part):
    with pytest.raises(RecipeError) as caught:
        check(compose([*words, *changes]))
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
