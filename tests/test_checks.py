"""Mistakes that are known before a model is loaded: one line, exit status 2, and torch not even imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selfplay.checks import check, has_model, micro_batches, players, rows_per_update
from selfplay.configuration import RecipeError, build, compose, recipe_names

SMALL = "recipe=sqlm_small"


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_passes(name: str):
    check(compose([f"recipe={name}", *own_words(name)]))


def own_words(name: str) -> list[str]:
    """What no recipe can know."""
    launch = Path(__file__).parents[1] / "launch"
    asked = [f"domain.path={launch}", "endpoint.url=http://localhost:8000/v1", "endpoint.model=m"]
    return asked if name == "ctx2skill" else []


def test_what_a_recipe_cannot_know_is_asked_for():
    with pytest.raises(RecipeError, match=r"^domain\.path is not given, and has no default; add domain\.path=\.\.\.$"):
        check(compose(["recipe=ctx2skill"]))


def test_each_document_is_visited_once(tmp_path: Path):
    for name in ("a.md", "b.txt", "picture.png", ".hidden.md"):
        (tmp_path / name).write_text("text")
    (tmp_path / "folder").mkdir()
    assert compose(["recipe=ctx2skill", f"domain.path={tmp_path}"]).max_steps == 2
    (tmp_path / "folder" / "c.md").write_text("text")
    assert compose(["recipe=ctx2skill", f"domain.path={tmp_path}"]).max_steps == 3
    assert compose(["recipe=ctx2skill", f"domain.path={tmp_path}/none"]).max_steps == 1


@pytest.mark.parametrize(
    ("words", "windows", "visited"),
    [
        (["seeds.per_window=2"], 2, 4),
        (["seeds.per_window=3"], 2, 4),  # of the second window's seeds one alone is played
        (["seeds.per_window=8"], 1, 4),
        (["domain.held_out_share=0.5"], 2, 2),
        (["domain.held_out_share=0.5", "game.split=held_out", "seeds.per_window=2"], 1, 2),
        (["seeds.per_window=2", "game.visits=null", "max_steps=4"], 4, 8),
    ],
)
def test_no_document_is_paid_for_twice(tmp_path: Path, words, windows, visited):
    for name in ("a.md", "b.md", "c.md", "g.md"):  # by the hashes of their names two of each split
        (tmp_path / name).write_text("text")
    asked = ["players=endpoint", "endpoint.url=http://localhost:8000/v1", "endpoint.model=m"]
    config = compose(["recipe=ctx2skill", f"domain.path={tmp_path}", *asked, *words])
    check(config)
    game, limits = build(config, "game"), dict.fromkeys(build(config, "game").roles, 10)
    assert config.max_steps == windows
    calls = game.budget(config.max_steps * config.seeds.per_window, limits)["challenger"].calls
    assert calls == visited * game.set.rounds


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["max_steps=3"], r"^max_steps=3: game\.visits=1 to each of 2 contexts are over before; set max_steps=2, or"),
        (["max_steps=2", "seeds.per_window=2"], r"set max_steps=1, or game\.visits=null"),
        (["game.carry=true", "seeds.per_window=3"], r"^game\.carry=true: with seeds\.per_window=3 .* 2 contexts twice"),
        (["game.carry=maybe"], r"^game\.carry='maybe': must be true or false"),
        (["game.carry=2"], r"^game\.carry=2: must be true or false"),
        (["game.merged=no"], r"^game\.merged='no': must be true or false"),
        (["game.no_skill=null"], r"^game\.no_skill=None: must be true or false"),
        (["game.visits=0"], r"^game\.visits=0: must be a whole number from 1"),
        (["domain.path="], r"^domain\.path is empty; give a folder"),
    ],
)
def test_visits_that_cannot_be_are_one_line(tmp_path: Path, words, line):
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("text")
    asked = ["endpoint.url=http://localhost:8000/v1", "endpoint.model=m"]
    with pytest.raises(RecipeError, match=line):
        check(compose(["recipe=ctx2skill", f"domain.path={tmp_path}", *asked, *words]))


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["learner.lr=fast"], ["learner.lr='fast'", "a number above 0"]),
        (["learner.lr=0"], ["learner.lr=0"]),
        (["learner.lr=-1e-3"], ["learner.lr=-0.001"]),
        (["learner.lr=nan"], ["learner.lr=nan"]),
        (["learner.kl.solver=-1"], ["learner.kl={'proposer': 0.1, 'solver': -1}"]),
        (["learner.kl={solver: 1}", "~learner.kl.proposer"], ["learner.kl has no value for the role 'proposer'"]),
        (["learner.loss_mix=rmp"], ["learner.loss_mix='rmp' must be sum, ramp or a number from 0 for each role"]),
        (["learner.loss_mix={proposer:-1,solver:1}"], ["learner.loss_mix={'proposer': -1", "a number from 0"]),
        (["learner.loss_mix={solver:1}"], ["learner.loss_mix has no value for the role 'proposer'"]),
        (["learner.loss_mix={proposer:1,slover:1}"], ["learner.loss_mix.slover", "did you mean solver"]),
        (["learner.loss_mix={proposer:0,solver:0}"], ["learner.loss_mix=", "leaves no role to learn"]),
        (["learner.loss_mix={proposer:0,solver:1}", "policy.frozen=[solver]"], ["leaves no role to learn"]),
        (["learner.loss_mix=ramp", "policy.frozen=[solver]"], ["learner.loss_mix=ramp leaves no role to learn"]),
        (["max_steps=2.5"], ["max_steps=2.5", "whole number from 1"]),
        (["max_steps=true"], ["max_steps=True"]),
        (["seed="], ["seed=''"]),
        (["seeds.per_window=0"], ["seeds.per_window=0"]),
        (["seeds.topics=[]"], ["seeds.topics=[]", "[addition]"]),
        (["seeds.topics=addition"], ["seeds.topics='addition'", "[addition]"]),
        (["seeds.topics=[' ']"], ["seeds.topics=[' ']"]),
        (["seeds=3"], ["seeds.per_window=null"]),
        (["dry_run=maybe"], ["dry_run='maybe'", "true or false"]),
        (["run_name=../elsewhere"], ["run_name='../elsewhere'", "folder name"]),
        (["game.answers=1"], ["game.answers=1"]),
        (["game.proposals=1"], ["group of role 'proposer' holds 1 turn", "learner.baseline=role_ema"]),
        (["game.band=papr"], ["game.band='papr'"]),
        (["learner.rows_per_role=7"], ["learner.rows_per_role=7 does not divide the 96 solver rows", "try 6"]),
        (["learner.updates_per_window=5"], ["learner.updates_per_window=5 does not divide the 96", "try 4"]),
        (["players.judge=human"], ["players.judge"]),
        (["players=robot"], ["players='robot'", "model, script, human"]),
        (["policy.frozen=[judge]"], ["policy.frozen=['judge']", "no role 'judge'"]),
        (["policy.frozen=[proposer,solver]"], ["leave no role to learn"]),
        (["policy.adapters=shared", "learner.lr={proposer: 1e-4, solver: 1e-3}"], ["adapters=shared", "one number"]),
        (["policy.base=/no/such/folder"], ["policy.base=/no/such/folder", "config.json cannot be read"]),
        (["policy.base=smal"], ["policy.base=smal", "small"]),
        (["resume_allow=lr"], ["resume_allow='lr'", "a list of keys"]),
        (["resume_allow=[learner.lrr]"], ["learner.lrr is not a key of this recipe", "did you mean learner.lr"]),
        (["resume_allow=[proceses]"], ["did you mean processes"]),
        (["learner.keep_best=yardstick/arithmetics/pass@1"], ["no metric of this", "mean yardstick/arithmetic/pass@1"]),
        (["learner.keep_best=duel/base/losses"], ["no metric of this recipe", "duel/base/win_rate"]),
        (["learner.keep_best=duel/base/win_rate", "evaluation.duel=false"], ["no metric of this recipe"]),
        (["learner.keep_best=yardstick/arithmetic/pass@1", "evaluation.every=0"], ["nothing is measured"]),
        (["sampler.truncate=end"], ["sampler.truncate='end' must be start or middle"]),
        (["sampler.temperature=0"], ["sampler.temperature=0"]),
        (["sampler.max_new_tokens.solver=0"], ["sampler.max_new_tokens"]),
    ],
)
def test_a_mistake_is_one_line(words: list[str], parts: list[str]):
    with pytest.raises(RecipeError) as caught:
        check(compose([SMALL, *words]))
    line = str(caught.value)
    assert "\n" not in line
    for part in parts:
        assert part in line


def test_what_may_be_kept_and_allowed():
    check(compose([SMALL, "learner.keep_best=yardstick/arithmetic/maj@8", "resume_allow=[learner,seed,processes]"]))
    check(compose([SMALL, "learner.keep_best=duel/base/win_rate"]))


def test_the_losses_may_be_mixed_otherwise():
    for word in ("ramp", "{proposer:0,solver:1}"):
        check(compose([SMALL, f"learner.loss_mix={word}"]))


def test_a_base_folder_must_be_readable(tmp_path: Path):
    (tmp_path / "config.json").write_text("{broken")
    with pytest.raises(RecipeError, match="not JSON"):
        check(compose([SMALL, f"policy.base='{tmp_path}'"]))


def test_seeds_must_divide_over_the_processes():
    config = compose([SMALL])
    check(config, world_size=2)
    with pytest.raises(RecipeError, match=r"seeds\.per_window=2 does not divide over 3 processes; try .*=3"):
        check(config, world_size=3)


def test_micro_batches_hold_at_most_so_many_rows_of_a_role():
    # 2 rows x 6 proposals x 8 answers: 12 proposer rows and 96 solver rows in a window.
    assert rows_per_update(compose([SMALL]), build(compose([SMALL]), "game")) == {"proposer": 12, "solver": 96}
    assert micro_batches(compose([SMALL])) == 1
    assert micro_batches(compose([SMALL, "learner.rows_per_role=24"])) == 4
    assert micro_batches(compose([SMALL, "learner.rows_per_role=24"]), world_size=2) == 2
    assert micro_batches(compose([SMALL, "learner.rows_per_role=24", "learner.updates_per_window=2"])) == 2
    assert micro_batches(compose([SMALL, "learner.rows_per_role=500"])) == 1


def test_roles_that_never_learn_need_no_groups_and_no_batches():
    frozen = ["recipe=ctx2skill_small", "game.tasks=1", "game.rounds=1", "game.select=1", "game.tries=1"]
    config = compose([*frozen, "learner.rows_per_role=7", "learner.updates_per_window=3"])
    assert build(config, "game").rows_per_seed["reasoner"] == 1
    check(config)
    assert rows_per_update(config, build(config, "game")) == {}
    assert micro_batches(config) == 1
    with pytest.raises(RecipeError, match=r"^learner\.updates_per_window=3 does not divide the 16 reasoner rows"):
        check(compose([*frozen, "game.answers=2", "game.learns=[reasoner]", "learner.updates_per_window=3"]))


def test_who_plays():
    config = compose([SMALL, "players={solver: human}"])
    game = build(config, "game")
    assert players(config, game) == {"proposer": "model", "solver": "human"}
    assert not has_model(compose([SMALL, "debug=scripted"]), game)


def test_the_verb_ends_with_status_2_before_torch_is_imported():
    code = (
        "import sys; from selfplay.checks import main; sys.argv = ['checks', *sys.argv[1:]]; status = main(); "
        "assert 'torch' not in sys.modules; sys.exit(status)"
    )
    command = [sys.executable, "-c", code, SMALL]
    good = subprocess.run(command, capture_output=True, text=True)
    bad = subprocess.run([*command, "learner.lrr=1"], capture_output=True, text=True)
    assert (good.returncode, good.stderr) == (0, "")
    assert bad.returncode == 2
    assert bad.stderr.startswith("selfplay: learner.lrr ")
    assert bad.stderr.count("\n") == 1
