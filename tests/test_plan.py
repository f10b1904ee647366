"""The plan against numbers worked by hand and against the real policy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selfplay import plan, shape
from selfplay.configuration import RecipeError, compose
from selfplay.plan import make_plan
from tests.tiny import tiny_base

SMALL = "recipe=sqlm_small"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("tiny base"))


def test_rows_and_tokens_of_one_window(base: Path):
    # 2 topic rows x 6 proposals = 12 questions of at most 16 tokens; each answered 8 times in at most 48 tokens.
    proposer, solver = make_plan(compose([SMALL, f"policy.base='{base}'"])).roles
    assert (proposer.role, proposer.rows, proposer.tokens) == ("proposer", 12, 192)
    assert (solver.role, solver.rows, solver.tokens) == ("solver", 96, 4608)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["policy.adapters=shared", "learner.kl=0.1"],
        ["policy.frozen=[proposer]", "policy.rank=3"],
        ["policy.targets=[q_proj,v_proj]"],
    ],
)
def test_planned_parameters_are_the_real_ones(base: Path, words: list[str]):
    from selfplay.configuration import build

    config = compose([SMALL, f"policy.base='{base}'", *words])
    planned = make_plan(config)
    policy = build(config, "policy", roles=["proposer", "solver"])
    real = {name: sum(p.numel() for _, p in policy.parameters_of(name)) for name in policy.adapters}
    assert planned.adapters == real
    learning = [p for p in policy.model.parameters() if p.requires_grad]
    assert planned.trainable == sum(p.numel() for p in learning)
    assert planned.parameters == sum(p.numel() for p in policy.base.parameters()) - planned.trainable


def test_the_papers_run_by_hand():
    planned = make_plan(compose(["recipe=sqlm_multiplication"]), world_size=4)
    # A block of Qwen2.5-3B: q and o 2048 -> 2048, k and v 2048 -> 256, gate, up and down 2048 <-> 11008; rank 32.
    per_block = 32 * (2 * (2048 + 2048) + 2 * (2048 + 256) + 3 * (2048 + 11008))
    assert planned.adapters == {"shared": 36 * per_block} == {"shared": 59_867_136}
    assert [role.rows for role in planned.roles] == [256, 1024]
    assert planned.roles[0].period == 5
    # 1024 solver rows over 4 processes and 8 updates are 32; at most 8 at once.
    assert (planned.updates_per_window, planned.micro_batches) == (8, 4)
    assert planned.memory["base weights"] == pytest.approx(3_085_938_688 * 2 / 2**30)
    assert planned.measurements == 1 + 103  # before, every 5th of 512, and after the last


def test_a_run_with_frozen_weights_by_hand(capsys: pytest.CaptureFixture[str]):
    config = compose(["recipe=ctx2skill_small", "game.tries=1"])
    planned = make_plan(config)
    rows = {role.role: role.rows for role in planned.roles}
    # 8 contexts: 5 rounds of 5 tasks, each a reply and its rubrics; 25 answers and 2 probes x 5 rounds x 5 versions.
    assert (rows["challenger"], rows["reasoner"], rows["judge"]) == (8 * 50, 8 * 75, 8 * 75)
    assert {role.learns for role in planned.roles} == {"never"}
    assert planned.memory["learning"] == 0
    assert planned.memory["generation"] > 0
    assert (planned.measurements, planned.texts_per_measurement) == (2, 6 * 40 * 36)  # six arms
    plan.show(config)
    shown = capsys.readouterr().out
    assert "no weight changes" in shown
    assert "optimizer step(s)" not in shown


@pytest.mark.parametrize("recipe", ["serl_qa", "serl_summarisation", "serl_writing"])
def test_serls_runs_by_hand(recipe: str):
    planned = make_plan(compose([f"recipe={recipe}"]), world_size=8)
    # A block of Qwen3-8B: q and o 4096 -> 4096, k and v 4096 -> 1024, gate, up and down 4096 <-> 12288; rank 32.
    per_block = 32 * (2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 12288))
    assert planned.adapters == {"shared": 36 * per_block} == {"shared": 87_293_952}
    # 16 prompts: 4 answers each; 6 pairs of answers, each judged 4 times.
    assert [(role.rows, role.new_tokens) for role in planned.roles] == [(64, 1024), (384, 2048)]
    assert planned.micro_batches == 12  # 384 judgments over 8 processes are 48; at most 4 at once
    assert (planned.steps, planned.measurements) == (5 * 5000 // 16, 0)


def test_a_base_out_of_reach_needs_a_shape():
    with pytest.raises(RecipeError, match=r"policy\.base=some/model .* needs policy\.shape"):
        make_plan(compose([SMALL, "policy.base=some/model"]))
    with pytest.raises(RecipeError, match=r"policy\.targets: 'query' is no projection; choose from q_proj"):
        make_plan(compose(["recipe=sqlm_multiplication", "policy.targets=[query]"]))


def test_a_scripted_run_plans_no_model():
    planned = make_plan(compose([SMALL, "debug=scripted"]))
    assert (planned.adapters, planned.parameters, planned.measurements) == ({}, 0, 0)
    assert {role.player for role in planned.roles} == {"script"}


def test_smaller_micro_batches_and_checkpointing_need_less(base: Path):
    def learning(*words: str) -> float:
        return make_plan(compose([SMALL, f"policy.base='{base}'", *words])).memory["learning"]

    assert learning("learner.rows_per_role=24") == pytest.approx(learning() / 4)
    assert learning("policy.checkpointing=true") < learning()


def test_the_merge_limit_is_the_samplers():
    from selfplay.samplers.hf import MERGE_UP_TO

    assert plan.MERGED_COPY_PARAMETERS == MERGE_UP_TO


def test_parameters_are_counted_from_the_files(base: Path):
    from transformers import AutoModelForCausalLM

    real = sum(p.numel() for p in AutoModelForCausalLM.from_pretrained(base).parameters())
    assert shape.shape_of_folder(base).parameters == real


@pytest.mark.parametrize("recipe", ["sqlm_multiplication", "sqlm_small debug=scripted", "serl_qa"])
def test_dry_run_prints_the_plan_and_loads_nothing(recipe: str):
    code = (
        "import sys; from selfplay.train import main; status = main(); "
        "assert not {'torch', 'datasets'} & set(sys.modules), 'a plan needs neither'; sys.exit(status)"
    )
    words = [f"recipe={recipe.split()[0]}", *recipe.split()[1:], "dry_run=true"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for part in (
        *(("actor", "judge") if recipe == "serl_qa" else ("proposer", "solver")),
        "Memory (GiB, estimated)",
        "nothing was trained",
    ):
        assert part in done.stdout
