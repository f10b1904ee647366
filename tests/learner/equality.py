"""The equality table: the learner on two processes under every strategy against a single-process reference.

    bash launch/equality.sh [--strategies "DDP ZeRO-3"] [--only WORDS] [--write launch/equality.md]

Every figure is a largest difference between the two runs' parameters over all learning parameters:

    sgd first   after the first optimizer step of plain SGD, over the reference's largest movement in that step
    sgd all     over four steps of plain SGD: difference of the movements in one step, over the reference's largest
                movement in that step; the worst step counts
    adamw       after four steps of AdamW, over the reference's largest movement since the start

A movement of plain SGD is the rate times the gradient, so that the first two are differences of gradients over the
largest gradient. Exit status 1 when a cell is over its bound; the cell is named.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from tests.learner.equality_cells import STRATEGIES, WORLD, Cell, table
from tests.learner.equality_reference import Run, train
from tests.tiny import tiny_base

BOUNDS = {"sgd first": 1e-6, "sgd all": 1e-5, "adamw": 3e-4}
CONFIGS = Path(__file__).parents[2] / "launch" / "accelerate"
CLIPPED = ("dapo", "grpo", "bnpo", "dr_grpo", "luspo")
Figures = dict[str, float]
Found = dict[tuple[str, str], Figures]


def figures(cell: Cell, found: Run, reference: Run) -> Figures:
    """The cell's differences, by the names of ``BOUNDS``."""
    assert found.steps[0].keys() == reference.steps[0].keys()
    if cell.optimizer == "adamw":
        return {"adamw": _difference(found.steps[0], found.steps[-1], reference.steps[0], reference.steps[-1])}
    movements = [
        _difference(*pair)
        for pair in zip(found.steps[:-1], found.steps[1:], reference.steps[:-1], reference.steps[1:], strict=True)
    ]
    return {"sgd first": movements[0], "sgd all": max(movements)}


def _difference(before, after, reference_before, reference_after) -> float:
    wanted = {name: reference_after[name] - value for name, value in reference_before.items()}
    largest = max(float(movement.abs().max()) for movement in wanted.values())
    apart = [float((after[name] - before[name] - movement).abs().max()) for name, movement in wanted.items()]
    # NaN is greater than nothing: a run that lost itself must not pass as equal
    return max(apart) / largest if all(value == value for value in apart) else float("inf")


def references(base: Path, cells: Sequence[Cell]) -> dict[str, Run]:
    """Each cell's reference; cells that differ only in what may not matter share one."""
    known: dict[str, Run] = {}
    for cell in cells:
        plain = replace(cell, checkpointing=False, fault="")
        if plain.key not in known:
            known[plain.key] = train(str(base), plain)
            clipping = plain.updates > 1 and plain.loss in CLIPPED
            assert known[plain.key].clipped or not clipping, f"{cell.key}: no token meets the clip range"
        known[cell.key] = known[plain.key]
    return known


def on_two_processes(strategy: str, base: Path, known: Mapping[str, Run], cells: Sequence[Cell], folder: Path):
    """What the cells came to under one strategy, by key, in one launch with the shipped configuration.

    Rate and clip range of every cell are those of its reference.
    """
    asked, found = folder / f"{strategy}-cells.pt", folder / f"{strategy}-found.pt"
    torch.save([(cell, known[cell.key].rate, known[cell.key].epsilon) for cell in cells], asked)
    command = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--config_file",
        f"{CONFIGS / STRATEGIES[strategy]}.yaml",
    ]
    command += ["--num_processes", str(WORLD), "--main_process_port", "0", "-m", "tests.learner.equality_rank"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [*command, str(base), str(asked), str(found)], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{strategy} ended with status {done.returncode}:\n{done.stderr[-4000:]}")
    return torch.load(found, weights_only=False)


def over(cell: Cell, found: Figures) -> list[str]:
    """The bounds that a cell breaks, one line each."""
    return [
        f"{cell.key}: {name} {value:.1e} > {BOUNDS[name]:.0e}"
        for name, value in found.items()
        if not value <= BOUNDS[name]
    ]


def compare(cells_of: Mapping[str, Sequence[Cell]], folder: Path) -> Found:
    """Cells of every strategy -> the figures of (strategy, cell)."""
    base = tiny_base(folder / "base", initializer_range=0.1)  # sharper logits would make float32 the subject
    known = references(base, [cell for cells in cells_of.values() for cell in cells])
    found = {}
    for strategy, cells in cells_of.items():
        started = time.perf_counter()
        runs = on_two_processes(strategy, base, known, cells, folder)
        _say(f"{strategy}: {len(cells)} runs in {time.perf_counter() - started:.0f} s")
        found |= {(strategy, cell.key): figures(cell, runs[cell.key], known[cell.key]) for cell in cells}
    return found


def lines(strategies: Sequence[str], cells: Sequence[Cell], found: Found) -> list[str]:
    """A markdown table: one line a cell, ``sgd first / sgd all / adamw`` under every strategy."""
    names = list(dict.fromkeys(cell.name for cell in cells))
    rows = ["| cell | " + " | ".join(strategies) + " |", "| --- |" + " --- |" * len(strategies)]
    for name in names:
        texts = []
        for strategy in strategies:
            both = found.get((strategy, f"{name} sgd"), {}) | found.get((strategy, f"{name} adamw"), {})
            texts.append(" / ".join(f"{both[bound]:.0e}" for bound in BOUNDS if bound in both))
        rows.append(f"| {name} | " + " | ".join(texts) + " |")
    worst = [
        " / ".join(f"{max(fig[b] for (s, _), fig in found.items() if s == strategy and b in fig):.0e}" for b in BOUNDS)
        for strategy in strategies
    ]
    return [*rows, "| **largest** | " + " | ".join(worst) + " |"]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="launch/equality.sh", description="The equality table; see launch/equality.md."
    )
    parser.add_argument("--strategies", default=" ".join(STRATEGIES), help="in one word, with spaces between them")
    parser.add_argument("--only", default="", help="cells whose name holds this text")
    parser.add_argument("--write", type=Path, help="write the table into this file too, below its line 'The table'")
    asked = parser.parse_args(words)
    strategies = asked.strategies.split()
    cells = [cell for cell in table() if asked.only in cell.key]
    if not cells or not set(strategies) <= set(STRATEGIES):
        parser.error(
            f"nothing to compare: strategies are {', '.join(STRATEGIES)}; cells are named as in launch/equality.md"
        )
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(dict.fromkeys(strategies, cells), Path(folder))
    rows = lines(strategies, cells, found)
    print("\n".join(rows))
    faults = [
        f"{strategy}: {line}"
        for strategy in strategies
        for cell in cells
        for line in over(cell, found[strategy, cell.key])
    ]
    for fault in faults:
        _say(f"over its bound: {fault}")
    _say(
        f"{len(found)} runs compared in {time.perf_counter() - started:.0f} s; {len(faults)} figures over their bounds"
    )
    if asked.write:
        _write(asked.write, rows)
    return 1 if faults else 0


def _write(file: Path, rows: Sequence[str]) -> None:
    head = file.read_text(encoding="utf-8").partition("\n## The table\n")[0]
    file.write_text("\n".join([head, "## The table", "", *rows, ""]), encoding="utf-8")


def _say(line: str) -> None:
    print(f"selfplay: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
