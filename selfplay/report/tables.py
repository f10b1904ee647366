"""The tables of a report: header and rows of text, written as HTML into the page and as markdown into table.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from selfplay.report.alarms import spans
from selfplay.report.html import interval, number
from selfplay.report.numbers import GENERATOR, Numbers

Row = Sequence[str]


@dataclass(frozen=True)
class Table:
    caption: str
    header: Row
    rows: Sequence[Row]
    texts: int = 1  # so many columns from the left are words


def arena_final(numbers: Numbers) -> list[Table]:
    """Where everybody stands in the arena, a table a suite."""
    tables = []
    for suite, about in numbers["arena"]["suites"].items():
        rows = [
            [
                row["label"],
                str(len(row["seeds"])) if row["seeds"] else "–",
                number(row["mean"]),
                interval(row["low"], row["high"]),
                ", ".join(number(one["mean"]) for one in row["by_seed"]) or "–",
            ]
            for row in numbers["arena"]["final"]
            if row["suite"] == suite
        ]
        if rows:
            unit = about.get("unit", "score")
            tables.append(Table(f"{suite}: {unit}", ["policy", "seeds", "mean", "95 % interval", "each seed"], rows))
    return tables


def arena_conditions(numbers: Numbers) -> list[Table]:
    """What each contestant scored under several conditions, e.g. with its skill and without."""
    rows = [
        [row["suite"], row["contestant"], row["condition"], number(row["mean"]), interval(row["low"], row["high"])]
        for row in numbers["arena"]["conditions"]
    ]
    header = ["suite", "policy", "shown", "mean", "95 % interval"]
    return [Table("By what the policy was shown", header, rows, texts=3)] if rows else []


def arena_metrics(numbers: Numbers) -> list[Table]:
    """Yardsticks of the arena that keep no answers, so that nothing can be paired."""
    rows = [
        [
            row["suite"],
            row["contestant"],
            row["name"],
            number(row.get("value")),
            interval(row.get("low"), row.get("high")),
        ]
        for row in numbers["arena"]["metrics"]
    ]
    header = ["suite", "policy", "measure", "value", "95 % interval"]
    return [Table("Measured without answers to pair", header, rows, texts=3)] if rows else []


def unmeasured(numbers: Numbers) -> Table:
    """What a suite could not ask, and of whom: checkpoints and seeds of one policy once."""
    labels = {run["run"]: run["label"] for run in numbers["runs"]}
    whom: dict[tuple[str, str], list[str]] = {}
    for row in numbers["arena"]["unmeasured"]:
        name = row["contestant"]
        whom.setdefault((row["suite"], row["why"]), []).append(labels.get(name.rpartition("@")[0], name))
    rows = [[suite, "; ".join(dict.fromkeys(names)), why] for (suite, why), names in whom.items()]
    return Table("Not measured", ["suite", "policies", "why"], rows, texts=3)


def findings_table(findings: Sequence[Mapping[str, Any]], caption: str) -> Table:
    """Every difference with its interval and word."""
    rows = [
        [row["of"], row["against"], row["measure"], row["judgement"], row["words"].partition(": ")[2] or row["words"]]
        for row in findings
    ]
    return Table(caption, ["policy", "against", "measure", "verdict", "difference [95 % interval]"], rows, texts=5)


def own_final(numbers: Numbers) -> Table:
    """First and last value of every yardstick, mean over seeds."""
    rows = []
    for panel in numbers["curves"]:
        if panel["kind"] not in ("yardstick", "condition"):
            continue
        for entry in panel["arms"]:
            firsts = [run["points"][0] for run in entry["runs"]]
            lasts = [run["points"][-1] for run in entry["runs"]]
            values = [last[1] for last in lasts]
            alone = interval(lasts[0][2], lasts[0][3]) if len(lasts) == 1 else interval(min(values), max(values))
            first = None if panel["kind"] == "condition" else fmean(point[1] for point in firsts)
            row = [panel["title"], entry["arm"], str(len(lasts)), number(first)]
            rows.append([*row, number(fmean(values)), alone])
    header = ["measure", "policy", "runs", "first", "last", "seeds from – to, or 95 % interval"]
    return Table("What the runs measured on held-out problems", header, rows, texts=2)


def cost_table(numbers: Numbers) -> Table:
    rows = [
        [
            row["run"],
            str(row["steps"]) if row["finished"] else f"{row['steps']} of {row['planned']}",
            number(row["seconds"], 0),
            *(number(row[f"{part}_seconds"], 0) for part in ("play", "learn", "measure")),
            number(row["episodes"], 0),
            number(row["turns"], 0),
            number(row["tokens"], 0),
            number(row["judgments"], 0),
            number(row["calls"], 0),
        ]
        for row in numbers["cost"]
    ]
    header = ["run", "steps", "seconds", "of these: play", "learn", "measure", "episodes", "turns", "tokens sampled"]
    return Table("What each run cost", [*header, "judgments", "endpoint calls"], rows)


def alarm_table(numbers: Numbers, rang: bool) -> Table:
    """Guards whose alarm's condition held, or all the others."""
    rows = [
        [
            row["run"],
            row["title"],
            spans(row["rang"]) if rang else "–",
            f"{number(row['worst'])} (step {row['worst_step']})",
            number(row["last"]),
            number(row["threshold"]),
        ]
        for row in numbers["alarms"]
        if bool(row["rang"]) == rang
    ]
    header = ["run", "guard", "steps in alarm", "worst", "last", "alarm at"]
    return Table("Alarms" if rang else "Guards that stayed quiet", header, rows, texts=3)


def seeds_table(numbers: Numbers) -> Table:
    rows = [
        [row["run"], row["label"], row["base"], str(row["seed"]), str(row["steps"]), "yes" if row["finished"] else "no"]
        for row in numbers["runs"]
    ]
    return Table("Runs in this report", ["run", "policy", "base", "seed", "steps", "finished"], rows, texts=3)


def markdown(numbers: Numbers) -> str:
    """table.md: verdict, finals, differences, cost."""
    tables = [*arena_final(numbers), *arena_conditions(numbers), *arena_metrics(numbers), own_final(numbers)]
    if numbers["arena"]["differences"]:
        tables.append(findings_table(numbers["arena"]["differences"], "Differences in the arena"))
    tables += [findings_table(numbers["findings"], "Differences by the runs' own yardsticks"), cost_table(numbers)]
    verdict = [
        f"- {line['of']} against {line['against']}: **{line['verdict']}** ({line['example']})"
        for line in numbers["verdict"]
    ]
    parts = [f"<!-- {GENERATOR} -->", f"# {_plain(numbers['title'])}", "\n".join(verdict), *map(_markdown, tables)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown(table: Table) -> str:
    lines = ["| " + " | ".join(map(_plain, cells)) + " |" for cells in [table.header, *table.rows]]
    lines.insert(1, "| " + " | ".join(["---"] * len(table.header)) + " |")
    return "\n".join([f"## {_plain(table.caption)}", "", *lines])


def _plain(text: str) -> str:
    """Text that stays in its cell.

    >>> _plain("a|b\\nc")
    'a\\\\|b c'
    """
    return " ".join(text.split()).replace("|", "\\|")
