"""Checkpoints: whole or absent, and a resume that nobody can tell from a run without a break."""

import errno
import json

import pytest
import torch

from selfplay.learner import checkpoints
from selfplay.learner.checkpoint_names import CheckpointError, latest_checkpoint, whole_checkpoints
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


@pytest.mark.parametrize(("kl", "updates"), [(0.0, 1), (0.1, 1), (0.1, 2)])
def test_a_resume_is_bit_exact(base, tmp_path, kl, updates):
    settings = {"kl": kl, "updates_per_window": updates, "lr_scheduler": "linear", "max_grad_norm": 1.0}
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
