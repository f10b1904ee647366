"""The verb ``selfplay small-base``.

selfplay small-base build [--name small] [--seed N] [--folder DIR] [--force]
selfplay small-base score [--base small] [--n 100]
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from selfplay.small_base import shipped_folder, shipped_names

if TYPE_CHECKING:
    from selfplay.small_base.recipes import Recipe


def main(argv: list[str]) -> int:
    """Exit status: 0 done, 1 built but outside the expected bands, 2 a mistake of the user's, told in one line."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except ValueError as error:
        print(f"selfplay small-base: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="selfplay small-base", description="Build or measure a small base model.")
    verbs = parser.add_subparsers(required=True, metavar="build|score")
    build = verbs.add_parser("build", help="build a base from nothing (minutes on 2 cores), or find it in the cache")
    build.add_argument("--name", default="small", help="the recipe's name (default: small)")
    build.add_argument("--seed", type=int, help="another seed than the recipe's")
    build.add_argument("--folder", type=Path, help="where to; default: a folder of the user's cache")
    build.add_argument("--threads", type=int, help="of torch; the weights depend on their number")
    build.add_argument("--force", action="store_true", help="build in a new folder even if the cache has it")
    build.set_defaults(run=run_build)
    score = verbs.add_parser("score", help="measure each skill of a base")
    score.add_argument("--base", default="small", help="a shipped base or a folder (default: small)")
    score.add_argument("--n", type=int, default=100, help="problems of each kind (each operand length)")
    score.add_argument("--seed", type=int, default=1, help="of problems and sampling")
    score.set_defaults(run=run_score)
    return parser


def run_build(arguments: argparse.Namespace) -> int:
    import torch

    from selfplay.small_base import builder
    from selfplay.small_base.recipes import find_recipe

    recipe = find_recipe(arguments.name)
    if arguments.seed is not None:
        recipe = dataclasses.replace(recipe, seed=arguments.seed)
    if arguments.threads is not None:
        if arguments.threads < 1:
            raise ValueError(f"--threads={arguments.threads} must be at least 1.")
        torch.set_num_threads(arguments.threads)
    folder = arguments.folder
    if arguments.force and folder is None:
        folder = Path(tempfile.mkdtemp(prefix=f"{recipe.name}-")) / recipe.digest()
    folder = _build_with_progress(recipe, folder)
    record = builder.read_record(folder)
    _print_scores(record["scores"], f"{recipe.name}, seed {recipe.seed}, recipe {record['hash']}")
    print(f"{record['parameters']:,} parameters, trained in {record['seconds']:.0f} s on {record['threads']} threads")
    for line in record["outside_bands"]:
        print(f"OUTSIDE ITS BAND: {line}")
    print(folder)
    return 1 if record["outside_bands"] else 0


def run_score(arguments: argparse.Namespace) -> int:
    from selfplay.small_base import scoring
    from selfplay.small_base.recipes import FIRST_CORPUS
    from selfplay.small_base.records import corpus_of

    if arguments.n < 1:
        raise ValueError(f"--n={arguments.n} must be at least 1.")
    folder = shipped_folder(arguments.base) if arguments.base in shipped_names() else Path(arguments.base).expanduser()
    if not (folder / "config.json").is_file():
        raise ValueError(f"--base={arguments.base!r} is no base; give a folder or one of {', '.join(shipped_names())}.")
    n = arguments.n
    if corpus_of(folder) == FIRST_CORPUS:
        drawn = f"up to {n} held-out problems of each operand length x {scoring.SAMPLES} samples; {4 * n} proposals; "
        drawn += f"{max(1, n // 2)} lists of each category; {4 * n} pairs of each kind to judge"
    else:
        drawn = f"{4 * n} prompts of each kind, held-out documents and tasks, one sampled reply"
    _print_scores(scoring.score(folder, n, arguments.seed), f"{arguments.base} ({drawn})")
    return 0


def _build_with_progress(recipe: Recipe, folder: Path | None) -> Path:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from selfplay.small_base import builder

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns) as progress:
        task = progress.add_task(f"building {recipe.name}", total=recipe.steps, loss="-")
        return builder.build(
            recipe, folder, lambda step, loss: progress.update(task, completed=step, loss=f"{loss:.3f}")
        )


def _print_scores(scores: dict[str, float], title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("skill", "score", title=title)
    for name, value in scores.items():
        table.add_row(name, f"{value:.3f}")
    Console().print(table)
