"""AlpacaEval's two files (arXiv 2404.04475, github.com/tatsu-lab/alpaca_eval), written and read.

model_outputs.json   [{"dataset", "instruction", "output", "generator"}, ...]
annotations.json     [{"instruction", "output_1", "output_2", "generator_1", "generator_2", "annotator", "preference"}]

``preference`` is 1 where output_1 is better, 2 where output_2 is, 1.5 for a tie, between for a judge's probability,
null where nothing could be read. As there, output_1 is the reference (B) and output_2 the policy in question (A),
whatever the order of showing. ``is_switch_output_1_output_2``, AlpacaEval's name, says that output_2 was shown first.
Keys of our own: ``item``, a request's name, since one may be drawn or answered several times, and ``pairing``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfplay.evaluation.contests import Comparison

OUTPUTS_MEND = 'give a JSON list of {"instruction": ..., "output": ..., "generator": ...}'
ANNOTATIONS_MEND = 'give a JSON list of {"instruction", "output_1", "output_2", "generator_1", "generator_2", ...}'
SWITCHED = "is_switch_output_1_output_2"


@dataclass(frozen=True, slots=True)
class Output:
    """One answer of a model_outputs.json."""

    instruction: str
    output: str
    generator: str
    item: str = ""  # "" where the file does not name its requests
    dataset: str = "selfplay"


@dataclass(frozen=True, slots=True)
class Annotations:
    """An annotations.json: ``a`` is generator_2, the policy in question, ``b`` generator_1, the reference."""

    a: str
    b: str
    annotator: str
    comparisons: tuple[Comparison, ...]


def write_outputs(path: Path, outputs: Sequence[Output]) -> None:
    """Raises ValueError where the file exists already, or cannot be written."""
    rows = []
    for output in outputs:
        row = {"dataset": output.dataset, "instruction": output.instruction, "output": output.output}
        rows.append(row | {"generator": output.generator} | ({"item": output.item} if output.item else {}))
    write_json(path, rows)


def read_outputs(path: Path) -> list[Output]:
    """The answers, in the file's order. A file that names no generator is its own; ``input`` follows the instruction.

    Raises:
        ValueError: naming the file, the entry (from 1) and the mend.
    """
    found = []
    for where, row in _rows(path, OUTPUTS_MEND):
        instruction, output = _text(row, "instruction", where, OUTPUTS_MEND), _text(row, "output", where, OUTPUTS_MEND)
        if isinstance(row.get("input"), str) and row["input"].strip():
            instruction = f"{instruction}\n\n{row['input']}"
        generator, dataset = row.get("generator") or path.stem, row.get("dataset") or ""
        found.append(Output(instruction, output, str(generator), str(row.get("item") or ""), str(dataset)))
    return found


def write_annotations(path: Path, annotations: Annotations) -> None:
    """Raises ValueError where the file exists already, or cannot be written."""
    rows = []
    for c in annotations.comparisons:
        row: dict[str, Any] = {"instruction": c.instruction, "output_1": c.text_b, "output_2": c.text_a}
        row |= {"generator_1": annotations.b, "generator_2": annotations.a, "annotator": annotations.annotator}
        row |= {"preference": None if c.score is None else 1 + c.score, "item": c.item, "pairing": c.pairing}
        rows.append(row if c.a_first is None else row | {SWITCHED: c.a_first})
    write_json(path, rows)


def read_annotations(path: Path) -> Annotations:
    """The comparisons of one pair of generators.

    Forgiving: a preference may lie between 1 and 2, be a number in a text, NaN (unreadable) or 0 (a tie in old files);
    entries with the generators the other way round are turned. A file that does not name its requests is taken to
    have one for each instruction; the order of showing is unknown where it does not say it.

    Raises:
        ValueError: naming the file, the entry (from 1) and the mend.
    """
    names: tuple[str, str] | None = None
    annotator, comparisons = "", []
    for where, row in _rows(path, ANNOTATIONS_MEND):
        instruction, b, a, of_b, of_a = (
            _text(row, key, where, ANNOTATIONS_MEND)
            for key in ("instruction", "output_1", "output_2", "generator_1", "generator_2")
        )
        names = names or (of_a, of_b)
        if {of_a, of_b} != set(names):
            raise ValueError(f"{where}: compares {of_b} with {of_a}, the entries before {names[1]} with {names[0]}; "
                             "split the file, one pair of generators in each.")  # fmt: skip
        annotator = annotator or str(row.get("annotator") or "")
        score, a_first = _score(row.get("preference"), where), row.get(SWITCHED)
        item, pairing = str(row.get("item") or instruction), str(row.get("pairing") or "0-0")
        a_first = a_first if isinstance(a_first, bool) else None
        if of_a != names[0]:
            a, b, score = b, a, None if score is None else 1 - score
            a_first = None if a_first is None else not a_first
        comparisons.append(Comparison(item, pairing, instruction, a, b, a_first, score))
    assert names is not None  # an empty file was refused
    return Annotations(*names, annotator, tuple(comparisons))


def is_annotations(path: Path) -> bool:
    """Whether the file holds annotations rather than outputs, by its first entry.

    Raises:
        ValueError: no JSON list of objects.
    """
    first = next(iter(_rows(path, OUTPUTS_MEND)), None)
    return first is not None and "output_1" in first[1]


def write_json(path: Path, value: object) -> None:
    """Raises ValueError where the file exists already, or cannot be written."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise ValueError(f"{path}: cannot be written ({error.strerror}); name another folder.") from error


def _rows(path: Path, mend: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(file and entry, entry) of each; a whole file is checked before the first is handed on."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is not JSON: {error}"
        raise ValueError(f"{path}: cannot be read ({reason}); {mend}.") from error
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"{path}: holds {'an empty list' if rows == [] else type(rows).__name__}; {mend}.")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise ValueError(f"{path}, entry {number}: is no object; {mend}.")
    return iter([(f"{path}, entry {number}", row) for number, row in enumerate(rows, start=1)])


def _text(row: Mapping[str, Any], key: str, where: str, mend: str) -> str:
    if not isinstance(row.get(key), str):
        raise ValueError(f"{where}: has no text {key!r} (its keys: {', '.join(row) or 'none'}); {mend}.")
    return row[key]


def _score(preference: Any, where: str) -> float | None:
    """Score of output_2: preference minus 1."""
    number = math.inf  # what is no number is out of range
    if preference is None:
        return None
    if isinstance(preference, int | float | str) and not isinstance(preference, bool):
        with suppress(ValueError):
            number = float(preference)
    if math.isnan(number):
        return None
    if number == 0:
        return 0.5
    if not 1 <= number <= 2:
        raise ValueError(f"{where}: preference={preference!r} must be 1 (output_1 is better), 2 (output_2), between, "
                         "1.5 for a tie, or null where it cannot be read.")  # fmt: skip
    return number - 1
