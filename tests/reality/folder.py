"""Where the real data lies. It is not part of the repository; a test that needs it is skipped where it is absent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

BESIDE = Path(__file__).parents[3] / "shared" / "data"


def real_data(name: str) -> Path:
    """A folder of real data: in SELFPLAY_REAL_DATA if that is set, or in ../shared/data beside the project."""
    folder = Path(os.environ.get("SELFPLAY_REAL_DATA", BESIDE)) / name
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not there (set SELFPLAY_REAL_DATA)")
    return folder


def json_lines(path: Path) -> list[dict[str, Any]]:
    """By "\\n" alone: str.splitlines also cuts at U+2028, which stands in real answers."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
