"""summary.json: what a run came to, derived from metrics.jsonl alone. Tools and tests read this, never the console.

``best`` is given only where larger is better: yardsticks and win rates. ``low`` and ``high`` belong to ``last``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selfplay.tracking.metrics_file import Row
from selfplay.tracking.run_info import RunInfo

ROOMS = {
    "yardstick": "measured on held-out problems",
    "duel": "measured on held-out problems",
    "instrument": "measured from outside; neither larger nor smaller is better by itself",
    "role": "one training step, this role's turns",
    "reward": "mean over one training step's turns of this role that were paid; self-play reward is no evidence",
    "game": "mean of this fact over one training step's episodes",
    "guard": "count or alarm of a guard in one training step",
    "learner": "one training step",
    "perf": "depends on the machine",
}
"""What a name says by its first part, where no definition was recorded with it."""


def summarise(run: RunInfo, rows: Sequence[Row], definitions: Mapping[str, str], seconds: float) -> dict[str, Any]:
    """The summary as plain JSON values. ``steps`` is the last step that was recorded."""
    names = dict.fromkeys(name for row in rows for name in row if name not in ("step", "time"))
    bounds = {f"{name}/{side}" for name in names for side in ("low", "high")}
    return {
        "recipe": run.recipe,
        "name": run.name,
        "seed": run.seed,
        "control": run.control,
        "steps": int(max((row["step"] or 0 for row in rows), default=0)),
        "seconds": round(seconds, 3),
        "versions": dict(run.versions),
        "metrics": {name: _course(name, rows, definitions) for name in names if name not in bounds},
    }


def _course(name: str, rows: Sequence[Row], definitions: Mapping[str, str]) -> dict[str, Any]:
    """First, best and last value of one name. A value that was not finite is None, and never the best."""
    holding = [row for row in rows if name in row]
    finite = [value for row in holding if (value := row[name]) is not None]
    return {
        "first": holding[0][name],
        "best": max(finite, default=None) if larger_is_better(name) else None,
        "last": holding[-1][name],
        "low": holding[-1].get(f"{name}/low"),
        "high": holding[-1].get(f"{name}/high"),
        "definition": definitions.get(name, ROOMS.get(name.split("/")[0], "")),
    }


def larger_is_better(name: str) -> bool:
    """Known by name.

    >>> [larger_is_better(n) for n in ("yardstick/arithmetic/greedy", "duel/base/win_rate", "duel/base/losses")]
    [True, True, False]
    """
    return name.startswith("yardstick/") or (name.startswith("duel/") and name.endswith("/win_rate"))


def is_headline(name: str) -> bool:
    """Whether a name belongs into a short account: overall yardsticks and win rates, not their parts.

    >>> [is_headline(n) for n in ("yardstick/arithmetic/pass@1", "yardstick/arithmetic/pass@1/digits_2")]
    [True, False]
    """
    return larger_is_better(name) and name.count("/") == 2
