"""arena/answers/<contestant>/<suite>.parquet: one contestant's answers to one suite, one row an answer.

Who answered, what was drawn and why nothing could be measured stands in the file's own metadata (``selfplay``, JSON),
so that standings are computed from these files alone. Written whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from selfplay.evaluation.records import Answer, Drawn
from selfplay.tracking.files import replace_whole

ANSWERS = "answers"
META = b"selfplay"

COLUMNS = {
    "contestant": "string",
    "run": "string",
    "step": "int64",
    "suite": "string",
    "request": "string",
    "stratum": "string",
    "condition": "string",
    "own": "bool",  # false = a control beside the policy as it plays
    "sample": "int64",
    "score": "float64",
    "prompt": "string",
    "text": "string",
}


@dataclass(frozen=True)
class About:
    """Who answered what."""

    contestant: str  # "sqlm_small-0@40", "base:small"
    run: str  # "" for a bare base
    step: int  # 0 for a bare base
    recipe: str  # "" for a bare base
    arm: str  # "none" is the method itself; "base" for a bare base
    base: str
    seed: int | None
    last: bool  # whether these are the adapters that the run ended with
    suite: str
    digest: str  # of adapters, suite and skills: equal = the same measurement
    drawn: Drawn = "requests"
    unit: str = ""
    definition: str = ""
    limits: tuple[float, float] | None = None
    unmeasured: str = ""  # why there are no answers
    metrics: tuple[Mapping[str, Any], ...] = field(
        default=()
    )  # the yardstick's own, name, value, low, high, definition


@dataclass(frozen=True)
class Answered:
    """One file."""

    about: About
    answers: tuple[Answer, ...]


def path_of(arena: Path, contestant: str, suite: str) -> Path:
    """
    >>> path_of(Path("arena"), "base:Qwen/Qwen3-8B", "answers").as_posix()
    'arena/answers/base-Qwen-Qwen3-8B/answers.parquet'
    """
    return arena / ANSWERS / file_name(contestant) / f"{file_name(suite)}.parquet"


def file_name(name: str) -> str:
    return name.replace(":", "-").replace("/", "-")


def write_answers(path: Path, about: About, answers: Sequence[Answer]) -> None:
    """Raises OSError where the disk refuses; no half-written file stays behind."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    shared = {"contestant": about.contestant, "run": about.run, "step": about.step, "suite": about.suite}
    rows = [shared | {**asdict(one), "prompt": _utf8(one.prompt), "text": _utf8(one.text)} for one in answers]
    schema = pa.schema(
        [(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()],
        metadata={META: json.dumps(asdict(about), allow_nan=False)},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=schema)
    replace_whole(path, lambda partial: pq.write_table(table, partial))


def read_about(path: Path) -> About | None:
    """What a file says of itself, without its rows; None where there is no whole file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        meta = (pq.read_schema(path).metadata or {})[META]
        return _about(json.loads(meta))
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowInvalid):
        return None


def read(path: Path) -> Answered:
    """
    Raises:
        ValueError: no file of an arena.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        about = _about(json.loads((table.schema.metadata or {})[META]))
        names = ("request", "stratum", "sample", "score", "prompt", "text", "condition", "own")
        columns = [table.column(name).to_pylist() for name in names]
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowInvalid) as error:
        raise ValueError(f"{path} is no file of answers ({type(error).__name__}: {error}); measure again.") from error
    return Answered(about, tuple(Answer(*row) for row in zip(*columns, strict=True)))


def read_all(arena: Path) -> Iterator[Answered]:
    """Every file of an arena, by contestant and suite.

    Raises:
        ValueError: one of them cannot be read.
    """
    for path in sorted((arena / ANSWERS).glob("*/*.parquet")):
        yield read(path)


def _about(plain: dict[str, Any]) -> About:
    limits = plain["limits"]
    return About(
        **{**plain, "limits": None if limits is None else tuple(limits), "metrics": tuple(plain.get("metrics", ()))}
    )


def _utf8(text: str) -> str:
    """Parquet takes UTF-8 only, and a decoded text may hold a lone surrogate."""
    return text.encode(errors="backslashreplace").decode()
