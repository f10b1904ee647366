"""CL-bench (arXiv 2602.03587) as contexts, for measuring only: its licence forbids training.

Written from descriptions of the format (500 contexts, 1,899 tasks with 3 to 114 rubrics), not checked against the file.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from selfplay.domains.documents import LONGEST, Documents, bounded
from selfplay.types import Challenge, Context

DELIMITER = "<|task|>"
"""What stands before the task in the last message."""


class CLBench(Documents):
    """The benchmark's contexts, all of them held out; there is no training split.

    Args:
        path: the JSONL file, one object a task; see ``read_cl_bench``.
        longest_context: characters of one context.
        wording: see `selfplay.roles.skill_wording.JsonWording`.

    Raises:
        ValueError: as ``read_cl_bench`` does.
    """

    def __init__(self, path: str, longest_context: int = LONGEST, **wording: Any) -> None:
        self._tasks = read_cl_bench(path, longest_context)
        super().__init__(self._tasks, 1.0, longest_context, **wording)

    def contexts(self, split: str) -> list[Context]:
        """
        Raises:
            ValueError: the split to train on.
        """
        if split == "train":
            raise ValueError(
                "game.split=train: CL-bench may not be trained on (its licence: benchmarking only); take held_out "
                "with frozen weights, or documents of your own."
            )
        return super().contexts(split)

    def held_out_tasks(self, context: Context, n: int, seed: int) -> list[str]:
        """The first ``n`` of the benchmark's own tasks of this context, in its order: half of them build on another."""
        return [challenge.task for challenge in self.challenges(context)[:n]]

    def challenges(self, context: Context) -> list[Challenge]:
        """The benchmark's own tasks of this context, with its rubrics."""
        return list(self._tasks[context])


def read_cl_bench(path: str, longest: int = LONGEST) -> dict[Context, list[Challenge]]:
    """Contexts with their tasks and rubrics.

    A row has ``messages``: the context (system messages, perhaps, then others), of which the last ends in ``<|task|>``
    and the task; without the delimiter the last message is the task. ``rubrics`` are texts, or objects of which the
    first text counts. Rows belong to one context by ``context_id``, in the row or in its ``metadata``, else by the
    context's text.

    Raises:
        ValueError: a file that cannot be read, a row without messages, a context too long; the line is named.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"domain.path={path}: cannot be read ({reason}); give CL-bench's JSONL file.") from error
    contexts: dict[str, Context] = {}
    challenges: dict[Context, list[Challenge]] = {}
    for number, line in enumerate(text.split("\n"), start=1):  # not splitlines: U+2028 stands in real texts
        if line.strip():
            where = f"domain.path={path}, line {number}"
            context, challenge = _read_row(line, where)
            first = contexts.setdefault(context.key, bounded(context, longest, where))
            challenges.setdefault(first, []).append(challenge)
    if not challenges:
        raise ValueError(f"domain.path={path}: the file is empty; give CL-bench's JSONL file.")
    return challenges


def _read_row(line: str, where: str) -> tuple[Context, Challenge]:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise ValueError(f"{where}: is not JSON.") from error
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        raise ValueError(f"{where}: has no list of messages, each with a role and a content that are texts.")
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    spoken = [message["content"] for message in messages if message["role"] != "system"]
    before, delimiter, task = spoken.pop().rpartition(DELIMITER) if spoken else ("", "", "")
    document = "\n\n".join(part for part in (*spoken, before.strip() if delimiter else "") if part)
    if not task.strip():
        raise ValueError(f"{where}: has no task after its context.")
    key = f"cl-bench-{_context_id(row) or _digest(system, document)}"
    return Context(key, system, document, trainable=False), Challenge(task.strip(), _rubrics(row.get("rubrics")))


def _is_message(message: Any) -> bool:
    return isinstance(message, dict) and all(isinstance(message.get(key), str) for key in ("role", "content"))


def _context_id(row: dict[str, Any]) -> str:
    metadata = row.get("metadata")
    return str(row.get("context_id") or (metadata.get("context_id") if isinstance(metadata, dict) else None) or "")


def _digest(system: str, document: str) -> str:
    return hashlib.sha256(f"{system}\n{document}".encode("utf-8", "replace")).hexdigest()[:12]


def _rubrics(found: Any) -> tuple[str, ...]:
    texts = []
    for one in found if isinstance(found, list) else []:
        values = one.values() if isinstance(one, dict) else [one]
        texts += [value.strip() for value in values if isinstance(value, str) and value.strip()][:1]
    return tuple(texts)
