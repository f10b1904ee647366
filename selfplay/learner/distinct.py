"""Rows that say the same go through the model once, and rows of like length together.

    ids_R_T --distinct--> rows_U --short, long--> score each, trimmed--> (U, K) --copied to twins--> (R, K)

A group of answers to one question repeats itself, the more so the better the role has learned: of 88 answers of the
small base 65 differ at the start, a dozen after 40 windows. Twins have the same log-probabilities, and a copy hands
its gradient to the original, so that nothing changes but the order of summation. Suffixes: ``_R`` rows, ``_U`` distinct
rows, ``_T`` tokens of prompt and text, ``_K`` scored tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

Scores = tuple[Any, ...]
"""Of every scored token, tensors (rows, K): its log-probability, its entropy; None for what was not asked for."""

ROWS_FOR_TWO = 32
"""From so many rows on, short and long ones are scored apart. More parts than two cost more than they save."""

LEAST_SAVED = 0.05
"""Of all tokens, padding included: what scoring apart must spare, or a second call costs more than it saves."""


def score_distinct(
    score: Callable[[Tensor, Tensor, int], Scores], ids_R_T: Tensor, mask_R_T: Tensor, kept: int, fixed_calls: bool
) -> Scores:
    """What ``score(ids, mask, kept)`` says of all rows, from a few calls with fewer and shorter ones.

    Args:
        score: the model; takes ids and mask, (rows, T), and how many of the last columns to score.
        ids_R_T: prompts padded on the left, then texts padded on the right.
        mask_R_T: 1 where a token is.
        kept: K, the columns of the texts.
        fixed_calls: the number of calls must follow from the number of rows alone, on which all ranks agree: under
            ZeRO-3 a call is collective. Otherwise a second call is made only where it spares padding.
    """
    twin_R = _twins(ids_R_T.masked_fill(mask_R_T == 0, -1).tolist())
    lengths_R = mask_R_T.sum(1).tolist()
    rows_U = sorted(set(twin_R), key=lambda row: (lengths_R[row], row))
    parts = _parts(rows_U, [lengths_R[row] for row in rows_U], len(twin_R) >= ROWS_FOR_TWO, fixed_calls)
    scores = [_trimmed(score, ids_R_T, mask_R_T, kept, rows) for rows in parts]
    place = {row: place for place, row in enumerate([row for rows in parts for row in rows])}
    place_R = torch.tensor([place[row] for row in twin_R], device=ids_R_T.device)
    return tuple(
        None if columns[0] is None else torch.cat(columns).index_select(0, place_R)
        for columns in zip(*scores, strict=True)
    )


def is_noisy(model: nn.Module) -> bool:
    """Whether a forward pass in training mode draws chance for every row (dropout), so that twins differ."""
    settings: dict[str, Any] = model.config.to_dict()  # type: ignore[operator]  # some drop without a module
    named = (value for name, value in settings.items() if "drop" in name or "jitter" in name)
    return any(isinstance(value, float) and value > 0 for value in named) or any(
        module.p > 0 for module in model.modules() if isinstance(module, nn.Dropout)
    )


def _twins(rows_R: Sequence[list[int]]) -> list[int]:
    """Of each row, the first that is like it.

    >>> _twins([[5, 6], [7, 8], [5, 6]])
    [0, 1, 0]
    """
    first: dict[tuple[int, ...], int] = {}
    return [first.setdefault(tuple(row), number) for number, row in enumerate(rows_R)]


def _parts(rows_U: list[int], lengths_U: Sequence[int], may_cut: bool, must_cut: bool) -> list[list[int]]:
    """The rows of each call, short ones first; where a call must be made with nothing to save, some row is made twice.

    >>> _parts([4, 0, 2], [3, 3, 9], may_cut=True, must_cut=False), _parts([4, 0], [9, 9], True, False)
    ([[4, 0], [2]], [[4, 0]])
    """
    if not may_cut:
        return [rows_U]
    cut, saved = _cut(lengths_U)
    if must_cut or saved >= LEAST_SAVED * len(rows_U) * lengths_U[-1]:
        return [rows_U[:cut] or rows_U[:1], rows_U[cut:]]
    return [rows_U]


def _cut(lengths_U: Sequence[int]) -> tuple[int, int]:
    """Where to cut rows sorted by length in two so that the least is padding, and how much padding that spares.

    >>> _cut([3, 3, 4, 9, 9]), _cut([9, 9])
    ((3, 15), (0, 0))
    """
    saved_U = [cut * (lengths_U[-1] - lengths_U[cut - 1]) for cut in range(len(lengths_U))]
    cut = max(range(len(saved_U)), key=saved_U.__getitem__)
    return cut, saved_U[cut]


def _trimmed(score: Any, ids_R_T: Tensor, mask_R_T: Tensor, kept: int, rows: Sequence[int]) -> Scores:
    """Scores of some rows, without the columns that are padding in all of them; padded to ``kept`` columns again."""
    chosen = torch.tensor(rows, device=ids_R_T.device)
    ids, mask = ids_R_T[chosen], mask_R_T[chosen]
    texts = mask.shape[1] - kept
    visible = mask.any(0).nonzero()
    start, end = int(visible[0]), max(int(visible[-1]), texts) + 1  # at least one column is scored
    scores = score(ids[:, start:end], mask[:, start:end], end - texts)
    return tuple(None if column is None else pad(column, (0, kept - column.shape[1])) for column in scores)
