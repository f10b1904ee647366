"""The recipe's precision decides; a launch config that says otherwise is refused in one line."""

import pytest
import torch

from selfplay.learner.arguments import training_arguments
from selfplay.learner.batches import Share
from selfplay.policy import Policy
from tests.learner.harness import ROLES, make_trainer
from tests.tiny import tiny_base


@pytest.mark.parametrize(("dtype", "bf16"), [("float32", False), ("bfloat16", True), ("auto", False)])
@pytest.mark.parametrize("launched", [None, "no"])
def test_the_recipe_decides_the_precision(tmp_path, monkeypatch, dtype, bf16, launched):
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    if launched:
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", launched)
    assert training_arguments(str(tmp_path), max_steps=1, seed=0, dtype=dtype).bf16 is bf16


def test_a_launch_config_may_agree_but_not_contradict(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    assert training_arguments(str(tmp_path), max_steps=1, seed=0, dtype="bfloat16").bf16
    with pytest.raises(ValueError, match=r"policy\.dtype=float32, but the launch config says mixed_precision: bf16"):
        training_arguments(str(tmp_path), max_steps=1, seed=0, dtype="float32")


def test_deepspeed_wants_a_type_it_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    with pytest.raises(ValueError, match=r"policy\.dtype=auto cannot be trained under DeepSpeed"):
        training_arguments(str(tmp_path), max_steps=1, seed=0, dtype="auto")


def test_counts_and_log_probabilities_are_not_rounded_on_their_way_to_the_device(tmp_path):
    """transformers' own device move casts every float to the engine's type under DeepSpeed."""
    policy = Policy.build(str(tiny_base(tmp_path / "base")), ROLES, rank=2, alpha=4)
    trainer = make_trainer(policy, tmp_path)
    trainer.is_deepspeed_enabled = True
    rows = {"num_items_in_batch": torch.tensor(4097.0), "old_per_token_logps": torch.tensor([[-10.01]])}
    moved = trainer._prepare_inputs({Share("solver", "reinforce"): rows})[Share("solver", "reinforce")]
    assert all(torch.equal(moved[name], rows[name]) and moved[name].dtype == torch.float32 for name in rows)
