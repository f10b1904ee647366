"""The recipe's ``learner`` keys as TRL's GRPOConfig: what TRL decides for us, and what must stay off.

Defaults of TRL that are turned off, because they are wrong for several roles on one base: gradient checkpointing (its
recomputation would wear the last role's adapter for all; the Policy does it itself), ``ddp_find_unused_parameters``,
``beta`` (it would look for an adapter called "default"; the trainer sets it per role), bf16 on a CPU.
"""

from __future__ import annotations

import os
from typing import Any

import torch
from trl.trainer.grpo_config import GRPOConfig

from selfplay.learner.normalisation import LOSS_TYPES


def training_arguments(
    output_dir: str,
    max_steps: int,
    seed: int,
    temperature: float = 1.0,
    loss_type: str = "dapo",
    epsilon: float = 0.2,
    micro_batches: int = 1,
    max_grad_norm: float = 1.0,
    weight_decay: float = 0.01,
    lr_scheduler: str = "constant",
    warmup_steps: int = 0,
    save_every: int = 10,
    dtype: str = "float32",
    unbiased_kl: bool = False,
    max_completion_length: int = 1024,
    **more: Any,
) -> GRPOConfig:
    """A GRPOConfig for SelfPlayTrainer.

    Args:
        temperature: of the sampler; the learner scores tokens under the distribution they were drawn from.
        loss_type: one of TRL's; see ``selfplay.learner.normalisation``.
        epsilon: clip range, used only when a window feeds several updates.
        micro_batches: forward and backward passes per optimizer step (gradient accumulation).
        dtype: of the base, as in ``policy.dtype``; bfloat16 computes in bf16, whatever the launch config says.
        unbiased_kl: weigh the KL term by the importance ratio, whose gradient counts even where it is 1
            (DeepSeek-V3.2, arXiv 2512.02556; TRL's own default). Off is the plain k3 term of GRPO and of SQLM.
        max_completion_length: divisor of ``dr_grpo``; nothing else reads it.
        more: further fields of GRPOConfig, by their own names.

    Raises:
        ValueError: a loss type that TRL does not have, or a precision that the launch config contradicts.
    """
    if loss_type not in LOSS_TYPES:
        raise ValueError(f"learner.loss_type={loss_type!r} is unknown; choose one of {', '.join(sorted(LOSS_TYPES))}.")
    _check_precision(dtype)
    return GRPOConfig(
        output_dir=output_dir,
        max_steps=max_steps,
        seed=seed,
        temperature=temperature,
        loss_type=loss_type,
        epsilon=epsilon,
        gradient_accumulation_steps=micro_batches,
        max_grad_norm=max_grad_norm,
        weight_decay=weight_decay,
        lr_scheduler_type=lr_scheduler,
        warmup_steps=warmup_steps,
        save_strategy="steps",  # and, whatever the number, after the last step
        save_steps=save_every or max_steps,
        bf16=dtype == "bfloat16",
        fp16=False,
        max_completion_length=max_completion_length,
        use_bias_correction_kl=unbiased_kl,
        use_cpu=not torch.cuda.is_available(),
        num_generations=2,  # TRL's own grouping is unused, but it insists on two
        per_device_train_batch_size=2,
        gradient_checkpointing=False,
        ddp_find_unused_parameters=False,
        ddp_broadcast_buffers=False,  # constants; DDP would send them before each of a step's several forward passes
        beta=0.0,
        eval_strategy="no",
        logging_steps=1,
        logging_nan_inf_filter=False,  # a NaN must be seen
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        **more,
    )


def _check_precision(dtype: str) -> None:
    """The recipe decides the precision; transformers would let a launch config turn a float32 run into a bf16 one, and
    DeepSpeed stops at weights of a type that it was not told of."""
    launched = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if launched != "no" and (launched, dtype) != ("bf16", "bfloat16"):
        raise ValueError(
            f"policy.dtype={dtype}, but the launch config says mixed_precision: {launched}; write mixed_precision: "
            '"no" there (policy.dtype decides), or set policy.dtype=bfloat16.'
        )
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "false") == "true" and dtype not in ("float32", "bfloat16"):
        raise ValueError(f"policy.dtype={dtype} cannot be trained under DeepSpeed; choose float32 or bfloat16.")
