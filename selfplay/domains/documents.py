"""What contexts from documents have in common: two splits, the wording of instruction-tuned models, no known truth.

Where they come from: a folder of one's own (`document_folder.py`) or CL-bench's file (`cl_bench.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from selfplay.roles.skill_wording import JsonWording
from selfplay.types import Context

LONGEST = 400_000
"""Characters of one context; about 100,000 tokens of English, or 200 pages."""

QUOTED = 6
"""At most so many times as long is a text when it is quoted: a sign of a chat marker may become six characters."""


class Documents(JsonWording):
    """
    Args:
        contexts: of both splits.
        held_out_share: of the contexts, by a hash of their keys.
        longest_context: characters; no document of this length is cut in a prompt.
        wording: see `selfplay.roles.skill_wording.JsonWording`.
    """

    def __init__(
        self, contexts: Iterable[Context], held_out_share: float, longest_context: int = LONGEST, **wording: Any
    ) -> None:
        wording.setdefault("longest", {"document": QUOTED * longest_context, "system": QUOTED * longest_context})
        super().__init__(**wording)
        if not 0 <= held_out_share <= 1:
            raise ValueError(f"domain.held_out_share={held_out_share} must be between 0 and 1.")
        self._splits: dict[str, list[Context]] = {"train": [], "held_out": []}
        for context in contexts:
            self._splits[split_of(context.key, held_out_share)].append(context)

    def contexts(self, split: str) -> list[Context]:
        """
        Raises:
            ValueError: an unknown split, or one that is empty.
        """
        if split not in self._splits:
            raise ValueError(f"game.split={split}: is unknown; choose one of {', '.join(self._splits)}.")
        if not self._splits[split]:
            raise ValueError(f"game.split={split}: holds no context; choose the other, or set domain.held_out_share.")
        return list(self._splits[split])

    def truth(self, context: Context, task: str, answer: str) -> bool | None:
        return None

    def held_out_tasks(self, context: Context, n: int, seed: int) -> list[str]:
        """None: nobody has written any."""
        return []

    def true_skill(self, context: Context) -> str | None:
        return None

    def random_rule(self, context: Context, seed: int) -> str | None:
        return None

    def random_rules(self, context: Context, seed: int, like: str) -> str | None:
        return None


def bounded(context: Context, longest: int, where: str) -> Context:
    """The context, unless it is too long to be shown whole.

    Raises:
        ValueError: beginning with ``where``.
    """
    size = len(context.system) + len(context.document)
    if size > longest:
        raise ValueError(
            f"{where}: {context.key!r} has {size:,} characters, more than domain.longest_context={longest:,}; split "
            "it, or raise the bound if the model reads that much."
        )
    return context


def split_of(key: str, held_out_share: float) -> str:
    """Which split a context belongs to, by a hash of its key.

    >>> split_of("handbook", 0.0), split_of("handbook", 1.0)
    ('train', 'held_out')
    """
    return "held_out" if share(key) < held_out_share else "train"


def share(text: str) -> float:
    """A number in [0, 1) that follows from the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big") / 2**64
