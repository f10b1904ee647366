"""What the episode store of a run holds: sizes, pay and tokens of every episode, and which of them a page has room for.

    episodes/step-*.parquet --scan--> StepFile --choose--> the episodes to embed

Suffixes: ``_R`` rows (turns) of one file, ``_E`` episodes of one file, ``_S`` files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from selfplay.tracking.metrics_file import EPISODES, step_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class StepFile:
    """One parquet file, counted."""

    path: Path
    step: int
    starts_E: np.ndarray  # first row of each episode
    rows: int
    rewards_E: np.ndarray  # mean pay of the turns that were paid; nan = none was
    characters_E: np.ndarray  # of prompts, texts, facts and notes
    turns: Counter[str]  # by role
    tokens: Counter[str]  # sampled, by role


def scan_run(folder: Path) -> list[StepFile]:
    """Every step's file in order; empty where a run has stored nothing yet.

    Raises:
        ValueError: a file that cannot be read.
    """
    return [scan(path) for path in sorted((folder / EPISODES).glob("step-*.parquet"), key=step_of)]


def scan(path: Path) -> StepFile:
    """Count one file."""
    columns = ["turn", "role", "reward", "rewards", "tokens", "prompt", "text", "facts", "notes"]
    table = read_table(path, columns)
    starts_E = np.flatnonzero(table["turn"].to_numpy() == 0)
    if not len(starts_E):
        empty = np.zeros(0)
        return StepFile(path, step_of(path), starts_E, 0, empty, empty, Counter(), Counter())
    lengths_R = _bytes(table["prompt"]) + _bytes(table["text"])
    shared_R = _bytes(table["facts"]) + _bytes(table["notes"])
    roles_R = table["role"].to_pylist()
    tokens: Counter[str] = Counter()
    for role, count in zip(roles_R, table["tokens"].to_pylist(), strict=True):
        tokens[role] += count or 0
    episode_R = episode_of_rows(starts_E, table.num_rows)
    return StepFile(
        path=path,
        step=step_of(path),
        starts_E=starts_E,
        rows=table.num_rows,
        rewards_E=mean_pay(table, episode_R, np.ones(table.num_rows, bool)),
        characters_E=np.add.reduceat(lengths_R, starts_E) + shared_R[starts_E],
        turns=Counter(roles_R),
        tokens=tokens,
    )


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A step's file.

    Raises:
        ValueError: it cannot be read; one line.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path} cannot be read ({reason}); move it away to see the other steps.") from error


def _bytes(column: pa.ChunkedArray) -> np.ndarray:
    """(rows,) of each text in UTF-8, which stands for its characters."""
    import pyarrow.compute as pc

    return pc.call_function("binary_length", [column]).to_numpy()


def episode_of_rows(starts_E: np.ndarray, rows: int) -> np.ndarray:
    """(rows,) the number of the episode that each row belongs to.

    >>> episode_of_rows(np.array([0, 2]), 5).tolist()
    [0, 0, 1, 1, 1]
    """
    marks = np.zeros(rows, dtype=np.int64)
    marks[starts_E] = 1
    return marks.cumsum() - 1


def mean_pay(table: Any, episode_R: np.ndarray, mask_R: np.ndarray) -> np.ndarray:
    """(E,) mean reward of the masked turns that were paid at all; nan where there is none."""
    import pyarrow.compute as pc

    paid_R = mask_R & pc.call_function("not_equal", [table["rewards"], "{}"]).to_numpy()
    episodes = int(episode_R[-1]) + 1
    counts_E = np.bincount(episode_R[paid_R], minlength=episodes)
    sums_E = np.bincount(episode_R[paid_R], table["reward"].to_numpy()[paid_R], minlength=episodes)
    with np.errstate(invalid="ignore"):
        return sums_E / counts_E


def spread_order(n: int) -> list[int]:
    """0 to n - 1, the ends first, then the middle, then the middles between: every beginning of it is spread out.

    >>> spread_order(5), spread_order(1), spread_order(0)
    ([0, 4, 2, 1, 3], [0], [])
    """
    order = [0, n - 1][:n] if n != 1 else [0]
    gaps = [(0, n - 1)]
    for low, high in gaps:  # grows while it is walked
        if high - low > 1:
            middle = (low + high) // 2
            order.append(middle)
            gaps += [(low, middle), (middle, high)]
    return order


CHOSEN = "spread evenly over the steps, and in each step over its rewards from the lowest to the highest"
"""What `choose` does, as the page says it."""


def choose(files_S: Sequence[StepFile], characters: int) -> list[list[int]]:
    """For each file the episodes that fit into so many characters together, in file order; all if all fit.

    Every step gives its episode of lowest pay first, then each its highest, and so on, as `CHOSEN` says. One episode
    is always taken, however long.
    """
    if sum(int(file.characters_E.sum()) for file in files_S) <= characters:
        return [list(range(len(file.starts_E))) for file in files_S]
    ranked_S = [np.argsort(file.rewards_E, kind="stable") for file in files_S]
    orders_S = [ranked[spread_order(len(ranked))] for ranked in ranked_S]
    chosen_S: list[list[int]] = [[] for _ in files_S]
    left = characters
    for turn in range(max(map(len, orders_S))):
        for step in spread_order(len(files_S)):
            if turn < len(orders_S[step]):
                episode = int(orders_S[step][turn])
                size = int(files_S[step].characters_E[episode])
                if size <= left or left == characters:
                    chosen_S[step].append(episode)
                    left -= size
    return [sorted(chosen) for chosen in chosen_S]
