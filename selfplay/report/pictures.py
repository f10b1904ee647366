"""Pictures of a report: as SVG that follows the page's colours, and as PNG on white with a legend of their own.

Lines and bands are those of ``tracking.curves``. In SVG, black stands for the colour of the page's text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfplay.report.courses import Panel
from selfplay.report.numbers import GENERATOR
from selfplay.report.styles import Style
from selfplay.tracking.curves import SHARES, Curve, draw_arm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Styles = Mapping[str, Style]
"""By label."""

Draw = Callable[["Axes"], None]
SIZE = (4.4, 2.9)
INK = "#000000"
LONGEST_NAME = 48
"""Characters of a row's name: a picture must keep room for itself."""

SIGNS = {"better": "#009E73", "worse": "#D55E00"}
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": GENERATOR,
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
}


def draw_panel(panel: Panel, styles: Styles) -> Draw:
    """The courses of one metric."""

    def draw(axes: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        noisy = panel["kind"] in ("reward", "guard", "fact")
        for entry in panel["arms"]:
            style = styles[entry["arm"]]
            curves = [_curve(entry["arm"], run["points"]) for run in entry["runs"]]
            draw_arm(axes, curves, style.colour, style.dashes, markers=not noisy)
        axes.set_xlabel("training step")
        axes.set_ylabel(panel["axis"])
        if panel["axis"] in SHARES:
            axes.set_ylim(-0.02, 1.02)
        if panel["axis"] == "win rate":
            axes.axhline(0.5, color=INK, linewidth=0.7, linestyle=":", zorder=0)
        elif _within_one(panel):
            axes.set_ylim(-0.02, 1.02)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))
        axes.margins(x=0.02)
        axes.grid(alpha=0.18, color=INK, linewidth=0.5)

    return draw


def _within_one(panel: Panel) -> bool:
    """Whether a step's numbers look like shares: drawn on one scale, small changes stay small."""
    if panel["kind"] not in ("reward", "guard", "fact"):
        return False
    values = [point[1] for arm in panel["arms"] for run in arm["runs"] for point in run["points"]]
    return min(values) >= 0 and max(values) <= 1


def _curve(label: str, rows: Sequence[Sequence[Any]]) -> Curve:
    points = {
        int(step): (value, value if low is None else low, value if high is None else high)
        for step, value, low, high in rows
    }
    return Curve(label, points)


def draw_findings(findings: Sequence[Mapping[str, Any]], styles: Styles, rivals: bool = True) -> Draw:
    """Differences with their intervals, one row each, beside the line of no difference; ``rivals``: each row says what
    its policy is held against."""
    share = all(finding["share"] for finding in findings)
    scale = 100 if share else 1
    unit = unit_of(findings)

    def draw(axes: Axes) -> None:
        for place, finding in enumerate(reversed(findings)):
            colour = styles[finding["of"]].colour if finding["of"] in styles else INK
            mean = scale * finding["mean"]
            if finding["low"] is not None and finding["high"] is not None:
                axes.plot(
                    [scale * finding["low"], scale * finding["high"]], [place, place], color=colour, linewidth=2.4
                )
            face = colour if finding["judgement"] in SIGNS else "none"
            axes.plot(mean, place, marker="o", markersize=6, color=colour, markerfacecolor=face)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(findings)), [_row_name(finding, rivals) for finding in reversed(findings)])
        axes.set_ylim(-0.6, len(findings) - 0.4)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("difference in points" if share else f"difference in {unit}" if unit else "difference")
        axes.grid(axis="x", alpha=0.18, color=INK, linewidth=0.5)

    return draw


def unit_of(findings: Sequence[Mapping[str, Any]]) -> str:
    """What their numbers are, where it is the same for all."""
    units = {finding["unit"] for finding in findings}
    return units.pop() if len(units) == 1 else ""


def findings_height(findings: Sequence[Mapping[str, Any]], rivals: bool = True) -> float:
    """Inches of a picture of so many rows, of three or two lines each."""
    return 0.75 + (0.55 if rivals else 0.4) * len(findings)


def _row_name(finding: Mapping[str, Any], rivals: bool) -> str:
    rival = [f"against {finding['against']}"] if rivals else []
    lines = (finding["of"], *rival, finding["measure"])
    return "\n".join(line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1] + "…" for line in lines)


def draw_conditions(panels: Sequence[Panel], styles: Styles) -> Draw:
    """The last measurement of every panel, a row each, arms side by side."""

    def draw(axes: Axes) -> None:
        for place, panel in enumerate(reversed(panels)):
            for number, entry in enumerate(panel["arms"]):
                _, value, low, high = entry["mean"][-1]
                height = place + 0.12 * (number - (len(panel["arms"]) - 1) / 2)
                colour = styles[entry["arm"]].colour
                if low is not None and high is not None:
                    axes.plot([low, high], [height, height], color=colour, linewidth=2.4)
                axes.plot(value, height, marker="o", markersize=6, color=colour)
        names = [_shown(panel["title"].partition(": ")[2]) for panel in reversed(panels)]
        axes.set_yticks(range(len(panels)), names)
        axes.set_ylim(-0.6, len(panels) - 0.4)
        axes.set_xlim(0, 1)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(panels[0]["axis"])
        axes.grid(axis="x", alpha=0.18, color=INK, linewidth=0.5)

    return draw


def _shown(condition: str) -> str:
    """
    >>> _shown("solved random rule"), _shown("solved")
    ('random rule', 'its own skill')
    """
    return condition.removeprefix("solved").strip() or "its own skill"


def draw_difficulty(found: Mapping[str, Any]) -> Draw:
    """Shares of questions by how many answers agreed, over steps: dark = many."""

    def draw(axes: Axes) -> None:
        shares = [[count / (sum(row) or 1) for count in row] for row in found["counts"]]
        steps, buckets = found["steps"], found["buckets"]
        grid = [[row[column] for row in shares] for column in range(len(buckets))]
        axes.pcolormesh(
            [*(step - 0.5 for step in steps), steps[-1] + 0.5],
            [*(bucket - 0.5 for bucket in buckets), buckets[-1] + 0.5],
            grid,
            cmap="Blues",
            vmin=0,
            vmax=max(0.5, max(map(max, shares))),
            rasterized=True,
        )
        axes.set_xlabel("training step")
        axes.set_ylabel("answers that agree")

    return draw


def svg(draw: Draw, name: str, size: tuple[float, float] = SIZE) -> str:
    """One picture as an ``<svg>`` element to be put into a page; ``name`` keeps its ids apart from other pictures'."""
    text = io.StringIO()
    _save(draw, text, "svg", size, "")
    element = text.getvalue()[text.getvalue().index("<svg") :]
    element = re.sub(r"<(metadata|style)[ >].*?</\1>", "", element, flags=re.DOTALL)  # the style would reach the page
    element = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", element)
    element = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", element)
    element = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", element)
    element = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", element)
    element = element.replace(INK, "currentColor")
    return element.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1).strip()


def png(draw: Draw, path: Path, title: str, size: tuple[float, float] = (6.4, 4.2)) -> None:
    """One picture as a file of its own, with title and legend."""
    _save(draw, path, "png", size, title)


def _save(draw: Draw, out: Any, kind: str, size: tuple[float, float], title: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context(SETTINGS):
        figure, axes = plt.subplots(figsize=size, layout="constrained")
        draw(axes)
        if title:
            axes.set_title(title, fontsize=11)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="best", fontsize="small", frameon=False)
        metadata = {"Software": GENERATOR} if kind == "png" else {"Date": None}
        figure.savefig(out, format=kind, dpi=150, transparent=kind == "svg", metadata=metadata)
        plt.close(figure)
