"""Answered calls, kept: a run that was killed takes from here what it has asked and paid for already.

    question --key--> kept? --yes--> its answer          calls/rank-0.jsonl: one line for each answered call,
                            --no---> ask, keep, answer   on the disk before anybody reads the reply

A line torn by a kill is passed over: nobody has used its reply. Nothing is ever removed. A file answers the process of
its own rank alone, and only its owner may read it: answers quote documents. The answer is kept as the server gave it;
of the question a digest alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfplay.samplers.endpoint.calls import Caller, EndpointError
from selfplay.samplers.endpoint.places import Place
from selfplay.samplers.endpoint.replies import has_choices, usage_of

CALLS = "calls"
"""The folder in a run's folder."""


@dataclass(frozen=True)
class Question:
    """One call, and what makes it the same call in the same window of another process."""

    path: str  # "chat/completions"
    body: Mapping[str, Any]  # the whole request, the model, the settings and the seed in it
    window: Sequence[int | str]  # what the sampler was begun with
    role: str
    place: Place
    worth: Callable[[Any], bool] = has_choices  # whether an answer is of any use, and so kept

    @property
    def key(self) -> str:
        """128 bits, in hex. Where it is asked and how patiently is no part of it."""
        parts = [list(self.window), self.role, list(self.place), self.path, dict(self.body)]
        plain = json.loads(json.dumps(parts))  # as it is sent: every key a text, so that all can be sorted
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:32]


class AnsweredCalls:
    """One process's file; safe to use from many threads.

    Args:
        file: ``<run>/calls/rank-0.jsonl``; made where it is missing.

    Raises:
        OSError: the file cannot be opened or written; it then ends with its last whole line.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file = file
        self._places: dict[str, tuple[int, int]] = {}  # key -> where its line begins, and its length in bytes
        self._lock = threading.Lock()
        torn = False
        for start, line in _lines(file):
            row, torn = _read(line), not line.endswith(b"\n")
            if row is not None:
                self._places[row["key"]] = (start, len(line))  # the last one was used
        self._handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        if torn:
            os.write(self._handle, b"\n")  # whatever was begun there stays, by itself

    def __len__(self) -> int:
        return len(self._places)

    def find(self, key: str) -> Any | None:
        """The answer of this call, or None where it was never answered."""
        with self._lock:
            place = self._places.get(key)
        if place is None:
            return None
        start, size = place
        try:
            row = _read(os.pread(self._handle, size, start))
        except OSError:
            return None  # what cannot be read back is asked again
        return None if row is None or row["key"] != key else row["answer"]

    def keep(self, question: Question, answer: Any, showable: Callable[[str], bool] = lambda text: True) -> None:
        """Bring an answer to the disk; one whose line may not be shown (it repeats the caller's key) is not kept."""
        key = question.key
        row = {"key": key, "window": list(question.window), "role": question.role, "answer": answer}
        text = json.dumps(row)
        if not showable(text):
            return
        line = text.encode() + b"\n"
        with self._lock:
            start = os.fstat(self._handle).st_size
            try:
                written = 0
                while written < len(line):  # a disk that fills up takes what fits, and refuses only the next write
                    written += os.write(self._handle, line[written:])
            except OSError:
                os.ftruncate(self._handle, start)
                raise
            self._places[key] = (start, len(line))
        os.fsync(self._handle)


class Asker:
    """Asks through a caller what was not answered before.

    ``answered`` None = nothing is kept, and nothing known.
    """

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.answered: AnsweredCalls | None = None
        self.heard = False  # whether the server has said anything that can be read, kept answers included

    def ask(self, question: Question, count: Callable[..., None], stop: threading.Event) -> tuple[Any, bool]:
        """The answer's JSON, which has choices, and whether it is fresh; ``count`` is told ``replayed=1`` of another.

        Raises:
            CallFailed, GivenUp: as ``Caller.call``. EndpointError: the answer cannot be kept.
        """
        if self.answered is not None and has_choices(found := self.answered.find(question.key)):
            self.heard = True  # it said this to an earlier process: it is no wrong address
            count(replayed=1)
            return found, False
        answer = self.caller.call(question.path, dict(question.body), has_choices, count, stop)
        self.heard = True
        if self.answered is not None and question.worth(answer):
            try:
                self.answered.keep(question, answer, self.caller.address.hides_key)
            except OSError as error:
                raise EndpointError(
                    f"cannot keep an answered call in {self.answered.file} ({error.strerror or error}); what was kept "
                    "before is whole: make room, then go on with resume=auto."
                ) from error
        return answer, True


def kept_calls(folder: Path) -> dict[str, int]:
    """What all processes of a run have kept since it first began: calls, tokens as their server counted, bytes.

    {} where no call was ever kept.
    """
    sums: dict[str, int] = {}
    for file in sorted(folder.glob("rank-*.jsonl")):
        for _, line in _lines(file):
            row = _read(line)
            if row is None:
                continue
            usage = usage_of(row["answer"]) if isinstance(row["answer"], dict) else {}
            for name, number in {"calls": 1, "bytes": len(line), **usage}.items():
                sums[name] = sums.get(name, 0) + number
    return sums


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Each line with its end, and where it begins."""
    if not file.exists():
        return
    start = 0
    with file.open("rb") as lines:
        for line in lines:
            yield start, line
            start += len(line)


def _read(line: bytes) -> dict[str, Any] | None:
    """None for a line that is not whole."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and line.endswith(b"\n") and {"key", "answer"} <= row.keys() else None
