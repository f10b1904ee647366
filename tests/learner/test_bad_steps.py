"""A NaN on any process: the step is skipped on all of them as if its window had never been, and its rows are kept."""

import json
import os
import subprocess
import sys

import pytest
import torch

from selfplay.learner.bad_steps import TooManyBadSteps
from selfplay.learner.batches import Share
from selfplay.learner.checkpoint_names import whole_checkpoints
from selfplay.policy import Policy
from tests.learner.harness import ROLES, FixedGame, make_trainer
from tests.tiny import tiny_base

PLAIN = {"max_steps": 4, "micro_batches": 2, "kl": {"proposer": 0.3, "solver": 0.1}, "max_grad_norm": 1.0}
SOLVER = Share("solver", "reinforce")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


def trained(base, folder, poisoned=(), missing=(), resume=None, **settings):
    """Train on FixedGame; windows ``poisoned`` hold a NaN advantage on the last rank, ``missing`` are never played."""
    policy = Policy.build(base=str(base), roles=ROLES, rank=4, alpha=8, seed=0)
    trainer = make_trainer(policy, folder, game=FixedGame(policy.model.config.vocab_size), **{**PLAIN, **settings})
    window, batches = trainer.arena.seeds.window, trainer.get_batch_samples
    numbers = [number for number in range(20) if number not in missing]
    trainer.arena.seeds.window = lambda number, *ranks: window(numbers[number], *ranks)

    def get_batch_samples(*args):
        update, items = batches(*args)
        if trainer.windows in poisoned and trainer.args.process_index == trainer.args.world_size - 1:
            update[1][SOLVER]["advantages"][0] = torch.nan
        return update, items

    trainer.get_batch_samples = get_batch_samples
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def values(trainer):
    return {name: p.detach() for adapter in ROLES for name, p in trainer.policy.parameters_of(adapter)}


def assert_equal(found, expected):
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_bad_step_changes_nothing_that_follows(base, tmp_path):
    disturbed = trained(base, tmp_path / "a", poisoned=(1,))
    expected = trained(base, tmp_path / "b", missing=(1,), max_steps=3)
    assert_equal(values(disturbed), values(expected))
    moments, kept = (trainer.optimizer.state_dict()["state"] for trainer in (disturbed, expected))
    assert all(torch.equal(moments[key]["exp_avg"], state["exp_avg"]) for key, state in kept.items())
    assert disturbed.state.global_step == 4


def test_the_rows_of_a_bad_step_are_kept_and_readable(base, tmp_path):
    trained(base, tmp_path, poisoned=(1,))
    (folder,) = (tmp_path / "bad_steps").iterdir()
    dump = torch.load(folder / "rank-0.pt", weights_only=False)
    told = json.loads((folder / "rank-0.json").read_text())
    assert folder.name == "step-000002"
    assert [one["share"] for one in dump["micro_batches"]] == [(role, "reinforce") for role in ROLES] * 2
    assert dump["micro_batches"][3]["rows"]["completion_ids"].shape == dump["micro_batches"][3]["logprobs"].shape
    assert told["bad_rows"] == [[], [], [], [0]]
    assert told["turns"][0]["rewards"]["luck"] > 0


def test_several_in_a_row_end_the_run_with_a_checkpoint_of_the_last_good_state(base, tmp_path):
    trainer = trained(base, tmp_path, poisoned=(1, 3, 4), max_steps=9, bad_steps=2, save_every=1)
    assert trainer.state.global_step == 5  # the good step between them began the count anew
    *_, saved = whole_checkpoints(tmp_path / "checkpoints")
    assert [path.name for path in whole_checkpoints(tmp_path / "checkpoints")] == ["step-000003", "step-000005"]
    with pytest.raises(TooManyBadSteps, match=r"learner.bad_steps=2.*bad_steps.*step-000005") as told:
        trainer.bad_steps.complain(saved)
    assert "\n" not in str(told.value)
    assert all(value.isfinite().all() for value in values(trainer).values())


def test_the_count_survives_a_resume_and_no_dump_is_overwritten(base, tmp_path):
    trained(base, tmp_path, poisoned=(1,), max_steps=2)
    before = (tmp_path / "bad_steps" / "step-000002" / "rank-0.pt").read_bytes()
    resumed = trained(
        base, tmp_path, poisoned=(1, 2), max_steps=9, bad_steps=2, resume=str(tmp_path / "checkpoints/step-000002")
    )
    assert resumed.state.global_step == 3
    trained(base, tmp_path, poisoned=(1,), max_steps=2)
    names = {path.name for path in (tmp_path / "bad_steps" / "step-000002").glob("*.pt")}
    assert names == {"rank-0.pt", "rank-0.1.pt"}
    assert (tmp_path / "bad_steps" / "step-000002" / "rank-0.pt").read_bytes() == before


def test_a_reward_that_is_no_number_teaches_nothing_and_is_named(base, tmp_path):
    policy = Policy.build(base=str(base), roles=ROLES, rank=4, alpha=8, seed=0)
    game = FixedGame(policy.model.config.vocab_size)
    original = game._turns

    def broken(seed):
        turns = original(seed)
        turns[-1].rewards = {"luck": float("nan")}
        return turns

    game._turns = broken
    trainer = make_trainer(policy, tmp_path, game=game, max_steps=1)
    said = []
    trainer.journal.warn = lambda step, warning: said.append(warning)
    trainer.train()
    assert said == ["the reward 'luck' of the solver was nan in 2 turns, which teach nothing; mend the game."]
    assert not (tmp_path / "bad_steps").exists()


def test_a_nan_on_one_of_two_processes_is_skipped_on_both(base, tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command = [*launcher, "-m", "tests.learner.test_bad_steps", str(base), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    assert_equal(*(torch.load(tmp_path / f"{name}.pt") for name in ("poisoned", "missing")))
    assert {path.name for path in (tmp_path / "a" / "bad_steps" / "step-000002").glob("*.pt")} == {
        "rank-0.pt",
        "rank-1.pt",
    }


if __name__ == "__main__":
    from pathlib import Path

    from selfplay.learner.ranks import end_processes, start_processes

    start_processes()
    folder = Path(sys.argv[2])
    for name, run, settings in (
        ("poisoned", "a", {"poisoned": (1,)}),
        ("missing", "b", {"missing": (1,), "max_steps": 3}),
    ):
        trainer = trained(sys.argv[1], folder / run, **settings)
        if trainer.args.process_index == 0:
            torch.save(values(trainer), folder / f"{name}.pt")
    end_processes()
