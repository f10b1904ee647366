"""Episodes as a page carries them: a light index for filtering, and packs of texts that are unpacked when looked at.

    chosen episodes --columns--> index, packs --gzip, base64--> text in the page

Both are JSON of columns. Strings are kept once a pack, in ``strings``; other columns hold their places there. An index
of 10^5 episodes is about 1 MB, and a pack about 1 MB before compression, so that opening one takes milliseconds.
Suffixes: ``_R`` rows (turns), ``_E`` episodes.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from selfplay.report.stored import StepFile, episode_of_rows, mean_pay, read_table

PACK_CHARACTERS = 1_000_000
OBJECTIVES = {None: 0, "reinforce": 1, "imitate": 2}
AS_STRINGS = ("prompt", "text", "rewards", "measures", "failure", "group", "role")


@dataclass(frozen=True)
class Embedded:
    """Base64 of gzipped JSON: one index, and the packs that its column ``pack`` names by their places."""

    index: str
    packs: list[str]
    shown: int
    stored: int


@dataclass
class Pack:
    """Texts of some episodes, in columns."""

    strings: dict[str, int] = field(default_factory=dict)
    columns: dict[str, list[Any]] = field(default_factory=dict)
    characters: int = 0
    episodes: int = 0

    def add(self, table: Any, starts_E: np.ndarray) -> None:
        """All rows of the table; the first row of each episode is where it begins."""
        place = self.strings
        for name in AS_STRINGS:
            distinct = table[name].combine_chunks().dictionary_encode()  # most texts of a step repeat
            places = np.array([place.setdefault(text, len(place)) for text in distinct.dictionary.to_pylist()])
            self._extend(name, places[distinct.indices.to_numpy()].tolist())
        self._extend("advantage", _rounded(table["advantage"].to_numpy(), 3))
        self._extend("logprob", _rounded(table["mean_logprob"].to_numpy(), 3))
        self._extend("tokens", table["tokens"].to_pylist())
        self._extend("stopped", [int(stopped) for stopped in table["stopped"].to_pylist()])
        self._extend("objective", [OBJECTIVES.get(name, 1) for name in table["objective"].to_pylist()])
        first = table.take(starts_E)
        facts = [_short_facts(text) for text in first["facts"].to_pylist()]
        self._extend("facts", [place.setdefault(text, len(place)) for text in facts])
        self._extend("notes", [place.setdefault(text or "{}", len(place)) for text in first["notes"].to_pylist()])
        self._extend("turns", np.diff([*starts_E, table.num_rows]).tolist())
        self.episodes += len(starts_E)

    def _extend(self, name: str, values: Sequence[Any]) -> None:
        self.columns.setdefault(name, []).extend(values)

    def packed(self) -> str:
        return packed({"strings": list(self.strings), **self.columns})


class Index:
    """What the list of episodes and its filters need, one entry an episode."""

    def __init__(self, runs: Sequence[str]) -> None:
        self.runs = list(runs)
        self.topics: dict[str, int] = {}
        names = ("run", "step", "seed", "topic", "reward", "pack", "spoke")
        self.columns: dict[str, list[Any]] = {name: [] for name in names}
        self.by_role: dict[str, list[float | None]] = {}  # mean pay of the role in each episode
        self.size = 0

    def add(self, run: int, table: Any, starts_E: np.ndarray, pack: int) -> None:
        first, count = table.take(starts_E), len(starts_E)
        episode_R = episode_of_rows(starts_E, table.num_rows)
        everyone = np.ones(table.num_rows, bool)
        topics = [self.topics.setdefault(topic, len(self.topics)) for topic in first["topic"].to_pylist()]
        columns = {
            "run": [run] * count,
            "step": first["step"].to_pylist(),
            "seed": first["seed"].to_pylist(),
            "topic": topics,
            "reward": _rounded(mean_pay(table, episode_R, everyone), 4),
            "pack": [pack] * count,
            "spoke": self._add_roles(table, episode_R, count),
        }
        for name, values in columns.items():
            self.columns[name].extend(values)
        self.size += count

    def _add_roles(self, table: Any, episode_R: np.ndarray, count: int) -> list[int]:
        """Pay by role, and of each episode a bit for every role that said something, in the order of ``by_role``."""
        roles_R = np.asarray(table["role"].to_pylist(), dtype=object)
        for role in dict.fromkeys(roles_R):
            self.by_role.setdefault(role, [None] * self.size)
        spoke_E = np.zeros(count, dtype=np.int64)
        for bit, (role, rewards) in enumerate(self.by_role.items()):
            mask_R = roles_R == role
            rewards.extend(_rounded(mean_pay(table, episode_R, mask_R), 4))
            spoke_E |= (np.bincount(episode_R[mask_R], minlength=count) > 0).astype(np.int64) << bit
        return spoke_E.tolist()

    def packed(self) -> str:
        return packed({"runs": self.runs, "topics": list(self.topics), **self.columns, "roles": self.by_role})


def embed(runs: Sequence[str], files: Sequence[Sequence[StepFile]], chosen: Sequence[Sequence[list[int]]]) -> Embedded:
    """Read the chosen episodes of every run's files again and pack them."""
    index, packs, pack = Index(runs), [], Pack()
    for run, (files_S, chosen_S) in enumerate(zip(files, chosen, strict=True)):
        for file, chosen_E in zip(files_S, chosen_S, strict=True):
            for table, starts_E, characters in _slices(file, chosen_E):
                if pack.episodes and pack.characters + characters > PACK_CHARACTERS:
                    packs.append(pack.packed())
                    pack = Pack()
                pack.add(table, starts_E)
                pack.characters += characters
                index.add(run, table, starts_E, len(packs))
    if pack.episodes:
        packs.append(pack.packed())
    stored = sum(len(file.starts_E) for files_S in files for file in files_S)
    return Embedded(index.packed(), packs, index.size, stored)


def _slices(file: StepFile, chosen_E: list[int]) -> Iterator[tuple[Any, np.ndarray, int]]:
    """Tables of some chosen episodes each, not much above a pack's size, with their first rows and characters."""
    if not chosen_E:
        return
    table = read_table(file.path)
    ends_E = np.append(file.starts_E[1:], file.rows)
    packs_E = file.characters_E[chosen_E].cumsum() // PACK_CHARACTERS
    for number in np.unique(packs_E):
        some = [episode for episode, of in zip(chosen_E, packs_E, strict=True) if of == number]
        rows = np.concatenate([np.arange(file.starts_E[episode], ends_E[episode]) for episode in some])
        sizes = [int(ends_E[episode] - file.starts_E[episode]) for episode in some]
        starts_E = np.cumsum([0, *sizes[:-1]])
        yield table.take(rows), starts_E, int(file.characters_E[some].sum())


def packed(value: Any) -> str:
    """JSON, gzipped and in base64: letters, digits, ``+``, ``/`` and ``=`` alone, so no text of a model can end a tag.

    >>> json.loads(gzip.decompress(base64.b64decode(packed({"text": "</script>"}))))
    {'text': '</script>'}
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode("ascii")


def _rounded(values: np.ndarray, digits: int) -> list[float | None]:
    rounded = np.round(values.astype(float), digits)
    return [value if finite else None for value, finite in zip(rounded.tolist(), np.isfinite(rounded), strict=True)]


def _short_facts(text: str | None) -> str:
    """Facts with six digits: a page shows three, and long floats do not compress."""
    facts = json.loads(text or "{}")
    return json.dumps({name: float(f"{value:.6g}") if _finite(value) else None for name, value in facts.items()})


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))
