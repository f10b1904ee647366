"""Courses over training steps as plain JSON: one panel a metric, every arm and run in it.

    runs --panels--> [{metric, title, axis, definition, arms: [{arm, runs: [{run, seed, points}], mean}]}]

A point is ``[step, value, low, high]``; a bound that is not known is null. ``mean`` is over the seeds of an arm at the
steps that all of them measured, from the lowest seed to the highest; an arm of one run repeats that run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from selfplay.report.runs import Arm, Run
from selfplay.report.styles import Style, label_of
from selfplay.report.wording import FACTS, axis_of, meaning_of, title_of
from selfplay.tracking.curves import Curve, closed, course, mean_curve
from selfplay.tracking.summary import is_headline

Points = Mapping[int, tuple[float, float | None, float | None]]
Panel = dict[str, Any]


CONDITIONS = ("solved_", "gain_over_")
"""How names begin that compare what a policy is shown, and do not measure its course."""


def kind_of(metric: str) -> str | None:
    """The section in which a metric is drawn; None = in none.

    >>> [kind_of(m) for m in ("yardstick/a/b", "reward/solver/majority", "yardstick/a/b/digits_1", "learner/loss")]
    ['yardstick', 'reward', None, None]
    >>> [kind_of(f"yardstick/contexts/{m}") for m in ("solved", "solved_random_rule", "gain_over_no_skill")]
    ['yardstick', 'condition', 'condition']
    """
    room = metric.split("/")[0]
    if is_headline(metric):
        return "condition" if metric.rpartition("/")[2].startswith(CONDITIONS) else "yardstick"
    if room == "game" and metric.removeprefix("game/") in FACTS:
        return "fact"
    return room if room in ("reward", "guard") and not metric.endswith(("/low", "/high")) else None


def panels(arms: Mapping[Arm, Sequence[Run]], styles: Mapping[Arm, Style]) -> list[Panel]:
    """Every metric that has a section, in the order in which the runs name them."""
    runs = [run for some in arms.values() for run in some]
    names = dict.fromkeys(name for run in runs for row in run.rows for name in row if kind_of(name))
    found = []
    for metric in names:
        definition = next((run.definitions[metric] for run in runs if metric in run.definitions), "")
        panel: Panel = {
            "kind": kind_of(metric),
            "metric": metric,
            "title": title_of(metric),
            "axis": axis_of(metric),
            "definition": meaning_of(metric, definition),
            "arms": arm_courses(arms, styles, lambda run, metric=metric: course(run.rows, metric)),
        }
        if panel["arms"]:
            found.append(panel)
    return found


def arm_courses(
    arms: Mapping[Arm, Sequence[Run]], styles: Mapping[Arm, Style], points_of: Callable[[Run], Points]
) -> list[dict[str, Any]]:
    """The arms of one panel; runs without a point are left out, and so are arms without a run."""
    entries = []
    for arm, runs in arms.items():
        courses = [(run, points) for run in runs if (points := points_of(run))]
        if not courses:
            continue
        mean = mean_curve([Curve(styles[arm].label, closed(points)) for _, points in courses])
        entries.append(
            {
                "arm": styles[arm].label,
                "runs": [{"run": run.name, "seed": run.seed, "points": as_rows(points)} for run, points in courses],
                "mean": as_rows(courses[0][1] if len(courses) == 1 else mean.points),
            }
        )
    return entries


def as_rows(points: Points) -> list[list[float | None]]:
    """
    >>> as_rows({10: (0.5, None, None), 0: (0.25, 0.0, 0.5)})
    [[0, 0.25, 0.0, 0.5], [10, 0.5, None, None]]
    """
    return [[step, *points[step]] for step in sorted(points)]


def steps_in(panel: Panel) -> int:
    """At how many steps the panel's longest course was measured."""
    return max((len(run["points"]) for arm in panel["arms"] for run in arm["runs"]), default=0)


def standing_panels(
    standings: Mapping[str, Any], arms: Mapping[Arm, Sequence[Run]], styles: Mapping[Arm, Style]
) -> list[Panel]:
    """Ratings and duels against the base over the checkpoints of every run, one panel a suite each."""
    found = []
    for suite, about in standings.get("suites", {}).items():
        zero = _anchor(about.get("anchor"), styles)
        rated = [row for row in standings.get("ratings", []) if row["suite"] == suite]
        fought = [
            {**row, "run": row["a"].rpartition("@")[0], "step": int(row["a"].rpartition("@")[2])}
            for row in standings.get("duels", [])
            if row["suite"] == suite and "@" in row["a"] and row["b"].startswith("base:")
        ]
        for metric, title, axis, rows, value in (
            (f"arena/{suite}/win_rate", f"{suite}: win rate against the base", "win rate", fought, "win_rate"),
            (f"arena/{suite}/elo", f"{suite}: rating, {zero} = 0", "Elo points", rated, "elo"),
        ):
            entries = arm_courses(arms, styles, lambda run, rows=rows, value=value: _points(rows, run.name, value))
            if entries:
                meaning = ARENA[value].format(zero=zero)
                panel = {"kind": "arena", "metric": metric, "title": title, "axis": axis}
                found.append({**panel, "definition": meaning, "arms": entries})
    return found


ARENA = {
    "win_rate": "share of duels won against the untrained base: on one request, every answer of one side meets every "
    "answer of the other, the higher score wins, equal scores count half",
    "elo": "Bradley-Terry rating on the Elo scale over all checkpoints of all runs, {zero} = 0; 400 points are odds of "
    "ten to one",
}


def _anchor(contestant: str | None, styles: Mapping[Arm, Style]) -> str:
    """Whom a suite's standings rate 0, in words."""
    base = (contestant or "").removeprefix("base:")
    return label_of(Arm("", base, "base"), styles) if base else "the mean of all"


def _points(rows: Sequence[Mapping[str, Any]], run: str, value: str) -> Points:
    return {
        int(row["step"]): (row[value], row["low"], row["high"])
        for row in rows
        if row["run"] == run and row[value] is not None
    }
