"""metrics.jsonl: the one record of a run's numbers, from which summary.json and the curves are derived.

One JSON object a line: ``{"step": 10, "time": 12.5, "yardstick/arithmetic/pass@1": 0.81, ".../low": 0.77, ...}``.
``time`` (seconds since the run's first start) and everything under ``perf/`` depend on the machine; the rest does not.
A number that is not finite is written as null. definitions.json says what a measured name means.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from selfplay.tracking.files import write_json, write_text

Row = Mapping[str, float | None]

METRICS = "metrics.jsonl"
DEFINITIONS = "definitions.json"
SUMMARY = "summary.json"
EPISODES = "episodes"


def timeless(row: Row) -> dict[str, float | None]:
    """The row without what depends on the machine: two runs of one seed agree on the rest.

    >>> timeless({"step": 1, "time": 2.5, "perf/tokens_per_second": 900.0, "loss": 0.1})
    {'step': 1, 'loss': 0.1}
    """
    return {name: value for name, value in row.items() if name != "time" and not name.startswith("perf/")}


def finite(value: float) -> float | None:
    """The number, or None where JSON has no way to write it."""
    value = float(value)
    return value if math.isfinite(value) else None


def read_rows(path: Path) -> list[dict[str, float | None]]:
    """All whole rows. A last line torn by a kill is left out; a run that is still going may be read.

    Raises:
        ValueError: a line other than the last is no JSON object.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    rows = []
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is torn, or empty
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path} line {number} is no JSON: {error}. Remove that line to read the rest.") from error
        rows.append(row)
    return rows


def read_definitions(folder: Path) -> dict[str, str]:
    path = folder / DEFINITIONS
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def cut_after(folder: Path, step: int) -> Path | None:
    """Move whatever was recorded after ``step`` into ``folder/cut-<n>``; that folder, or None with nothing to move.

    A resumed run plays those steps again. The copy is made before the original is shortened, so a kill in between
    loses nothing. A torn last line goes along, and so does an earlier ending's summary.json.
    """
    path = folder / METRICS
    rows = read_rows(path)
    whole = path.read_bytes() if path.exists() else b""
    lines = whole.split(b"\n")
    kept = [line for line, row in zip(lines[:-1], rows, strict=True) if (row["step"] or 0) <= step]
    moved = [line for line, row in zip(lines[:-1], rows, strict=True) if (row["step"] or 0) > step] + lines[-1:]
    late = [file for file in sorted((folder / EPISODES).glob("step-*.parquet")) if step_of(file) > step]
    summary = folder / SUMMARY
    if not late and not any(moved) and not summary.exists():
        return None
    aside = next_cut(folder)
    aside.mkdir()
    if any(moved):
        write_text(aside / METRICS, b"\n".join(moved).decode(errors="replace"))
        write_text(path, "".join(line.decode() + "\n" for line in kept))
    for file in late:
        (aside / EPISODES).mkdir(exist_ok=True)
        file.replace(aside / EPISODES / file.name)
    if summary.exists():
        summary.replace(aside / SUMMARY)
    return aside


def next_cut(folder: Path) -> Path:
    """Where the next thing goes that is put aside; not yet there."""
    return folder / f"cut-{1 + len(list(folder.glob('cut-*')))}"


def step_of(file: Path) -> int:
    """The step in a file's name.

    >>> step_of(Path("episodes/step-000010.parquet"))
    10
    """
    return int(file.stem.removeprefix("step-"))


class MetricsFile:
    """Appends rows to metrics.jsonl, each in one unbuffered write, and keeps definitions.json beside it.

    Raises:
        OSError: the disk refused; the file then ends with its last whole row.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.definitions = read_definitions(folder)
        self._file = os.open(folder / METRICS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def append(self, row: Row, definitions: Mapping[str, str]) -> None:
        if any(self.definitions.get(name) != text for name, text in definitions.items()):
            self.definitions.update(definitions)
            write_json(self.folder / DEFINITIONS, self.definitions)
        line = json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        end = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, line)
            if written < len(line):  # a disk that fills up takes what fits, and refuses only the next write
                os.write(self._file, line[written:])
        except OSError:
            os.ftruncate(self._file, end)
            raise

    def sync(self) -> None:
        """Wait until the disk has every row."""
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)
