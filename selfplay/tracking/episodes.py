"""The episode store: every turn of every episode as parquet, one file a step, for people and for later analysis.

One row a turn. Reading a step with nothing but pyarrow (pandas, polars and DuckDB read the same file):

    import pyarrow.parquet as pq
    pq.read_table("runs/quickstart/episodes/step-000010.parquet").to_pylist()
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfplay.tracking.files import replace_whole
from selfplay.types import Episode, Turn, prompt_text

COLUMNS = {
    "step": "int64",
    "seed": "int64",
    "topic": "string",
    "turn": "int64",  # its place in the episode
    "role": "string",
    "group": "string",
    "prompt": "string",
    "text": "string",
    "reward": "float64",  # the sum of rewards
    "rewards": "string",  # JSON: {"majority": 1.0}
    "measures": "string",  # JSON
    "advantage": "float64",
    "objective": "string",  # null = recorded, not learned from
    "stopped": "bool",
    "failure": "string",  # why there is no reply, where the infrastructure failed; else ""
    "tokens": "int64",
    "mean_logprob": "float64",  # nats; null = written, not sampled
    "facts": "string",  # JSON, of the episode
    "notes": "string",  # JSON, of the episode
}


def rows_of(step: int, episodes: Sequence[Episode]) -> list[dict[str, Any]]:
    """One flat row a turn. What has named parts is JSON text, which every reader takes."""
    rows = []
    for episode in episodes:
        shared = {"facts": json.dumps(episode.facts), "notes": json.dumps(episode.notes)}  # once: notes may be long
        rows += [_row(step, episode, position, turn) | shared for position, turn in enumerate(episode.turns)]
    return rows


def _row(step: int, episode: Episode, position: int, turn: Turn) -> dict[str, Any]:
    """All but what the turns of an episode share."""
    logprobs = turn.logprobs
    return {
        "step": step,
        "seed": episode.seed.index,
        "topic": _utf8(episode.seed.topic),
        "turn": position,
        "role": turn.role,
        "group": turn.group,
        "prompt": _utf8(prompt_text(turn.prompt)),
        "text": _utf8(turn.text),
        "reward": float(turn.reward),
        "rewards": json.dumps(turn.rewards),
        "measures": json.dumps(turn.measures),
        "advantage": float(turn.advantage),
        "objective": turn.objective,
        "stopped": turn.stopped,
        "failure": _utf8(turn.failure),
        "tokens": None if turn.text_ids is None else len(turn.text_ids),
        "mean_logprob": sum(logprobs) / len(logprobs) if logprobs else None,
    }


def _utf8(text: str) -> str:
    """Parquet takes UTF-8 only, and a typed or decoded text may hold a lone surrogate."""
    return text.encode(errors="backslashreplace").decode()


class EpisodeStore:
    """Writes ``folder/step-000010.parquet`` and the like, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def write(self, step: int, episodes: Sequence[Episode]) -> Path:
        """Raises OSError where the disk refuses; no half-written file stays behind."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()])
        rows = rows_of(step, episodes)
        table = pa.table({name: [row[name] for row in rows] for name in COLUMNS}, schema=schema)
        path = self.folder / f"step-{step:06d}.parquet"
        replace_whole(path, lambda partial: pq.write_table(table, partial))
        return path
