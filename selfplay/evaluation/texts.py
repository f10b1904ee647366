"""Figures of texts that show a drift which no judge was asked about: how long, how varied."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain


def distinct_n(texts: Sequence[str], n: int) -> float | None:
    """Different n-grams / all n-grams of the texts together, by words between white space (arXiv 1510.03055).

    None where no text has n words. Comparable only between sets of about the same length: longer texts repeat more.

    >>> distinct_n(["cat owl", "cat red"], 1), distinct_n(["cat owl", "cat owl"], 2), distinct_n(["cat"], 2)
    (0.75, 0.5, None)
    """
    words_N = [text.split() for text in texts]
    grams = list(chain.from_iterable(zip(*(words[start:] for start in range(n)), strict=False) for words in words_N))
    return len(set(grams)) / len(grams) if grams else None
