"""Which rows go through the model together, and which of them share a prompt. ``_R`` rows: one row = one sample."""

from __future__ import annotations

from collections.abc import Sequence


def batches(ids_R: Sequence[list[int]], rows: int, stretch: float = float("inf")) -> list[list[int]]:
    """Row numbers in batches of at most ``rows``, alike in length so that little is padded.

    Args:
        stretch: most that the longest prompt of a batch may be of its shortest; where nothing is decoded afterwards, a
            further batch costs one call of the model and saves the padding.

    >>> batches([[1, 1], [1], [1, 1], [1]], 2)
    [[1, 3], [0, 2]]
    >>> batches([[1] * 4, [1], [1] * 5], 3, stretch=1.25)
    [[1], [0, 2]]
    """
    order = sorted(range(len(ids_R)), key=lambda row: len(ids_R[row]))
    cut: list[list[int]] = []
    for row in order:
        if not cut or len(cut[-1]) == rows or len(ids_R[row]) > stretch * len(ids_R[cut[-1][0]]):
            cut.append([])
        cut[-1].append(row)
    return cut


def unique(ids_R: Sequence[list[int]]) -> tuple[list[list[int]], list[int]]:
    """The distinct prompts, and which of them each row has.

    >>> unique([[5], [7], [5]])
    ([[5], [7]], [0, 1, 0])
    """
    place: dict[tuple[int, ...], int] = {}
    prompt_of_R = [place.setdefault(tuple(ids), len(place)) for ids in ids_R]
    return [list(ids) for ids in place], prompt_of_R
