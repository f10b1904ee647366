"""Checkpoints: whole or absent, and a resume that nobody can tell from a run without a break."""

import errno
import json
from pathlib import Path

import pytest
import torch
from transformers import TrainerCallback

from selfplay.learner import checkpoints
from selfplay.learner.checkpoint_names import CheckpointError, latest_checkpoint, whole_checkpoints
from selfplay.learner.loss_mix import LossMix
from selfplay.policy import Policy
from tests.learner.harness import ROLES, FixedGame, make_trainer
from tests.tiny import tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


def trainer_of(base, folder, **settings):
    policy = Policy.build(base=str(base), roles=ROLES, rank=4, alpha=8, seed=0)
    game = FixedGame(policy.model.config.vocab_size, periods={"proposer": 2})
    return make_trainer(policy, folder, game=game, weight_decay=0.01, **settings)


def values(trainer):
    policy = trainer.policy
    return {name: p.detach().clone() for adapter in policy.adapters for name, p in policy.parameters_of(adapter)}


@pytest.mark.parametrize(("kl", "updates", "mix"), [(0.0, 1, "sum"), (0.1, 1, "sum"), (0.1, 2, "ramp")])
def test_a_resume_is_bit_exact(base, tmp_path, kl, updates, mix):
    settings = {"kl": kl, "updates_per_window": updates, "lr_scheduler": "linear", "max_grad_norm": 1.0}
    settings["mix"] = LossMix(ROLES, windows=4, mix=mix)
    unbroken = trainer_of(base, tmp_path / "a", max_steps=4 * updates, **settings)
    unbroken.train()

    first = trainer_of(base, tmp_path / "b", max_steps=4 * updates, save_every=2 * updates, **settings)
    first.train()
    halfway = whole_checkpoints(tmp_path / "b" / "checkpoints")[0]
    assert json.loads((halfway / "state.json").read_text())["step"] == 2 * updates
    resumed = trainer_of(base, tmp_path / "b", max_steps=4 * updates, **settings)
    resumed.train(resume_from_checkpoint=str(halfway))

    expected, found = values(unbroken), values(resumed)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert resumed.arena.game.memory == unbroken.arena.game.memory == list(range(8))


def test_the_oldest_checkpoints_go(base, tmp_path):
    trainer_of(base, tmp_path, max_steps=4, save_every=1, keep_checkpoints=2).train()
    assert [path.name for path in whole_checkpoints(tmp_path / "checkpoints")] == ["step-000003", "step-000004"]


def test_an_allowed_change_of_rate_and_decay_takes_effect(base, tmp_path):
    """The optimizer and the scheduler of a checkpoint bring the old ones along."""
    settings = {"lr_scheduler": "linear", "max_steps": 4}
    trainer_of(base, tmp_path, save_every=2, **settings).train()
    folder = str(whole_checkpoints(tmp_path / "checkpoints")[0])
    resumed = trainer_of(base, tmp_path, lr=4e-2, **settings)
    resumed.args.weight_decay = 0.5
    seen = []

    class Rates(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, **_):
            seen.append([(group["lr"], group["weight_decay"]) for group in resumed.optimizer.param_groups])

    resumed.add_callback(Rates())
    resumed.train(resume_from_checkpoint=folder)
    assert seen == [[(pytest.approx(2e-2), 0.5)] * 2, [(0.0, 0.5), (pytest.approx(1e-2), 0.5)]]  # the proposer rests


@pytest.mark.parametrize("state", [{"asked": {1: "a"}}, {"asked": {1, 2}}, {"asked": torch.zeros(1)}])
def test_a_memory_that_would_come_back_as_something_else_is_refused_by_name(base, tmp_path, state):
    trainer = trainer_of(base, tmp_path, max_steps=1)
    trainer.arena.game.state_dict = lambda: state
    with pytest.raises(CheckpointError, match="the state of game cannot be kept"):
        trainer.train()
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_adapters_of_another_rank_are_refused_in_one_line(base, tmp_path):
    trainer_of(base, tmp_path, max_steps=1).train()
    policy = Policy.build(base=str(base), roles=ROLES, rank=2, alpha=8, seed=0)
    other = make_trainer(policy, tmp_path / "other", max_steps=2)
    with pytest.raises(CheckpointError, match=r"cannot be resumed: .* r=4, this policy r=2"):
        other.train(resume_from_checkpoint=str(latest_checkpoint(tmp_path / "checkpoints")))


@pytest.mark.parametrize("part", ["optimizer.pt", "rng_state.pth"])
def test_a_file_that_reads_back_differently_is_no_checkpoint(base, tmp_path, monkeypatch, part):
    """torch.load itself does not notice a changed byte."""
    original = torch.save

    def damaged(value, path, **more):
        original(value, path, **more)
        if Path(path).name == part:
            tensor = value["cpu"] if part == "rng_state.pth" else value["state"][0]["exp_avg"]
            data = bytearray(Path(path).read_bytes())
            data[data.index(tensor.numpy().tobytes())] ^= 1
            Path(path).write_bytes(data)

    monkeypatch.setattr(torch, "save", damaged)
    with pytest.raises(CheckpointError, match=f"{part} reads back differently"):
        trainer_of(base, tmp_path, max_steps=1).train()


def test_nothing_that_the_run_did_not_write_is_pruned(base, tmp_path):
    parent = tmp_path / "checkpoints"
    strangers = ["step-7", "step-000001.1", "step-000002-best", "mine"]
    for name in strangers:
        (parent / name).mkdir(parents=True)
        (parent / name / "manifest.json").write_text('{"files": {}}')
    (parent / "step-000000").symlink_to(parent / "mine")
    trainer_of(base, tmp_path, max_steps=2, save_every=1, keep_checkpoints=1).train()
    assert sorted(path.name for path in parent.iterdir()) == sorted([*strangers, "step-000000", "step-000002"])


TORCH_SAYS = "[enforce fail at inline_container.cc:672] . unexpected pos 72064 vs 71956"  # on a full disk


@pytest.mark.parametrize("refusal", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError(TORCH_SAYS)])
def test_a_full_disk_leaves_the_last_whole_checkpoint(base, tmp_path, monkeypatch, refusal):
    trainer = trainer_of(base, tmp_path, max_steps=4, save_every=1)
    original = trainer._save_optimizer_and_scheduler

    def full_after_two(folder):
        if trainer.state.global_step > 2:
            raise refusal
        original(folder)

    monkeypatch.setattr(trainer, "_save_optimizer_and_scheduler", full_after_two)
    line = r"checkpoint of step 3 .*(No space left|disk took no more).*the last whole one is .*000002"
    with pytest.raises(CheckpointError, match=line):
        trainer.train()
    parent = tmp_path / "checkpoints"
    assert latest_checkpoint(parent).name == "step-000002"
    assert not [path for path in parent.iterdir() if path.name.startswith(".")]


def test_a_torn_state_is_refused_in_one_line(base, tmp_path):
    trainer_of(base, tmp_path, max_steps=1, save_every=1).train()
    folder = latest_checkpoint(tmp_path / "checkpoints")
    (folder / "state.json").write_text('{"game": ')
    with pytest.raises(CheckpointError, match="not a whole checkpoint"):
        checkpoints.load(trainer_of(base, tmp_path), folder)


def test_saved_adapters_load_with_plain_peft(base, tmp_path):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    trainer = trainer_of(base, tmp_path, max_steps=2, save_every=2)
    trainer.train()
    folder = latest_checkpoint(tmp_path / "checkpoints") / "adapters" / "solver"
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)
    ids = torch.arange(5, 20)[None]
    trainer.policy.wear("solver")
    trainer.model.eval()
    assert torch.allclose(plain(ids).logits, trainer.model(ids).logits, atol=1e-6)
