"""What the learner stands on in TRL and transformers. An upgrade that moves any of it fails here first."""

import inspect

import pytest
import trl
from transformers import Trainer
from trl import GRPOConfig, GRPOTrainer

OURS = {  # hooks that SelfPlayTrainer overrides, with the parameters it relies on
    "get_train_dataloader": [],
    "get_batch_samples": ["epoch_iterator", "num_batches", "device"],
    "compute_loss": ["model", "inputs", "return_outputs", "num_items_in_batch"],
    "create_optimizer": ["model"],
    "train": ["resume_from_checkpoint"],
    "log": ["logs", "start_time"],
    "_prepare_inputs": ["generation_batch"],
    "_save_checkpoint": ["model", "trial"],
    "_load_from_checkpoint": ["resume_from_checkpoint", "model"],
    "_get_per_token_logps_and_entropies": ["model", "input_ids", "attention_mask", "logits_to_keep"],
}
CALLED = ("_save_optimizer_and_scheduler", "_save_rng_state", "get_optimizer_cls_and_kwargs", "remove_callback")
KEYS = ("prompt_ids", "prompt_mask", "completion_ids", "completion_mask", "advantages", "num_items_in_batch",
        "old_per_token_logps", "ref_per_token_logps")  # fmt: skip


def test_the_minor_version_is_the_one_we_read():
    assert trl.__version__.startswith("1.16.")


@pytest.mark.parametrize("name", sorted(OURS))
def test_hooks_take_what_we_hand_them(name):
    parameters = list(inspect.signature(getattr(GRPOTrainer, name)).parameters)
    assert parameters[1 : 1 + len(OURS[name])] == OURS[name]


@pytest.mark.parametrize("name", CALLED)
def test_names_we_call_exist(name):
    assert callable(getattr(Trainer, name))


@pytest.mark.parametrize("key", KEYS)
def test_the_loss_reads_the_keys_we_write(key):
    assert f'"{key}"' in inspect.getsource(GRPOTrainer._compute_loss)


def test_the_loss_scales_itself_for_accumulation():
    assert GRPOTrainer.loss_is_scaled_for_ga is True


def test_beta_and_metrics_are_read_at_call_time():
    source = inspect.getsource(GRPOTrainer._compute_loss)
    assert "self.beta" in source
    assert "self._metrics[mode]" in source


def test_token_normalised_losses_divide_by_what_we_pass():
    """dapo on two rows of known log-probabilities: the sum over tokens / num_items_in_batch."""
    source = inspect.getsource(GRPOTrainer._compute_loss)
    assert 'inputs["num_items_in_batch"].clamp(min=1.0) / self.accelerator.num_processes' in source


def test_defaults_that_we_switch_off_are_still_there():
    fields = GRPOConfig.__dataclass_fields__
    for name in ("gradient_checkpointing", "ddp_find_unused_parameters", "beta", "steps_per_generation"):
        assert name in fields
