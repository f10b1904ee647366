"""Which alarms rang, worked out again from a run's record: the log keeps the numbers, the console alone the warnings.

The conditions are those of ``guards.alarms`` and ``guards.drift``, with the thresholds of the run's own configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from selfplay.report.runs import Run
from selfplay.report.wording import title_of
from selfplay.tracking.curves import course

Values = Mapping[int, float]


def guard_rows(run: Run) -> list[dict[str, Any]]:
    """One row a guard: its last and worst value, the threshold, and the steps at which its alarm's condition held.

    ``threshold`` is null for a number that is only counted, or whose alarm needs more than this number.
    """
    said = (run.config.get("guards") or {}).get("alarms") or {}
    names = dict.fromkeys(name for row in run.rows for name in row if name.startswith("guard/"))
    rows = []
    for name in names:
        values = {step: value for step, (value, _, _) in course(run.rows, name).items()}
        if not values:
            continue
        threshold, rang, falls = _condition(name.removeprefix("guard/"), values, run, said)
        worst = min(values, key=lambda step: values[step]) if falls else max(values, key=lambda step: values[step])
        rows.append(
            {
                "run": run.name,
                "guard": name,
                "title": title_of(name),
                "last": values[max(values)],
                "worst": values[worst],
                "worst_step": worst,
                "threshold": threshold,
                "rang": rang,
            }
        )
    return rows


def _condition(name: str, values: Values, run: Run, said: Mapping[str, Any]) -> tuple[float | None, list[int], bool]:
    """Threshold, steps at which the alarm's condition held, and whether low numbers are the bad ones."""
    if name.startswith("cut_off_"):
        return _at_least(values, said.get("cut_off"))
    if name == "barren_windows":
        return _at_least(values, said.get("barren_windows"))
    if name == "one_answer":
        shares = {step: value for step, (value, _, _) in course(run.rows, "game/vote_share").items()}
        limit, saturated = said.get("one_answer"), said.get("saturated")
        rang = [] if saturated is None else [s for s in _at_least(values, limit)[1] if shares.get(s, 0) >= saturated]
        return limit, rang, False
    if name.startswith("checker_"):
        return 1.0, [step for step, value in values.items() if value > 0], False
    if name in ("formed", "on_topic", "answer_words"):
        return _drift(name, values, run, said.get("drift") or {})
    return None, [], False


def _at_least(values: Values, limit: float | None) -> tuple[float | None, list[int], bool]:
    if limit is None:
        return None, [], False
    return limit, [step for step, value in values.items() if value >= limit], False


def _drift(name: str, values: Values, run: Run, said: Mapping[str, Any]) -> tuple[float | None, list[int], bool]:
    """The latest windows against the first ones of the run, whose values stand under ``game/``."""
    own = [value for value, _, _ in course(run.rows, f"game/{name}").values()]
    windows = said.get("windows")
    if not windows or len(own) < windows:
        return None, [], name != "answer_words"
    first = fmean(own[:windows])
    begun = sorted(values)[windows - 1 :]
    if name == "answer_words":
        limit = said.get("longer", float("inf")) * first
        return limit, [step for step in begun if first and values[step] > limit], False
    limit = first - said.get("fall", 1.0)
    return limit, [step for step in begun if values[step] < limit], True


def spans(steps: Sequence[int]) -> str:
    """Steps as a person tells them.

    >>> spans([3, 4, 5, 9]), spans([])
    ('3 to 5, 9', '')
    """
    pieces: list[list[int]] = []
    for step in sorted(steps):
        if pieces and step == pieces[-1][-1] + 1:
            pieces[-1].append(step)
        else:
            pieces.append([step])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]} to {p[-1]}" for p in pieces)
