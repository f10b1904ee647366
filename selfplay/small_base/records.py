"""The build.json beside a base: what it was built from and what it scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selfplay.small_base.recipes import FIRST_CORPUS

RECORD = "build.json"
"""Holds {recipe, hash, scores, outside_bands, seconds, threads, parameters, versions}."""


def read_record(folder: Path) -> dict[str, Any]:
    """The build.json of a base; empty when there is none (a base from elsewhere)."""
    path = Path(folder) / RECORD
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def corpus_of(folder: Path) -> str:
    """What the base was made from, by its record; the first corpus where nothing is said."""
    return read_record(folder).get("recipe", {}).get("corpus", FIRST_CORPUS)
