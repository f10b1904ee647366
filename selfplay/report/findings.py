"""What the numbers say: every difference that matters with its interval and its word, from the arena or from the runs.

A finding is plain JSON: ``{"measure", "metric", "of", "against", "first", "last", "share", "unit", "mean", "low",
"high", "judgement", "words", "kind", "by_seed"}``; ``kind`` tells what it is held against: ``start`` (the untrained
policy), ``control`` or ``method``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from selfplay.report.courses import Panel
from selfplay.report.runs import Arm, Run
from selfplay.report.styles import Style, label_of
from selfplay.report.verdicts import Difference, Point, against, amount, difference, judgement, over_seeds
from selfplay.report.wording import is_share

Finding = dict[str, Any]
START = "its start"
EVEN = "an even match"


def own_findings(
    panels: Sequence[Panel], arms: Mapping[Arm, Sequence[Run]], styles: Mapping[Arm, Style]
) -> list[Finding]:
    """From the runs' own yardsticks: each arm against its start, each method against its controls."""
    findings = []
    for panel in (panel for panel in panels if is_judged(panel)):
        entries = {entry["arm"]: entry for entry in panel["arms"]}
        for arm in arms:
            entry = entries.get(styles[arm].label)
            if entry is None:
                continue
            if (finding := against_start(panel, entry)) is not None:
                findings.append(finding)
            for control in (other for other in arms if arm.control == "none" and _controls(other, arm)):
                other = entries.get(styles[control].label)
                if other is not None:
                    findings.append(_against_control(panel, entry, other))
    return findings


def is_judged(panel: Panel) -> bool:
    """Yardsticks and gains over a control; a condition by itself, e.g. without a skill, is neither good nor bad."""
    return panel["kind"] == "yardstick" or (panel["kind"] == "condition" and "/gain_over_" in panel["metric"])


def _controls(other: Arm, method: Arm) -> bool:
    return other.control != "none" and (other.recipe, other.base) == (method.recipe, method.base)


def against_start(panel: Panel, entry: Mapping[str, Any]) -> Finding | None:
    """The last measurement against the first; a win rate against one half; a gain, which is a difference, against 0.

    None where a run was measured once and there is nothing to hold it against.
    """
    metric, by_seed = panel["metric"], []
    for run in entry["runs"]:
        first, last = run["points"][0], run["points"][-1]
        if metric.startswith("duel/"):
            change = against(_point(last), 0.5)
        elif metric.rpartition("/")[2].startswith("gain_over_"):
            change = against(_point(last), 0.0)
        elif len(run["points"]) > 1:
            change = difference(_point(last), _point(first))
        else:
            return None
        by_seed.append((run, change))
    level = EVEN if metric.startswith("duel/") else START
    if "gain_over_" in metric:
        level = metric.rpartition("gain_over_")[2].replace("_", " ")
    finding = _finding(panel, entry["arm"], level, [change for _, change in by_seed])
    return finding | {
        "kind": "control" if "gain_over_" in metric else "start",
        "first": fmean(run["points"][0][1] for run, _ in by_seed),
        "last": fmean(run["points"][-1][1] for run, _ in by_seed),
        "by_seed": [{"run": run["run"], "seed": run["seed"], **vars(change)} for run, change in by_seed],
    }


def _against_control(panel: Panel, entry: Mapping[str, Any], control: Mapping[str, Any]) -> Finding:
    """Last measurements of both; seeds are paired where both have them, else all meet all."""
    ends = {run["seed"]: run["points"][-1] for run in entry["runs"]}
    others = {run["seed"]: run["points"][-1] for run in control["runs"]}
    pairs = [(seed, seed) for seed in ends if seed in others] or [(a, b) for a in ends for b in others]
    changes = [difference(_point(ends[a]), _point(others[b])) for a, b in pairs]
    finding = _finding(panel, entry["arm"], control["arm"], changes)
    return finding | {
        "kind": "control",
        "first": fmean(others[b][1] for _, b in pairs),
        "last": fmean(ends[a][1] for a, _ in pairs),
        "by_seed": [{"seed": a, **vars(change)} for (a, _), change in zip(pairs, changes, strict=True)],
    }


def _finding(panel: Panel, of: str, level: str, changes: Sequence[Difference]) -> Finding:
    whole, share = over_seeds(changes), is_share(panel["metric"])
    said = judgement(whole)
    return {
        "measure": panel["title"],
        "metric": panel["metric"],
        "of": of,
        "against": level,
        "share": share,
        "unit": panel["axis"],
        **vars(whole),
        "judgement": said,
        "words": f"{said}: {amount(whole, share)}",
    }


def _point(row: Sequence[Any]) -> Point:
    return row[1], row[2], row[3]


def arena_findings(standings: Mapping[str, Any], styles: Mapping[Arm, Style]) -> list[Finding]:
    """The arena's paired differences, as standings.json has them, words included."""
    findings = []
    for row in standings.get("differences", []):
        one, other = (Arm(row[side]["recipe"], row[side]["base"], row[side]["arm"]) for side in "ab")
        unit = standings.get("suites", {}).get(row["suite"], {}).get("unit", "")
        kind = "start" if other.control == "base" else "method"
        if (other.recipe, other.base) == (one.recipe, one.base) and other.control not in ("none", "base"):
            kind = "control"
        findings.append(
            {
                "measure": row["suite"],
                "metric": f"arena/{row['suite']}",
                "of": name_of(one, styles),
                "against": name_of(other, styles),
                "share": unit == "share right",
                "unit": unit,
                "mean": row["mean"],
                "low": row["low"],
                "high": row["high"],
                "judgement": judgement_of(row),
                "words": row["words"],
                "kind": kind,
                "by_seed": row.get("by_seed", []),
            }
        )
    return findings


def judgement_of(row: Mapping[str, Any]) -> str:
    """Of a row of standings.json; seeds that point both ways make a mean that stands out ``mixed``."""
    said = judgement(Difference(row["mean"], row["low"], row["high"]))
    return "mixed" if said in ("better", "worse") and "seeds disagree" in row["words"] else said


def name_of(arm: Arm, styles: Mapping[Arm, Style]) -> str:
    return styles[arm].label if arm in styles else label_of(arm, styles)


def headlines(findings: Sequence[Finding], of: Sequence[str]) -> list[dict[str, str]]:
    """The short verdict: a sentence for each arm of ``of`` and each thing it is held against."""
    lines = []
    for label in of:
        groups: dict[str, list[Finding]] = {}
        for finding in (finding for finding in findings if finding["of"] == label):
            level = START if finding["against"] == EVEN else finding["against"]  # the start's win rate against itself
            groups.setdefault(level, []).append(finding)
        for level, some in groups.items():
            lines.append({"of": label, "against": level, **_sentence(some)})
    return lines


EXAMPLES = 2
"""How many differences a sentence of the verdict tells in figures."""


def _sentence(findings: Sequence[Finding]) -> dict[str, str]:
    words = [finding["judgement"] for finding in findings]
    counts = {word: words.count(word) for word in ("better", "worse", "mixed", "no evidence", "no interval")}
    held = [word for word, times in counts.items() if times]
    whole = "mixed" if counts["better"] and counts["worse"] else held[0]
    shown = [word for word in ("better", "worse", "mixed") if counts[word]] or held[:1]
    parts = ", ".join(f"{word} on {counts[word]}" for word in shown) + f" of {len(findings)} measures"
    alone = len(findings) == 1 or counts["no evidence"] == len(findings)
    leading = [finding for finding in findings if finding["judgement"] in shown][:EXAMPLES]
    told = [_told(one) for one in leading]
    for word in (word for word in held if word not in shown):
        named = [finding for finding in findings if finding["judgement"] == word]
        roomy = len(leading) + len(named) <= EXAMPLES
        told.append(f"{word} on {', '.join(_told(one) if roomy else one['measure'] for one in named)}")
    return {"judgement": whole, "verdict": whole if alone else parts, "example": "; ".join(told)}


def _told(finding: Finding) -> str:
    return f"{finding['measure']} {finding['words'].partition(': ')[2] or finding['words']}"
