"""Learning curves of one or many runs as a picture.

    python -m selfplay.tracking.curves runs/quickstart --out curve.png
    python -m selfplay.tracking.curves runs/majority-* runs/random-* --metric yardstick/arithmetic/greedy --out arms.png

Runs of one recipe and control arm are one colour: thin lines are runs, the thick one is their mean, the band reaches
from the lowest seed to the highest. An arm of a single run shows its 95 % interval instead.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from selfplay.tracking.metrics_file import METRICS, Row, read_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import LineStyleType

DEFAULT_METRICS = tuple(f"yardstick/arithmetic/{score}" for score in ("pass@1", "greedy", "maj@8"))
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, told apart by colour-blind readers too."""


@dataclass(frozen=True)
class Curve:
    """One metric of one run. ``points`` maps a step to (value, low, high); the bounds repeat the value if unknown."""

    arm: str
    points: Mapping[int, tuple[float, float, float]]


def read_curve(folder: Path, metric: str) -> Curve:
    """The metric's course in a run folder.

    Raises:
        ValueError: the run never measured it; the message lists what it did measure.
    """
    rows = read_rows(folder / METRICS)
    points = course(rows, metric)
    if not points:
        known = sorted({name for row in rows for name in row if name.startswith(("yardstick/", "duel/"))})
        raise ValueError(f"{folder} holds no {metric!r}; it has: {', '.join(known) or 'no measurement at all'}.")
    return Curve(arm_of(folder), closed(points))


def course(rows: Sequence[Row], metric: str) -> dict[int, tuple[float, float | None, float | None]]:
    """Step -> (value, low, high) of one name; a step recorded twice keeps its last value, no bound is None.

    >>> course([{"step": 0, "a": 0.5}, {"step": 1, "a": None}, {"step": 2, "a": 1.0, "a/low": 0.9, "a/high": 1.1}], "a")
    {0: (0.5, None, None), 2: (1.0, 0.9, 1.1)}
    """
    points = {}
    for row in rows:
        value, step = row.get(metric), row["step"]
        if value is not None and step is not None:
            points[int(step)] = (value, row.get(f"{metric}/low"), row.get(f"{metric}/high"))
    return points


def closed(
    points: Mapping[int, tuple[float, float | None, float | None]],
) -> dict[int, tuple[float, float, float]]:
    """The points with the value itself where a bound is not known: a band of no width, for drawing."""
    return {
        step: (value, value if low is None else low, value if high is None else high)
        for step, (value, low, high) in points.items()
    }


def arm_of(folder: Path) -> str:
    """What the legend calls a run: its recipe and control arm, or the folder's name while it is not finished."""
    path = folder / "summary.json"
    if not path.exists():
        return folder.name
    summary = json.loads(path.read_text(encoding="utf-8"))
    return summary["recipe"] + ("" if summary["control"] == "none" else f", {summary['control']} reward")


SHARES = ("win rate", "share of judgments right", "share of held-out problems right")
"""Labels of axes that go from 0 to 1."""


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean over seeds at the steps that all of them measured, with the lowest and the highest seed as bounds.

    One curve alone keeps its own interval.

    >>> mean_curve([Curve("a", {0: (0.2, 0, 1)}), Curve("a", {0: (0.4, 0, 1), 5: (0.9, 0, 1)})]).points
    {0: (0.30000000000000004, 0.2, 0.4)}
    """
    if len(curves) == 1:
        return curves[0]
    shared = sorted(set.intersection(*(set(curve.points) for curve in curves)))
    values = {step: [curve.points[step][0] for curve in curves] for step in shared}
    return Curve(curves[0].arm, {step: (fmean(row), min(row), max(row)) for step, row in values.items()})


def draw(folders: Sequence[Path], metrics: Sequence[str], out: Path) -> None:
    """One panel a metric, one colour an arm, as PNG (or whatever the ending of ``out`` says)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    labels = [axis_label(metric) for metric in metrics]
    alike = len(set(labels)) == 1
    figure, axes = plt.subplots(1, len(metrics), figsize=(4.6 * len(metrics), 3.6), sharey=alike, squeeze=False)
    for panel, metric, label in zip(axes[0], metrics, labels, strict=True):
        arms: dict[str, list[Curve]] = {}
        for folder in folders:
            curve = read_curve(folder, metric)
            arms.setdefault(curve.arm, []).append(curve)
        for colour, curves in zip(COLOURS * len(arms), arms.values(), strict=False):
            draw_arm(panel, curves, colour)
        panel.set_title(metric.removeprefix("yardstick/"))
        panel.set_xlabel("training step")
        panel.set_ylabel(label)
        if label in SHARES:
            panel.set_ylim(0, 1.02)
        if alike:
            panel.label_outer()  # panels share the axis, so only the first says what it is
        panel.grid(alpha=0.3)
    axes[0][-1].legend(loc="best", fontsize="small")
    figure.tight_layout()
    figure.savefig(out, dpi=150)
    plt.close(figure)


def axis_label(metric: str) -> str:
    """What the numbers are.

    >>> axis_label("duel/initial/win_rate"), axis_label("yardstick/answers/quality")
    ('win rate', 'quality')
    """
    last = metric.split("/")[-1]
    if metric.startswith("duel/") and last == "win_rate":
        return "win rate"
    if last == "accuracy":
        return "share of judgments right"
    return last if last == "quality" or metric.startswith("instrument/") else "share of held-out problems right"


def draw_arm(
    panel: Axes,
    curves: Sequence[Curve],
    colour: str,
    dashes: LineStyleType = "-",
    markers: bool = True,
) -> None:
    """One arm in one colour: the mean over its runs, thin lines of the runs, and the band of `mean_curve`."""
    mean = mean_curve(curves)
    if not mean.points:
        return
    steps = sorted(mean.points)
    value, low, high = zip(*(mean.points[step] for step in steps), strict=True)
    label = mean.arm + (f" ({len(curves)} runs)" if len(curves) > 1 else "")
    dots = {"marker": "o", "markersize": 4} if markers else {}
    panel.plot(steps, value, color=colour, linestyle=dashes, linewidth=2.2, label=label, **dots)
    panel.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0)
    if len(curves) > 1:
        for curve in curves:
            seed_steps = sorted(curve.points)
            panel.plot(
                seed_steps, [curve.points[step][0] for step in seed_steps], color=colour, linewidth=0.7, alpha=0.6
            )


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Draw the learning curves of runs.")
    parser.add_argument("runs", nargs="+", type=Path, help="run folders")
    parser.add_argument("--metric", action="append", help=f"may be repeated; default {' '.join(DEFAULT_METRICS)}")
    parser.add_argument("--out", type=Path, required=True, help="the picture, e.g. curve.png")
    said = parser.parse_args(words)
    try:
        draw(said.runs, said.metric or DEFAULT_METRICS, said.out)
    except ValueError as error:
        parser.error(str(error))
    print(f"wrote {said.out}")


if __name__ == "__main__":
    main()
