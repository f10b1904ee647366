"""The sections of the page as HTML, each from numbers.json alone: words first, then pictures, then tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from selfplay.report import tables
from selfplay.report.courses import Panel
from selfplay.report.html import Markup, details, escape, figure, paragraph, pill, swatch, table
from selfplay.report.numbers import Numbers
from selfplay.report.pictures import (
    draw_conditions,
    draw_difficulty,
    draw_findings,
    draw_panel,
    findings_height,
    svg,
    unit_of,
)
from selfplay.report.styles import Style
from selfplay.report.wording import PARTS, slug

Styles = Mapping[str, Style]
WIDE = 4.6
"""Inches of a picture with row names; the others have ``pictures.SIZE``."""


def as_html(one: tables.Table, styles: Styles) -> str:
    """A table whose names of policies carry their colours, and whose verdicts are coloured words."""
    policies = [place for place, name in enumerate(one.header) if name == "policy"]
    verdicts = [place for place, name in enumerate(one.header) if name == "verdict"]

    def dressed(place: int, cell: str) -> str:
        if place in policies and cell in styles:
            return legend_entry(cell, styles)
        return Markup(pill(cell)) if place in verdicts else cell

    rows = [[dressed(place, cell) for place, cell in enumerate(row)] for row in one.rows]
    return table(one.caption, one.header, rows, one.texts)


def legend_entry(label: str, styles: Styles) -> Markup:
    style = styles[label]
    return swatch(label, style.colour, dashed=style.dashes != "-")


def legend(labels: Sequence[str], styles: Styles) -> str:
    items = "".join(f"<li>{legend_entry(label, styles)}</li>" for label in labels)
    return f'<ul class="legend" aria-label="Colours of the policies">{items}</ul>'


def verdict(numbers: Numbers, styles: Styles) -> str:
    warnings = "".join(paragraph(line, "warning") for line in numbers["warnings"])
    if not numbers["verdict"]:
        return warnings + paragraph("No yardstick has been measured twice, so nothing can be said about progress yet.")
    lines = "".join(
        f"<li>{pill(line['judgement'], line['verdict'])}<span>{legend_entry(line['of'], styles)} "
        f"against {escape(line['against'])}<small>{escape(line['example'])}</small></span></li>"
        for line in numbers["verdict"]
    )
    arena = bool(numbers["arena"]["differences"])
    how = ARENA_HOW if arena else OWN_HOW
    return f'{warnings}<ul class="verdict">{lines}</ul>' + paragraph(how, "note")


ARENA_HOW = (
    "Paired differences on the same held-out requests, with 95 % intervals. “No evidence” means that the interval "
    "covers zero: a gain may be there, but this measurement does not show it."
)
OWN_HOW = (
    "From the runs' own yardsticks on held-out problems: last measurement against the first, win rates against an even "
    "match, with 95 % intervals. “No evidence” means that the interval covers zero. The intervals take the two "
    "measurements as independent and seeds as one, so they are wider than those of a paired comparison."
)


def findings(numbers: Numbers, styles: Styles) -> str:
    """The forest of differences: one picture for shares, one for other units."""
    rows = numbers["arena"]["differences"] or numbers["findings"]
    pictures = []
    for share in (True, False):
        some = [row for row in rows if row["share"] == share and row["mean"] is not None]
        for kind, title, said in FORESTS:
            chosen = [row for row in some if row["kind"] == kind]
            if chosen:
                rivals = kind == "method"
                draw, size = draw_findings(chosen, styles, rivals), (WIDE, findings_height(chosen, rivals))
                picture = svg(draw, f"difference-{kind}-{int(share)}", size)
                unit = "" if share else f" ({unit_of(chosen) or 'other units'})"
                pictures.append(figure(picture, title + unit, said, "wide"))
    return f'<div class="forests">{"".join(pictures)}</div>' if pictures else ""


FORESTS = (
    (
        "start",
        "Gained over the start",
        "Dots are differences, lines 95 % intervals. Right of zero: better than untrained.",
    ),
    ("control", "Gained over the control arms", "What the method's own reward adds to the same training without it."),
    ("method", "Methods against each other", "Right of zero: the first named is better."),
)


def curves(numbers: Numbers, styles: Styles) -> str:
    """The arena's courses, then those that the runs measured on their way."""
    arena = panel_grid([panel for panel in numbers["curves"] if panel["kind"] == "arena"], styles)
    own = panel_grid([panel for panel in numbers["curves"] if panel["kind"] == "yardstick"], styles)
    shown = _conditions(numbers, styles)
    own += f'<div class="forests">{"".join(shown)}</div>' if shown else ""
    if not arena:
        return own or paragraph("No yardstick has been measured yet.")
    return f"<h3>In the arena: everybody on the same requests</h3>{arena}<h3>On the way, by each run itself</h3>{own}"


def _conditions(numbers: Numbers, styles: Styles) -> list[str]:
    """A picture a suite that was measured under several conditions, e.g. with a skill and without."""
    names = [panel["metric"] for panel in numbers["curves"] if panel["kind"] == "condition"]
    pictures = []
    for suite in dict.fromkeys(name.split("/")[1] for name in names):
        some = [panel for panel in numbers["curves"] if panel["metric"].startswith(f"yardstick/{suite}/solved")]
        picture = svg(draw_conditions(some, styles), f"conditions-{slug(suite)}", (WIDE, 0.8 + 0.4 * len(some)))
        pictures.append(figure(picture, f"{suite}: solved, by what the policy is shown", CONDITIONS_SAY, "wide"))
    return pictures


CONDITIONS_SAY = "The last measurement. A skill is worth what it adds to the rows shown something else, or nothing."


def panel_grid(panels: Sequence[Panel], styles: Styles, said_of: Callable[[Panel], str] = lambda panel: "") -> str:
    figures = [
        figure(svg(draw_panel(panel, styles), slug(panel["metric"])), panel["title"], said_of(panel))
        for panel in panels
    ]
    return f'<div class="grid">{"".join(figures)}</div>' if figures else ""


def final_tables(numbers: Numbers, styles: Styles) -> str:
    parts = [as_html(one, styles) for one in tables.arena_final(numbers)]
    if numbers["arena"]["differences"]:
        parts.append(as_html(tables.findings_table(numbers["arena"]["differences"], "Paired differences"), styles))
    extra = [*tables.arena_conditions(numbers), *tables.arena_metrics(numbers)]
    parts += [details(one.caption, as_html(one, styles)) for one in extra]
    parts.append(as_html(tables.own_final(numbers), styles))
    if numbers["findings"]:
        own = as_html(tables.findings_table(numbers["findings"], "Differences by the runs' own yardsticks"), styles)
        parts.append(details(f"All {len(numbers['findings'])} differences by the runs' own yardsticks", own))
    unmeasured = tables.unmeasured(numbers)
    if unmeasured.rows:
        parts.append(as_html(unmeasured, styles))
    return "".join(parts)


def rewards(numbers: Numbers, styles: Styles) -> str:
    panels = [panel for panel in numbers["curves"] if panel["kind"] == "reward"]
    if not panels:
        return paragraph("No role was paid in these runs.")
    roles = list(dict.fromkeys(panel["metric"].split("/")[1] for panel in panels))
    panels.sort(key=lambda panel: roles.index(panel["metric"].split("/")[1]))
    return panel_grid(panels, styles, said_of=lambda panel: PARTS.get(panel["metric"].rpartition("/")[2], ""))


def difficulty(numbers: Numbers) -> str:
    if not numbers["difficulty"]:
        return paragraph("These games do not report how hard their questions were.")
    figures = [
        figure(svg(draw_difficulty(found), f"difficulty-{place}"), found["arm"], "")
        for place, found in enumerate(numbers["difficulty"])
    ]
    return f'<div class="grid">{"".join(figures)}</div>'


def alarms(numbers: Numbers, styles: Styles) -> str:
    rang, quiet = tables.alarm_table(numbers, True), tables.alarm_table(numbers, False)
    runs = {row["run"] for row in numbers["alarms"] if row["rang"]}
    if not numbers["alarms"]:
        said = "These runs kept no guard's numbers."
    elif not runs:
        said = f"No alarm rang in {_count(len(numbers['runs']), 'run')}."
    else:
        said = f"Alarms rang in {len(runs)} of {_count(len(numbers['runs']), 'run')}."
    panels = [p for p in numbers["curves"] if p["kind"] in ("guard", "fact") and not _is_nothing(p)]
    parts = [f"<p><strong>{escape(said)}</strong></p>", as_html(rang, styles) if rang.rows else ""]
    parts.append(panel_grid([panel for panel in panels if panel["kind"] == "fact"], styles))
    guards = panel_grid([panel for panel in panels if panel["kind"] == "guard"], styles)
    if quiet.rows:
        guards += as_html(quiet, styles)
    parts.append(details("Every guard's numbers", guards) if guards else "")
    return "".join(parts)


def _is_nothing(panel: Panel) -> bool:
    """Whether all its values are 0."""
    return not any(point[1] for arm in panel["arms"] for run in arm["runs"] for point in run["points"])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def cost(numbers: Numbers, styles: Styles) -> str:
    return as_html(tables.cost_table(numbers), styles) + details(
        "The runs and their seeds", as_html(tables.seeds_table(numbers), styles)
    )


def definitions(numbers: Numbers) -> str:
    """Every name that the page draws or lists, with what was measured, folded by kind."""
    entries = {f"arena: {suite}": about["definition"] for suite, about in numbers["arena"]["suites"].items()}
    entries |= {f"arena: {name}": text for name, text in numbers["arena"]["definitions"].items()}
    folded = [("The arena: suites and statistics", entries)] if entries else []
    for title, kinds in DEFINED:
        found = {panel["metric"]: panel["definition"] for panel in numbers["curves"] if panel["kind"] in kinds}
        folded += [(title, found)] if found else []
    return "".join(details(f"{title} ({len(found)})", _definition_list(found)) for title, found in folded)


DEFINED = (
    ("Measures of the arena", ("arena",)),
    ("Yardsticks and win rates", ("yardstick", "condition")),
    ("Rewards", ("reward",)),
    ("Guards and facts of the games", ("guard", "fact")),
)


def _definition_list(entries: Mapping[str, str]) -> str:
    items = "".join(f"<dt><code>{escape(name)}</code></dt><dd>{escape(text)}</dd>" for name, text in entries.items())
    return f"<dl>{items}</dl>"


SECTIONS: Mapping[str, Callable[[Numbers, Styles], Any]] = {
    "verdict": verdict,
    "findings": findings,
    "curves": curves,
    "tables": final_tables,
    "rewards": rewards,
    "difficulty": lambda numbers, styles: difficulty(numbers),
    "alarms": alarms,
    "cost": cost,
    "definitions": lambda numbers, styles: definitions(numbers),
}
"""Place in page.html -> what fills it."""
