"""Turns -> tensors: which rows a micro-batch holds, filled up so that every rank has equally many.

    turns_N --learnable--> {share: turns} --spread, deal--> [[{share: turns_R}]] --tensors--> {share: {name: (R, T)}}

A *share* is what is trained together under one adapter with one objective, e.g. ``Share("solver", "reinforce")``.
Suffixes: ``_N`` turns of all ranks, ``_R`` rows of one micro-batch (fill rows included), ``_T`` tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
import torch

from selfplay.types import Turn

Tensors = dict[str, torch.Tensor]


class Share(NamedTuple):
    """Rows that go forward under one role's adapter, with one objective."""

    role: str
    objective: str  # "reinforce" | "imitate"


def learnable(turns_N: Iterable[Turn]) -> dict[Share, list[Turn]]:
    """Turns with an objective, by share; a turn that was never tokenized or is empty teaches nothing."""
    shares: dict[Share, list[Turn]] = {}
    for turn in turns_N:
        if turn.objective is not None and turn.text_ids:
            shares.setdefault(Share(turn.role, turn.objective), []).append(turn)
    return shares


def spread(turns_N: Sequence[Turn], updates: int) -> list[list[Turn]]:
    """Share turns out over the optimizer steps of a window, so that each has some of every group, of any length.

    Unlike ``deal``: steps follow one another, and a first step on short answers alone would not be the last one's kin.
    """
    return [list(turns_N[update::updates]) for update in range(updates)]


def deal(turns_N: Sequence[Turn], ranks: int, micro_batches: int, twins: bool = True) -> list[list[list[Turn]]]:
    """Share turns out evenly over the ranks and micro-batches of one optimizer step: ``dealt[rank][micro_batch]``.

    Every rank gets texts of every length, as many as any other, whoever played them; a micro-batch holds texts of like
    length, which means less padding. Where a row goes changes no gradient, since all feed one optimizer step and are
    normalised by counts over the whole step.

    Args:
        twins: turns that say the same to the same prompt stay together and count as one, for the model computes them
            once; not where dropout tells them apart.
    """
    texts: dict[object, list[Turn]] = {}
    for number, turn in enumerate(turns_N):
        key = (tuple(turn.prompt_ids or ()), tuple(turn.text_ids or ())) if twins else number
        texts.setdefault(key, []).append(turn)
    by_length = sorted(texts.values(), key=lambda alike: len(alike[0].prompt_ids or ()) + len(alike[0].text_ids or ()))
    return [_cut(by_length[rank::ranks], micro_batches) for rank in range(ranks)]


def _cut(texts: Sequence[list[Turn]], runs: int) -> list[list[Turn]]:
    """Runs of texts whose numbers differ by one at most, as turns."""
    size, extra = divmod(len(texts), runs)
    cuts = [number * size + min(number, extra) for number in range(runs + 1)]
    return [[turn for alike in texts[start:end] for turn in alike] for start, end in pairwise(cuts)]


def tensors(turns_R: Sequence[Turn], rows: int, pad_id: int, kept: int | None = None) -> Tensors:
    """Tensors under TRL's names for ``rows`` rows: the turns, then fill rows that carry no loss.

    Args:
        turns_R: at most ``rows`` turns with ``prompt_ids`` and ``text_ids``.
        rows: the number of rows that every rank has in this micro-batch, at least 1.
        pad_id: token id to pad with.
        kept: most prompt tokens to keep (from the right); None keeps all.

    Returns:
        ``prompt_ids``, ``prompt_mask`` (rows, P) padded on the left; ``completion_ids``, ``completion_mask``,
        ``sampler_logprobs`` (rows, T) padded on the right; ``advantages`` (rows,). Missing log-probabilities are NaN.
    """
    prompts = [(turn.prompt_ids or [pad_id])[-kept:] if kept else (turn.prompt_ids or [pad_id]) for turn in turns_R]
    texts = [turn.text_ids or [] for turn in turns_R]
    # A fill row has one visible prompt token, so that attention over it is defined, and no completion token.
    prompts += [[pad_id]] * (rows - len(prompts))
    texts += [[]] * (rows - len(texts))
    nan = float("nan")
    logprobs = [turn.logprobs if turn.logprobs else [nan] * len(turn.text_ids or []) for turn in turns_R]
    width = max(1, max(len(text) for text in texts))
    return {
        "prompt_ids": _pad(prompts, pad_id, left=True),
        "prompt_mask": _pad([[1] * len(prompt) for prompt in prompts], 0, left=True),
        "completion_ids": _pad(texts, pad_id, width=width),
        "completion_mask": _pad([[1] * len(text) for text in texts], 0, width=width),
        "advantages": torch.tensor([turn.advantage for turn in turns_R] + [0.0] * (rows - len(turns_R))),
        "sampler_logprobs": _pad([*logprobs, *[[]] * (rows - len(logprobs))], nan, width=width),
    }


def sampler_difference(rows: Tensors, learner_R_T: torch.Tensor) -> float:
    """Mean |sampler - learner| log-probability in nats, over sampled tokens; NaN where nothing was sampled."""
    known = rows["completion_mask"].bool() & ~rows["sampler_logprobs"].isnan()
    return (rows["sampler_logprobs"] - learner_R_T)[known].abs().mean().item()


def _pad(lists: Sequence[Sequence[float]], value: float, left: bool = False, width: int = 0) -> torch.Tensor:
    """Rows of unequal length -> (rows, longest or ``width``), filled with ``value``. Copied as one row of numbers: a
    tensor of nested lists costs ten times as much."""
    lengths_R = np.array([len(items) for items in lists])
    width = max(width, int(lengths_R.max()))
    dtype = np.float32 if isinstance(value, float) else np.int64
    padded = np.full((len(lists), width), value, dtype)
    place_T = np.arange(width)
    filled = place_T >= width - lengths_R[:, None] if left else place_T < lengths_R[:, None]
    numbers = np.fromiter(chain.from_iterable(lists), dtype, int(lengths_R.sum()))
    if dtype is np.float32 and np.isnan(numbers).any() and any(None in items for items in lists):
        raise TypeError("a number is None; NumPy would take it for NaN, which says that nothing was sampled")
    padded[filled] = numbers
    return torch.from_numpy(padded)
