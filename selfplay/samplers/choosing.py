"""One of several given replies, drawn by its probability: what a sampler that may say nothing else would say.

    prompts_N + what all choices begin with --one forward--> probabilities of the tokens that decide --> turns_N_G

Every prompt goes through the model once, however often it is drawn from, and no token is generated. Suffixes: ``_N``
prompts, ``_U`` distinct prompts, ``_C`` choices, ``_G`` draws.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from selfplay.types import Prompt, Turn


@dataclass(frozen=True)
class Parting:
    """Where the choices part: the tokens before, which all have, and the one token that decides for each.

    What follows that token is given by it and is not weighed: the brace that closes a box, an end token.
    """

    shared: list[int]
    deciding_C: list[int]


def parting(choices: Sequence[str], ids_C: Sequence[Sequence[int]]) -> Parting:
    """The one place at which the token ids of the choices part.

    Raises:
        ValueError: fewer than two choices, or choices that do not part at one token.

    >>> parting(["[1]", "[2]"], [[7, 1, 8], [7, 2, 8]])
    Parting(shared=[7], deciding_C=[1, 2])
    """
    if len(choices) < 2:
        raise ValueError(f"choices={list(choices)}: give two or more to choose from.")
    at = 0
    while all(len(ids) > at for ids in ids_C) and len({ids[at] for ids in ids_C}) == 1:
        at += 1
    deciding_C = [ids[at] for ids in ids_C if len(ids) > at]
    if len(set(deciding_C)) < len(ids_C):
        raise ValueError(f"choices={list(choices)}: must all part at the same token; choose replies such as A and B.")
    return Parting(list(ids_C[0][:at]), deciding_C)


@torch.no_grad()
def choice_logprobs(
    model: Any, prompts_U: Sequence[list[int]], deciding_C: Sequence[int], temperature: float, pad_id: int
) -> Tensor:
    """Nats of each choice at ``temperature``, renormalised over the choices: (U, C) double, on the CPU.

    Args:
        prompts_U: token ids, what the choices share included.
        temperature: 0 is read as 1, as greedy sampling does.
    """
    device = next(model.parameters()).device
    width = max(len(ids) for ids in prompts_U)
    ids_U_T = torch.tensor([[pad_id] * (width - len(ids)) + ids for ids in prompts_U], device=device)
    mask_U_T = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in prompts_U], device=device)
    words = {"logits_to_keep": 1, "position_ids": (mask_U_T.cumsum(-1) - 1).clamp_min(0)}
    accepts = inspect.signature(model.forward).parameters
    words = {name: value for name, value in words.items() if name in accepts}
    logits_U_V = model(input_ids=ids_U_T, attention_mask=mask_U_T, use_cache=False, **words).logits[:, -1]
    logits_U_C = logits_U_V[:, torch.tensor(deciding_C, device=device)]
    return torch.log_softmax(logits_U_C.double() / (temperature or 1.0), dim=-1).cpu()


def pick(logprobs_N_C: Tensor, uniforms_N_G: Tensor | None, n: int) -> list[list[int]]:
    """Numbers of the drawn choices, by inverting the cumulative distribution; the likeliest where there is no noise.

    >>> pick(torch.tensor([[0.25, 0.75]]).log(), torch.tensor([[0.2, 0.3, 0.9]]), 3)
    [[0, 1, 1]]
    """
    if uniforms_N_G is None:
        return logprobs_N_C.argmax(-1, keepdim=True).expand(-1, n).tolist()
    mass_N_C = logprobs_N_C.exp().cumsum(-1)
    picks = torch.searchsorted(mass_N_C, uniforms_N_G.to(mass_N_C) * mass_N_C[:, -1:], right=True)
    return picks.clamp_max(mass_N_C.shape[-1] - 1).tolist()


def chosen_turns(
    role: str,
    prompts_N: Sequence[Prompt],
    choices: Sequence[str],
    ids_N: Sequence[list[int]],
    deciding_C: Sequence[int],
    logprobs_N_C: Tensor,
    picks_N_G: Sequence[Sequence[int]],
) -> list[list[Turn]]:
    """The picks as turns: what the choices share stands in ``prompt_ids``, ``text_ids`` is the deciding token alone."""
    rows_N = zip(prompts_N, ids_N, logprobs_N_C.tolist(), picks_N_G, strict=True)
    return [
        [
            Turn(role, prompt, choices[c], prompt_ids=ids, text_ids=[deciding_C[c]], logprobs=[nats_C[c]])
            for c in picks_G
        ]
        for prompt, ids, nats_C, picks_G in rows_N
    ]
