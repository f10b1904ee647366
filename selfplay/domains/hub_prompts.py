"""Prompts of a Hugging Face dataset: one of the hub, or a folder that the ``datasets`` library can read.

    selfplay train recipe=serl_qa domain.path=HuggingFaceH4/ultrafeedback_binarized domain.split=train_prefs

Nothing is read before the first prompt is asked for: a plan needs neither the network nor the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

from selfplay.domains.prompts import HELD_OUT_SHARE, Pool, Prompts, read_prompt, shown_text
from selfplay.types import Prompt

HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")

ONLY_SPLIT = "train"
"""What the only dataset of a folder is called, as ``load_dataset`` calls it too."""

AT_ONCE = 1000
"""Rows that are looked through at once."""


class HubPrompts(Prompts):
    """One field of a dataset's split. Rows without text in it are left out; the data stay on the disk.

    Args:
        path: a hub id, e.g. ``"abisee/cnn_dailymail"``, or a folder: data files, or what ``save_to_disk`` wrote.
        name: of the dataset's configuration, e.g. ``"3.0.0"``; None where it has one only.
        split: e.g. ``"train"``, or a part of it, ``"train[:5000]"``.
        field: where the prompt stands: a text, or a chat as a list of messages with ``role`` and ``content``.
        template, seed, held_out: as of ``Prompts``.
        revision: of a hub dataset: a commit or a tag.

    Raises:
        ValueError: as ``Prompts`` does. What the dataset has not is told when it is first read, by ``pool``.
    """

    def __init__(
        self,
        path: str,
        name: str | None = None,
        split: str = "train",
        field: str = "prompt",
        template: str = "{prompt}",
        revision: str | None = None,
        seed: int = 0,
        held_out: float = HELD_OUT_SHARE,
    ) -> None:
        super().__init__(template, seed, held_out)
        self.path, self.name, self.split, self.field, self.revision = str(path), name, split, field, revision

    @property
    def pool(self) -> Pool:
        return _pool(self.path, self.name, self.split, self.field, self.revision, self.held_out)


class Column(Sequence[Prompt]):
    """One field of a dataset, read row by row."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows  # a datasets.Dataset of one column
        (self._field,) = rows.column_names

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Prompt: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Prompt]: ...
    def __getitem__(self, index: int | slice) -> Prompt | Sequence[Prompt]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        prompt = read_prompt(self._rows[index][self._field])
        assert prompt is not None, "rows without a prompt are not played"
        return prompt

    def texts(self) -> Iterator[str | None]:
        """Of every row, None where it holds no prompt."""
        for part in self._rows.iter(batch_size=AT_ONCE):
            for value in part[self._field]:
                prompt = read_prompt(value)
                yield None if prompt is None else shown_text(prompt)


@lru_cache(maxsize=4)  # game, yardstick and check build the domain anew; the data are looked through once
def _pool(path: str, name: str | None, split: str, field: str, revision: str | None, share: float) -> Pool:
    rows = _open(path, name, split, revision)
    if field not in rows.column_names:
        raise ValueError(
            f"domain.field={field!r}: {path} has no such field; choose one of {', '.join(rows.column_names)}."
        )
    column = Column(rows.select_columns([field]))
    if all(text is None for text in column.texts()):  # as a rule the first row says no
        raise ValueError(
            f"domain.field={field!r}: no row of {path} has a text or a chat there (it holds {rows.features[field]}); "
            f"choose another of {', '.join(rows.column_names)}."
        )
    return Pool.of(column, column.texts(), share)


def _open(path: str, name: str | None, split: str, revision: str | None) -> Any:
    """The split as a ``datasets.Dataset``; its data are read from the disk when they are asked for.

    Raises:
        ValueError: of one line, with the key, what is wrong and, where they are known, the values to choose from.
    """
    from datasets import load_dataset, load_from_disk
    from datasets.exceptions import DatasetsError

    folder = Path(path).expanduser()
    if folder.is_file():
        raise ValueError(f"domain.path={path} is a file; give its folder, or set domain=prompt_file for JSONL.")
    if not folder.is_dir() and (HUB_ID.fullmatch(path) is None or Path(*folder.parts[:1]).is_dir()):
        raise ValueError(f"domain.path={path}: there is no such folder; give one, or a hub id such as owner/dataset.")
    try:
        if any((folder / mark).is_file() for mark in ("dataset_dict.json", "state.json")):
            return _split_of(load_from_disk(str(folder)), path, split)
        return load_dataset(str(folder) if folder.is_dir() else path, name, split=split, revision=revision)
    except (ValueError, OSError, DatasetsError) as error:
        raise ValueError(_complaint(error, path, name, split)) from error


def _split_of(saved: Any, path: str, split: str) -> Any:
    """Of what ``save_to_disk`` wrote: one dataset, which is all there is, or several splits."""
    if not isinstance(saved, dict):
        if split not in (ONLY_SPLIT, str(saved.split)):
            raise ValueError(f'Unknown split "{split}": the folder holds one dataset; leave domain.split={ONLY_SPLIT}.')
        return saved
    if split not in saved:
        raise ValueError(f'Unknown split "{split}". Should be one of {list(saved)}.')
    return saved[split]


def _complaint(error: Exception, path: str, name: str | None, split: str) -> str:
    """The library's own words, on one line behind the key that they are about."""
    cause = f" ({error.__cause__})" if error.__cause__ is not None else ""
    words = " ".join(f"{error}{cause}".partition("Example of usage")[0].split())[:300].rstrip(". ")
    if "split" in words or "instruction format" in words:
        return f"domain.split={split!r}, domain.path={path}: {words}."
    if "BuilderConfig" in words or "Config name" in words:
        return f"domain.name={name}, domain.path={path}: {words}."
    return f"domain.path={path}: cannot be loaded: {words}; give a folder of data files or a hub id."
