"""Pairs of answers of which people said which is better, from a file: what a judge is measured on.

The format is LLMBar's (arXiv 2310.07641): a JSON list, or one object a line, of
``{"input": request, "output_1": text, "output_2": text, "label": 1 or 2}``.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from selfplay.types import Pair, Request

FIELDS = ("input", "output_1", "output_2")


class PairFile:
    """The pairs of a file, shown to instruction-tuned judges. Never played: a source for measuring only.

    Args:
        path: of the file.

    Raises:
        ValueError: a file that cannot be read, or an entry that is no pair; it is named.
    """

    wording = "boxed"

    def __init__(self, path: str) -> None:
        entries = _entries(path)
        self.pairs = [_pair(entry, f"pairs.path={path}, entry {n}") for n, entry in enumerate(entries, start=1)]
        if not self.pairs:
            raise ValueError(f"pairs.path={path}: the file is empty; give one with a pair or more.")

    def held_out_pairs(self, n: int, seed: int) -> list[Pair]:
        """``n`` of them, or all where there are fewer; the same for the same seed."""
        return random.Random(f"pairs {seed}").sample(self.pairs, min(n, len(self.pairs)))


def _entries(path: str) -> list[Any]:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"pairs.path={path}: cannot be read ({reason}); give a JSON or JSONL file.") from error
    try:
        whole = json.loads(text) if text.lstrip().startswith("[") else None
        # by "\n" alone: str.splitlines also cuts at U+2028, which stands in real answers
        return whole if whole is not None else [json.loads(line) for line in text.split("\n") if line.strip()]
    except json.JSONDecodeError as error:
        raise ValueError(f"pairs.path={path}: is neither a JSON list nor JSON lines ({error.msg}).") from error


def _pair(entry: Any, where: str) -> Pair:
    if not isinstance(entry, dict) or any(not isinstance(entry.get(field), str) for field in FIELDS):
        raise ValueError(f"{where}: needs the texts {', '.join(FIELDS)} and a label, 1 or 2.")
    if entry.get("label") not in (1, 2) or isinstance(entry["label"], bool):
        raise ValueError(f"{where}: label={entry.get('label')!r} must be 1 or 2, the number of the better output.")
    texts = [entry["output_1"], entry["output_2"]]
    better = texts.pop(entry["label"] - 1)
    return Pair(Request(entry["input"], entry["input"]), better, texts[0])
