"""Log-probabilities of given continuations: each prompt once through the model, its cache shared by all choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from selfplay.samplers.decode import Runner


@torch.no_grad()
def score_choices(
    model: Any, prompts_U: Sequence[list[int]], choices_C: Sequence[list[int]], pad_id: int
) -> list[list[float]]:
    """Nats, summed over the tokens of each choice: ``scores_U_C``. An empty choice is certain: 0.

    Args:
        prompts_U: token ids, left whole.
        choices_C: token ids of each continuation.
    """
    device = next(model.parameters()).device
    prompts, choices = len(prompts_U), len(choices_C)
    width = max(len(ids) for ids in choices_C)
    if width == 0:
        return [[0.0] * choices for _ in prompts_U]
    prompt_of_R = torch.arange(prompts, device=device).repeat_interleave(choices)
    runner = Runner(model, prompts_U, prompt_of_R, pad_id)
    ids_C_T = torch.tensor([[*ids, *[pad_id] * (width - len(ids))] for ids in choices_C], device=device)
    mask_C_T = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in choices_C], device=device)
    ids_R_T, mask_R_T = ids_C_T.repeat(prompts, 1), mask_C_T.repeat(prompts, 1)
    logits_R_T_V = runner.logits[:, None]
    if width > 1:
        later = runner.extend(ids_R_T[:, :-1], mask_R_T[:, :-1], keep=width - 1)
        logits_R_T_V = torch.cat([logits_R_T_V, later], dim=1)
    logprobs_R_T = torch.log_softmax(logits_R_T_V.float(), dim=-1).gather(-1, ids_R_T[..., None]).squeeze(-1)
    logprobs_R_T = logprobs_R_T.where(mask_R_T.bool(), 0.0)
    return logprobs_R_T.sum(-1).reshape(prompts, choices).tolist()
