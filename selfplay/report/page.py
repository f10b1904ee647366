"""The page: page.html with its sections, the packed episodes, styles and scripts filled in. One file, no network."""

from __future__ import annotations

from importlib.resources import files
from string import Template

from selfplay.report.embedding import Embedded, embed
from selfplay.report.html import escape
from selfplay.report.numbers import GENERATOR, Numbers, Source
from selfplay.report.sections import SECTIONS, legend

SCRIPTS = ("store.js", "reader.js", "page.js")
"""In the order in which they stand on each other."""


def page(numbers: Numbers, source: Source) -> str:
    """The whole document.

    Raises:
        ValueError: an episode file that cannot be read.
    """
    styles = {style.label: style for style in source.styles.values()}
    runs = source.runs
    names = [run.name for run in runs]
    embedded = embed(names, [source.files[name] for name in names], [source.chosen[name] for name in names])
    return Template(_part("page.html")).substitute(
        {place: fill(numbers, styles) for place, fill in SECTIONS.items()},
        generator=GENERATOR,
        title=escape(numbers["title"]),
        lead=escape(lead(numbers)),
        legend=legend(list(styles), styles) if len(styles) > 1 else "",
        css=_part("page.css"),
        js="\n".join(map(_part, SCRIPTS)),
        shown=escape(shown(numbers, embedded)),
        index=embedded.index,
        packs=_packs(embedded),
    )


def lead(numbers: Numbers) -> str:
    """What the report is about, in a line.

    >>> run = {"label": "sqlm", "arm": "none", "seed": 0}
    >>> lead({"runs": [run, {"label": "serl", "arm": "none", "seed": 1}, {"label": "r", "arm": "random", "seed": 0}]})
    'sqlm and serl, with control arms (random reward): 3 runs, seeds 0, 1.'
    """
    runs = numbers["runs"]
    methods = list(dict.fromkeys(run["label"] for run in runs if run["arm"] == "none"))
    controls = ", ".join(f"{arm} reward" for arm in dict.fromkeys(run["arm"] for run in runs) if arm != "none")
    what = ", ".join(methods[:-1]) + (" and " if methods[1:] else "") + methods[-1] if methods else runs[0]["label"]
    beside = f", with control arms ({controls})" if controls and methods else ""
    seeds = sorted({run["seed"] for run in runs})
    times = f"{len(runs)} run{'s' if len(runs) > 1 else ''}"
    return f"{what}{beside}: {times}, seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}."


def shown(numbers: Numbers, embedded: Embedded) -> str:
    """How many of the stored episodes the page holds, and which.

    >>> counts = {"episodes": {"chosen": "spread evenly"}}
    >>> shown(counts, Embedded("", [], 5, 2000))
    '5 of 2,000 episodes are here, spread evenly; the others are in the runs’ episodes/ folders.'
    """
    if not embedded.stored:
        return "No episode has been stored yet."
    if embedded.shown == embedded.stored:
        return f"All {embedded.stored:,} episodes that were stored."
    chosen = numbers["episodes"]["chosen"]
    return (
        f"{embedded.shown:,} of {embedded.stored:,} episodes are here, {chosen}; "
        "the others are in the runs’ episodes/ folders."
    )


def _packs(embedded: Embedded) -> str:
    return "\n".join(
        f'<script type="text/plain" id="pack-{number}">{text}</script>' for number, text in enumerate(embedded.packs)
    )


def _part(name: str) -> str:
    return files("selfplay.report").joinpath(name).read_text(encoding="utf-8")
