"""Writes a report: the page, its pictures, table.md and numbers.json, or the page of one run alone.

run folders, standings --numbers_of--> numbers.json --sections--> report.html, *.png, table.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selfplay.report.numbers import GENERATOR, Numbers, numbers_of, read_source
from selfplay.report.page import page
from selfplay.report.pictures import Draw, draw_difficulty, draw_findings, draw_panel, findings_height, png
from selfplay.report.runs import read_runs
from selfplay.report.styles import Style
from selfplay.report.tables import markdown
from selfplay.report.wording import slug
from selfplay.tracking.files import replace_whole, write_json, write_text

CHARACTERS = 100_000_000
"""How much text of episodes a page holds at most by default; see the measurements in ``selfplay.report``."""

HEAD = 4096
"""Bytes at a file's beginning in which our mark stands."""


def write_report(
    out: Path,
    runs: Sequence[Path],
    standings: Mapping[str, Any] | None,
    title: str,
    characters: int = CHARACTERS,
) -> Path:
    """Write ``out/report.html``, pictures as PNG, table.md and numbers.json; the path of the page.

    Args:
        runs: run folders, finished or not; methods are shown in this order.
        standings: what ``selfplay.comparison.standings`` gave, or None: the runs' own yardsticks alone.
        characters: text of episodes to embed at most; where a run has more, `stored.choose` picks.

    Raises:
        ValueError: no run, a folder that is no run, or a file in ``out`` that no report wrote.
    """
    source = read_source(read_runs(runs), characters)
    numbers = numbers_of(source, standings, title)
    styles = {style.label: style for style in source.styles.values()}
    pictures = picture_files(numbers, styles)
    target = out / "report.html"
    refuse_strangers([target, out / "table.md", out / "numbers.json", *(out / name for name in pictures)])
    text = page(numbers, source)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "numbers.json", numbers)
    write_text(out / "table.md", markdown(numbers))
    for name, (draw, heading, size) in pictures.items():
        replace_whole(out / name, lambda partial, draw=draw, h=heading, size=size: png(draw, partial, h, size))
    write_text(target, text)
    return target


def write_page(target: Path, run: Path, characters: int = CHARACTERS) -> Path:
    """Write the page of one run into one file.

    Raises:
        ValueError: no run, or a file there that no report wrote.
    """
    source = read_source(read_runs([run]), characters)
    refuse_strangers([target])
    (only,) = source.runs
    text = page(numbers_of(source, None, f"{only.name}: {only.arm.recipe}, seed {only.seed}"), source)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, text)
    return target


def refuse_strangers(paths: Sequence[Path]) -> None:
    """Raises ValueError for the first path that exists and does not bear our mark: it may be somebody's work."""
    for path in paths:
        if path.is_dir():
            raise ValueError(f"{path} is a folder; name another place.")
        if path.exists():
            with path.open("rb") as file:
                head = file.read(HEAD)
            if GENERATOR.encode() not in head:
                raise ValueError(
                    f"{path} was not written by a report and is left alone; move it or name another place."
                )


def picture_files(numbers: Numbers, styles: Mapping[str, Style]) -> dict[str, tuple[Draw, str, tuple[float, float]]]:
    """File name -> how to draw it, its title, and its size in inches."""
    files: dict[str, tuple[Draw, str, tuple[float, float]]] = {}
    rows = numbers["arena"]["differences"] or numbers["findings"]
    shares = [row for row in rows if row["share"] and row["mean"] is not None]
    if shares:
        files["differences.png"] = (
            draw_findings(shares, styles),
            "Differences with 95 % intervals",
            (8.0, 0.25 + findings_height(shares)),
        )
    for panel in numbers["curves"]:
        if panel["kind"] in ("arena", "yardstick", "reward"):
            files[f"{slug(panel['metric'])}.png"] = (draw_panel(panel, styles), panel["title"], (6.4, 4.2))
    for found in numbers["difficulty"]:
        title = f"Difficulty of questions: {found['arm']}"
        files[f"difficulty-{slug(found['arm'])}.png"] = (draw_difficulty(found), title, (6.4, 4.2))
    return files
