"""An offline run of W&B as its own file has it, read with W&B's own messages; 0.31 has no reader in Python any more.

The file: 7 bytes ``:W&B`` 0xBEE1 0x00, then LevelDB's log format: blocks of 32 KiB; a record is one piece (type 1) or
several (2 first, 3 middle, 4 last), each after a head of CRC-32 over type and data, length and type, little-endian.
"""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2 as messages

HEADER = b":W&B" + struct.pack("<HB", 0xBEE1, 0)
BLOCK = 32 * 1024
HEAD = struct.Struct("<IHB")
WHOLE, LAST = 1, 4


@dataclass
class OfflineRun:
    """What `wandb sync` would upload."""

    group: str = ""
    job_type: str = ""
    tags: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)  # as they were logged, W&B's own ``_step`` etc. left out
    summary: dict[str, Any] = field(default_factory=dict)
    ended: bool = False


def ended_run(run: Path, seconds: float = 20) -> OfflineRun:
    """The one offline run in a run's folder; W&B's service writes on for a moment after the run has ended."""
    (file,) = (run / "wandb").glob("offline-run-*/*.wandb")
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = read_offline_run(file)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        else:
            if found.ended or time.monotonic() > deadline:
                return found
        time.sleep(0.05)


def read_offline_run(file: Path) -> OfflineRun:
    found = OfflineRun()
    for data in records(file.read_bytes()):
        record = messages.Record.FromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            found.group, found.job_type = record.run.run_group, record.run.job_type
            found.tags = list(record.run.tags)
            found.config |= _values(record.run.config.update)
        elif kind == "config":
            found.config |= _values(record.config.update)
        elif kind == "history":
            row = _values(record.history.item)
            found.rows.append({name: value for name, value in row.items() if not name.startswith("_")})
        elif kind == "summary":
            found.summary |= _values(record.summary.update)
        elif kind == "exit":
            found.ended = True
    return found


def records(content: bytes) -> Iterator[bytes]:
    """The data of every record; AssertionError where the file is not what the format says."""
    assert content.startswith(HEADER)
    place, parts = len(HEADER), []
    while place < len(content):
        left = BLOCK - place % BLOCK
        if left < HEAD.size:  # too little for a head: zeros up to the next block
            place += left
            continue
        checksum, length, kind = HEAD.unpack_from(content, place)
        data = content[place + HEAD.size : place + HEAD.size + length]
        assert zlib.crc32(bytes([kind]) + data) == checksum, f"byte {place}"
        parts.append(data)
        place += HEAD.size + length
        if kind in (WHOLE, LAST):
            yield b"".join(parts)
            parts = []
    assert not parts, "the last record is torn"


def _values(items) -> dict[str, Any]:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}
