"""The decode loop: unique prompts once through the model, the cache spread over their samples, finished rows dropped.

    prompts_U --prefill--> cache --spread--> rows_R --(one token a row, drop the finished)*--> drawn_R

Every row owns its noise, one uniform number per position: what it says does not depend on which rows share its batch.
Suffixes: ``_U`` unique prompts, ``_R`` rows (one row = one sample), ``_L`` rows still running, ``_V`` vocabulary,
``_T`` positions. Any causal language model of transformers works.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

DROP_SHARE = 8
"""Rows are dropped once an eighth of the batch has finished: dropping copies the cache, carrying on wastes a row."""


@dataclass(frozen=True)
class Ending:
    """When a reply is over, and when a batch is."""

    stop_ids: tuple[int, ...]
    max_new_tokens: int
    pad_id: int
    any_rank: Callable[[bool], bool] = bool  # ZeRO-3: nobody may leave while another rank still needs its weights


@dataclass(frozen=True)
class Drawn:
    """One sampled reply; (T,) ids and nats. ``logprobs`` are under the distribution that was sampled."""

    ids: list[int]
    logprobs: list[float]
    stopped: bool  # its last id is a stop id


@torch.no_grad()
def decode(
    model: Any, prompts_U: Sequence[list[int]], prompt_of_R: Sequence[int], draw: Draw, ending: Ending
) -> list[Drawn]:
    """One reply for each row.

    Args:
        prompts_U: token ids of the distinct prompts.
        prompt_of_R: which of them each row answers.
        draw: picks tokens; holds each row's noise.
    """
    device = next(model.parameters()).device
    runner = Runner(model, prompts_U, torch.tensor(prompt_of_R, device=device), ending.pad_id)
    stops = torch.tensor(ending.stop_ids, device=device)
    rows = len(prompt_of_R)
    ids_R_T = torch.full((rows, ending.max_new_tokens), ending.pad_id, device=device)
    logprobs_R_T = torch.zeros((rows, ending.max_new_tokens), device=device)
    live_L = torch.arange(rows, device=device)
    finished_L = torch.zeros(rows, dtype=torch.bool, device=device)
    for position in range(ending.max_new_tokens):
        token_L, logprob_L = draw(runner.logits, live_L, position)
        ids_R_T[live_L, position] = token_L
        logprobs_R_T[live_L, position] = logprob_L
        finished_L |= torch.isin(token_L, stops)
        finished = int(finished_L.sum())
        if position + 1 == ending.max_new_tokens or not ending.any_rank(finished < len(live_L)):
            break
        if len(live_L) > finished and finished * DROP_SHARE >= len(live_L):
            keep_L = (~finished_L).nonzero().squeeze(-1)
            runner.keep(keep_L)
            live_L, token_L, finished_L = live_L[keep_L], token_L[keep_L], finished_L[keep_L]
        runner.step(token_L)
    return _collect(ids_R_T, logprobs_R_T, stops)


@dataclass(frozen=True)
class Draw:
    """Picks one token a row: greedy at temperature 0, else by inverting the cumulative distribution.

    Greedy reports log-probabilities at temperature 1.
    """

    temperature: float
    uniforms_R_T: Tensor | None  # in [0, 1), double; None when greedy

    def __call__(self, logits_L_V: Tensor, live_L: Tensor, position: int) -> tuple[Tensor, Tensor]:
        scale = self.temperature or 1.0
        logprobs_L_V = torch.log_softmax(logits_L_V.float() / scale, dim=-1)
        if self.uniforms_R_T is None:
            token_L_1 = logprobs_L_V.argmax(dim=-1, keepdim=True)
        else:
            mass_L_V = logprobs_L_V.exp().cumsum(dim=-1, dtype=torch.float64)
            mark_L_1 = self.uniforms_R_T[live_L, position, None] * mass_L_V[:, -1:]
            token_L_1 = torch.searchsorted(mass_L_V, mark_L_1, right=True).clamp_max(mass_L_V.shape[-1] - 1)
        return token_L_1.squeeze(-1), logprobs_L_V.gather(-1, token_L_1).squeeze(-1)


class Runner:
    """A batch under way: its cache, mask and positions, and the logits of the next token, ``(L, V)``."""

    def __init__(self, model: Any, prompts_U: Sequence[list[int]], prompt_of_R: Tensor, pad_id: int) -> None:
        self.model = model
        self.accepts = inspect.signature(model.forward).parameters
        self.cache: Any = DynamicCache(config=model.config)
        width = max(len(ids) for ids in prompts_U)
        device = prompt_of_R.device
        ids_U_T = torch.tensor([[pad_id] * (width - len(ids)) + ids for ids in prompts_U], device=device)
        lengths_U = torch.tensor([len(ids) for ids in prompts_U], device=device)
        self.mask = (torch.arange(width, device=device) >= width - lengths_U[:, None]).long()
        positions = (self.mask.cumsum(-1) - 1).clamp_min(0)
        logits_U_V = self.forward(ids_U_T, positions, keep=1)[:, -1]
        self.cache.reorder_cache(prompt_of_R)
        self.mask, self.logits = self.mask[prompt_of_R], logits_U_V[prompt_of_R]
        self.position = lengths_U[prompt_of_R, None]

    def step(self, token_L: Tensor) -> None:
        """Feed one token to each row."""
        self.logits = self.extend(token_L[:, None], torch.ones_like(token_L[:, None]), keep=1)[:, -1]

    def extend(self, ids_L_T: Tensor, mask_L_T: Tensor, keep: int) -> Tensor:
        """Feed several tokens to each row; the logits after the last ``keep`` of them, (L, keep, V)."""
        self.mask = torch.cat([self.mask, mask_L_T], dim=1)
        positions = self.position + torch.arange(ids_L_T.shape[1], device=ids_L_T.device)
        self.position = self.position + ids_L_T.shape[1]
        return self.forward(ids_L_T, positions, keep)

    def keep(self, rows_L: Tensor) -> None:
        """Go on with these rows only."""
        self.cache.reorder_cache(rows_L)
        self.mask, self.position, self.logits = self.mask[rows_L], self.position[rows_L], self.logits[rows_L]

    def forward(self, ids: Tensor, positions: Tensor, keep: int) -> Tensor:
        words: dict[str, Any] = {"logits_to_keep": keep, "position_ids": positions}
        words = {name: value for name, value in words.items() if name in self.accepts}
        out = self.model(input_ids=ids, attention_mask=self.mask, past_key_values=self.cache, use_cache=True, **words)
        return out.logits


def _collect(ids_R_T: Tensor, logprobs_R_T: Tensor, stops: Tensor) -> list[Drawn]:
    """Each row up to its first stop id; what follows it was computed only because its batch was not yet compacted."""
    is_stop_R_T = torch.isin(ids_R_T, stops)
    stopped_R = is_stop_R_T.any(-1)
    length_R = torch.where(stopped_R, is_stop_R_T.int().argmax(-1) + 1, ids_R_T.shape[1])
    columns = (ids_R_T.tolist(), logprobs_R_T.tolist(), length_R.tolist(), stopped_R.tolist())
    return [Drawn(ids[:n], nats[:n], stopped) for ids, nats, n, stopped in zip(*columns, strict=True)]
