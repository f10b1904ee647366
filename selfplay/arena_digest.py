"""What decides an arena's answers and no name says: the bytes of a base in a folder, and of a suite's data files.

    policy.base, a suite's node --base_prints, data_prints--> [name, bytes, sha256], ...      into a contestant's digest

A file is hashed once, and again when its size or its time has changed. No torch here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from selfplay.small_base import shipped_folder, shipped_names

BASE_FILES = ("*.safetensors", "pytorch_model*.bin", "*.json", "*.jinja", "*.model", "*.txt")
"""Weights, settings, tokenizer and chat template of a transformers checkpoint; not an optimizer beside them."""

DATA_KEYS = ("path", "file", "folder")
"""What yardsticks, domains and files of pairs call the data that they read."""

Print = tuple[str, int, str]  # name, bytes, sha256 (hex)


def base_prints(base: str) -> list[Print]:
    """Of a base on this disk; [] for one on the hub, which its name and its revision stand for."""
    folder = shipped_folder(base) if base in shipped_names() else Path(base).expanduser()
    if not folder.is_dir():
        return []
    files = {path for pattern in BASE_FILES for path in folder.glob(pattern) if path.is_file()}
    return [_print(path, path.name) for path in sorted(files)]


def data_prints(node: Any) -> list[Print]:
    """Of every file, and every file below every folder, that a suite's node names under one of ``DATA_KEYS``."""
    return [found for place in _places(node) for found in _below(Path(place).expanduser())]


def _places(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in DATA_KEYS and isinstance(value, str):
                yield value
            else:
                yield from _places(value)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for value in node:
            yield from _places(value)


def _below(place: Path) -> list[Print]:
    if place.is_file():
        return [_print(place, place.name)]
    if not place.is_dir():  # a dataset on the hub
        return []
    return [_print(path, str(path.relative_to(place))) for path in sorted(place.rglob("*")) if path.is_file()]


def _print(path: Path, name: str) -> Print:
    stat = path.stat()
    return name, stat.st_size, _sha256(path.resolve(), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
