"""Which rows go through the model together, and which of them share a prompt. ``_R`` rows: one row = one sample."""

from __future__ import annotations

from collections.abc import Sequence


def batches(ids_R: Sequence[list[int]], rows: int) -> list[list[int]]:
    """Row numbers in batches of at most ``rows``, alike in length so that little is padded.

    >>> batches([[1, 1], [1], [1, 1], [1]], 2)
    [[1, 3], [0, 2]]
    """
    order = sorted(range(len(ids_R)), key=lambda row: len(ids_R[row]))
    return [order[start : start + rows] for start in range(0, len(order), rows)]


def unique(ids_R: Sequence[list[int]]) -> tuple[list[list[int]], list[int]]:
    """The distinct prompts, and which of them each row has.

    >>> unique([[5], [7], [5]])
    ([[5], [7]], [0, 1, 0])
    """
    place: dict[tuple[int, ...], int] = {}
    prompt_of_R = [place.setdefault(tuple(ids), len(place)) for ids in ids_R]
    return [list(ids) for ids in place], prompt_of_R
