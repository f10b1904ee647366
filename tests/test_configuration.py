"""Words to config: recipes are found, composed and refused with one line that names key, value and mend."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hydra.utils import get_method
from omegaconf import OmegaConf

from selfplay.configuration import GROUPS, RecipeError, build, compose, recipe_names, recipes_folder, roles_of
from selfplay.games.ctx2skill_settings import Settings
from selfplay.roles.skill_wording import JsonWording

SMALL = "recipe=sqlm_small"
REQUIRED = ("seed", "run_name", "output_dir", "resume", "dry_run", "control", "max_steps")


def refusal(*words: str) -> str:
    with pytest.raises(RecipeError) as caught:
        compose(words)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_composes_and_resolves(name: str):
    config = compose([f"recipe={name}"])
    OmegaConf.resolve(config)
    assert set(REQUIRED) <= set(config)
    assert config.recipe == config.run_name == name
    assert config.control.arm == "none"


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_says_what_to_expect_and_stays_short(name: str):
    lines = (recipes_folder() / f"{name}.yaml").read_text().splitlines()
    header = [line for line in lines if line.startswith("#")]
    assert len(lines) < 40
    for word in ("Expected:", "Yardstick:", "Cost:", "Failure:"):
        assert any(line.startswith(f"# {word}") for line in header), f"{name}.yaml does not state {word}"


def test_later_words_win_and_keep_the_recipes_other_values():
    config = compose([SMALL, "learner.lr=1e-2", "control=random", "seed=7", "learner.lr=2e-3"])
    assert (config.learner.lr, config.control.arm, config.seed) == (2e-3, "random", 7)
    assert config.policy.seed == 7  # follows `seed`
    assert config.game.answers == 8  # the recipe's, not the paper's 4


def test_game_alone_is_the_papers_setting():
    game = OmegaConf.load(recipes_folder() / "game" / "sqlm.yaml")
    assert (game.proposals, game.answers, game.band, game.proposer_period) == (4, 4, "paper", 5)
    learner = OmegaConf.load(recipes_folder() / "learner" / "grpo.yaml")
    assert (learner.lr, learner.kl, learner.epsilon, learner.weight_decay) == (1e-6, 1e-3, 0.2, 0.01)


def test_debug_is_laid_over_the_recipe_itself():
    config = compose(["debug=two_steps", SMALL])
    assert (config.max_steps, config.evaluation.every) == (2, 2)
    assert compose([SMALL, "debug=overfit"]).control.arm == "truth"
    assert compose([SMALL, "debug=two_steps", "max_steps=3"]).max_steps == 3  # the user's word is the last one


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([SMALL, "learner.lrr=1"], ["learner.lrr", "did you mean learner.lr"]),
        ([SMALL, "+learner.lrr=1"], ["learner.lrr", "did you mean learner.lr"]),
        ([SMALL, "lr=1"], ["lr is not a key", "did you mean learner.lr"]),
        ([SMALL, "max_step=1"], ["max_step", "did you mean max_steps?"]),
        ([SMALL, "polcy=small"], ["polcy", "did you mean policy"]),
        ([SMALL, "policy=smal"], ["policy=smal is unknown", "did you mean small?"]),
        ([SMALL, "control=truht"], ["control=truht is unknown", "did you mean truth?"]),
        ([SMALL, "debug=twosteps"], ["debug=twosteps is unknown", "did you mean two_steps?"]),
        (["recipe=sqlm_smal"], ["recipe=sqlm_smal is unknown", "sqlm_small"]),
        (["recipe=zebra"], ["recipe=zebra is unknown; known: ", "sqlm_multiplication"]),
        (["recipe=nowhere/mine.yaml"], ["nowhere/mine.yaml", "no such file"]),
        (["learner.lr=1"], ["recipe=NAME must be given once", "sqlm_small"]),
        ([SMALL, SMALL], ["recipe=NAME must be given once"]),
        ([SMALL, "fast"], ["'fast' is not KEY=VALUE"]),
        ([SMALL, "--num_processes=2"], ["'--num_processes=2' is not KEY=VALUE", "before -m selfplay.train"]),
        ([SMALL, "learner.lr={a"], ["learner.lr={a"]),
    ],
)
def test_a_mistake_is_one_line_with_key_value_and_mend(words: list[str], parts: list[str]):
    line = refusal(*words)
    for part in parts:
        assert part in line


def own_recipe(folder: Path, body: str) -> str:
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(f"defaults:\n  - sqlm_small\n  - _self_\n{body}")
    return f"recipe={folder / 'mine.yaml'}"


def test_a_recipe_of_ones_own_builds_on_the_shipped_ones(tmp_path: Path):
    config = compose([own_recipe(tmp_path / "my recipes = mine", "max_steps: 3\nlearner: {lr: 1.0e-4}\n"), "seed=2"])
    assert (config.recipe, config.max_steps, config.learner.lr, config.seed) == ("mine", 3, 1e-4, 2)
    assert config.sampler.max_new_tokens.solver == compose([SMALL]).sampler.max_new_tokens.solver


def test_ones_own_group_file_is_found_first(tmp_path: Path):
    word = own_recipe(tmp_path / "own", "")
    (tmp_path / "own" / "domain").mkdir()
    (tmp_path / "own" / "domain" / "long.yaml").write_text(
        "_target_: selfplay.domains.arithmetic.Arithmetic\noperators: '+'\ndigits: 9\nwording: compact\n"
    )
    assert build(compose([word, "domain=long"]), "domain").digits == 9


def test_a_slip_inside_a_recipe_file_is_refused_too(tmp_path: Path):
    line = refusal(own_recipe(tmp_path / "own", "learner: {lrr: 1}\n"))
    assert "learner.lrr" in line
    assert "did you mean learner.lr" in line


def test_a_recipe_that_is_not_yaml_is_one_line(tmp_path: Path):
    assert "mine" in refusal(own_recipe(tmp_path / "own", "learner: {lr: [\n"))


def test_yardsticks_of_ones_own_may_be_named(tmp_path: Path):
    body = "evaluation: {yardsticks: {long: {_target_: builtins.dict, digits: 9}}}\n"
    config = compose([own_recipe(tmp_path / "own", body)])
    assert build(config, "evaluation.yardsticks.long") == {"digits": 9}


def test_build_follows_references_between_nodes():
    game = build(compose([SMALL, "guards.gate.max_level=2", "domain.digits=2"]), "game")
    assert game.gate.max_level == 2
    assert game.domain.digits == game.gate.domain.digits == 2


def test_a_constructors_refusal_is_the_users_line():
    with pytest.raises(RecipeError, match=r"^game\.answers=1: "):
        build(compose([SMALL, "game.answers=1"]), "game")
    with pytest.raises(RecipeError, match=r"^domain\.digits=99 "):
        build(compose([SMALL, "domain.digits=99"]), "game")


def test_roles_of_refuses_a_role_too_few_or_too_many():
    with pytest.raises(RecipeError, match=r"learner\.kl has no value for the role 'solver'"):
        roles_of({"proposer": 1}, ["proposer", "solver"], "learner.kl")
    with pytest.raises(RecipeError, match=r"learner\.kl\.slover: .*did you mean solver"):
        roles_of({"slover": 1}, ["proposer", "solver"], "learner.kl")


def nodes_with_targets(node: object) -> list[dict]:
    if not isinstance(node, dict):
        return []
    mine = [node] if "_target_" in node else []
    return mine + [found for value in node.values() for found in nodes_with_targets(value)]


def arguments_of(target: str) -> set[str]:
    """Of a constructor, those included that it hands on to its class of settings."""
    parameters = inspect.signature(get_method(target)).parameters
    handed_on = {field.name for field in fields(Settings)} if target.endswith(".Ctx2Skill") else set()
    if target.endswith(".Folder"):
        handed_on = set(inspect.signature(JsonWording).parameters) - {"longest"}  # which follows from longest_context
    named = {name for name, one in parameters.items() if one.kind is not inspect.Parameter.VAR_KEYWORD}
    return named | handed_on


@pytest.mark.parametrize("name", recipe_names())
def test_the_keys_of_every_node_are_its_constructors_arguments(name: str):
    config = OmegaConf.to_container(compose([f"recipe={name}"]), resolve=True)
    for node in nodes_with_targets(config):
        arguments = arguments_of(node["_target_"])
        keys = set(node) - {"_target_"}
        assert keys <= arguments, f"{node['_target_']} has no {keys - arguments}"
        expected = {key for key in arguments if key not in ("policy", "roles", "bare", "seed", "temperature", "role")}
        assert expected <= keys, f"{node['_target_']}: the group file does not show {expected - keys}"


def test_groups_are_the_folders():
    folders = [path for path in recipes_folder().rglob("*") if path.is_dir()]
    names = {str(path.relative_to(recipes_folder())) for path in folders}
    assert names - {"suite", "sweep"} == set(GROUPS)  # these two are read by `selfplay compare`, not by a recipe


def test_an_installed_package_finds_its_recipes_inside_itself(tmp_path: Path):
    """As in a wheel: recipes within the package, no checkout around it."""
    site = tmp_path / "site"
    heavy = shutil.ignore_patterns("*.safetensors", "__pycache__")
    shutil.copytree(Path(inspect.getfile(build)).parent, site / "selfplay", ignore=heavy)
    shutil.copytree(recipes_folder(), site / "selfplay" / "recipes")
    done = subprocess.run(
        [sys.executable, "-m", "selfplay.configuration", SMALL],
        cwd=site,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "max_steps: 40" in done.stdout


def test_a_malformed_address_is_refused_without_repeating_it():
    with pytest.raises(RecipeError, match=r"^endpoint.url: .*double quotes") as refused:
        compose(["recipe=sqlm_small", "endpoint.url=http://me:se{cret@host/v1"])
    assert "cret" not in str(refused.value)
