"""What a run cost: seconds by part, tokens sampled and turns by role, judgments, calls of endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from selfplay.report.runs import Run
from selfplay.report.stored import StepFile
from selfplay.tracking.curves import course

SECONDS = {"play": "play_seconds", "learn": "update_seconds", "measure": "examine_seconds"}


def cost_of(run: Run, label: str, files: Sequence[StepFile]) -> dict[str, Any]:
    """One row. Turns and tokens are counted in the stored episodes; ``judgments`` are the turns of roles named judge.

    ``seconds`` and its parts are those of the windows that the run's log keeps: neither pauses, nor what a kill threw
    away. ``calls`` are requests that those windows sent to endpoints, retries included, and the ones whose replies a
    kill had left behind, which were paid for before; null where no endpoint was used.
    """
    turns, tokens = Counter[str](), Counter[str]()
    for file in files:
        turns += file.turns
        tokens += file.tokens
    calls = [
        value
        for name in dict.fromkeys(name for row in run.rows for name in row)
        if name.startswith("perf/endpoint/") and name.endswith(("/calls", "/replayed"))
        for value, _, _ in course(run.rows, name).values()
    ]
    return {
        "run": run.name,
        "arm": label,
        "seed": run.seed,
        "steps": run.steps,
        "planned": run.planned,
        "finished": run.finished,
        "seconds": round(run.seconds, 1),
        **{f"{part}_seconds": _total(run, f"perf/{name}") for part, name in SECONDS.items()},
        "episodes": sum(len(file.starts_E) for file in files),
        "turns": turns.total(),
        "tokens": tokens.total(),
        "judgments": sum(times for role, times in turns.items() if "judge" in role.split("_")),
        "calls": sum(calls) if calls else None,
        "tokens_by_role": dict(sorted(tokens.items())),
        "turns_by_role": dict(sorted(turns.items())),
    }


def _total(run: Run, metric: str) -> float | None:
    values = [value for value, _, _ in course(run.rows, metric).values()]
    return round(sum(values), 1) if values else None


def difficulty_of(runs: Sequence[Run], label: str) -> dict[str, Any] | None:
    """How many questions of each difficulty an arm asked in each step, mean over its runs that recorded the step.

    Difficulty is the number of answers that agreed with the elected one: ``buckets`` 0 (nobody) to n (everybody).
    ``counts`` is (steps, buckets), polls an episode. None where the game does not report it.
    """
    prefix = "game/difficulty_"
    names = {name for run in runs for row in run.rows for name in row if name.startswith(prefix)}
    buckets = sorted(int(tail) for name in names if (tail := name.removeprefix(prefix)).isdigit())
    if not buckets:
        return None
    courses = [[course(run.rows, f"{prefix}{bucket}") for bucket in buckets] for run in runs]
    steps = sorted({step for of_run in courses for points in of_run for step in points})
    counts = []
    for step in steps:
        rows = [[points[step][0] if step in points else 0.0 for points in of_run] for of_run in courses]
        present = [row for row, of_run in zip(rows, courses, strict=True) if any(step in points for points in of_run)]
        counts.append([sum(column) / len(present) for column in zip(*present, strict=True)])
    return {"arm": label, "buckets": buckets, "steps": steps, "counts": counts}
