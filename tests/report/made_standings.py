"""standings.json by hand: two methods and a control on one base, one suite, numbers that are easy to check."""

from __future__ import annotations

from typing import Any

BASE = {"recipe": "", "base": "small", "arm": "base"}
SQLM = {"recipe": "sqlm_small", "base": "small", "arm": "none"}
RANDOM = {"recipe": "sqlm_small", "base": "small", "arm": "random"}
SERL = {"recipe": "serl_small", "base": "small", "arm": "none"}


def final(who: dict[str, str], mean: float, seeds: tuple[int, ...]) -> dict[str, Any]:
    by_seed = [{"seed": s, "run": f"run-{s}", "mean": mean, "low": mean - 0.1, "high": mean + 0.1} for s in seeds]
    bounds = {"low": mean - 0.05, "high": mean + 0.05}
    return {"suite": "arithmetic", **who, "seeds": list(seeds), "mean": mean, **bounds, "by_seed": by_seed}


def differs(one: dict[str, str], other: dict[str, str], mean: float, half: float, words: str) -> dict[str, Any]:
    bounds = {"low": mean - half, "high": mean + half}
    return {"suite": "arithmetic", "a": one, "b": other, "mean": mean, **bounds, "n": 86, "by_seed": [], "words": words}


def standings() -> dict[str, Any]:
    """For runs named ``sqlm-0`` and ``sqlm-random-0``, as `made.made_run` makes them."""
    rated = {"suite": "arithmetic", "low": -10.0, "high": 300.0}
    fought = {"suite": "arithmetic", "b": "base:small", "low": 0.4, "high": 0.9}
    return {
        "suites": {
            "arithmetic": {
                "definition": "86 sums, 8 answers",
                "requests": 86,
                "samples": 8,
                "unit": "share right",
                "anchor": "base:small",
            }
        },
        "final": [final(BASE, 0.3, ()), final(SQLM, 0.8, (0,)), final(RANDOM, 0.31, (0,)), final(SERL, 0.3, ())],
        "differences": [
            differs(SQLM, BASE, 0.5, 0.1, "better: +50.0 points [+40.0, +60.0]"),
            differs(SQLM, RANDOM, 0.49, 0.1, "better: +49.0 points [+39.0, +59.0]"),
            differs(RANDOM, BASE, 0.01, 0.1, "no evidence: +1.0 points [-9.0, +11.0]"),
            differs(SQLM, SERL, 0.5, 0.1, "better: +50.0 points [+40.0, +60.0]"),
        ],
        "duels": [
            {**fought, "a": "sqlm-0@2", "win_rate": 0.6},
            {**fought, "a": "sqlm-0@4", "win_rate": 0.7},
            {**fought, "a": "sqlm-0@4", "b": "sqlm-random-0@4", "win_rate": 0.9},
        ],
        "ratings": [
            {**rated, "contestant": "base:small", "run": "", "step": 0, "elo": 0.0},
            {**rated, "contestant": "sqlm-0@2", "run": "sqlm-0", "step": 2, "elo": 70.0},
            {**rated, "contestant": "sqlm-0@4", "run": "sqlm-0", "step": 4, "elo": 150.0},
        ],
        "conditions": [
            {
                "suite": "arithmetic",
                "contestant": "sqlm-0@4",
                "condition": "no skill",
                "mean": 0.4,
                "low": 0.3,
                "high": 0.5,
            }
        ],
        "metrics": [
            {
                "suite": "own",
                "contestant": "sqlm-0@4",
                "run": "sqlm-0",
                "step": 4,
                "name": "yardstick/own/words",
                "value": 3.5,
            }
        ],
        "definitions": {"duels": "higher score wins"},
        "unmeasured": [{"contestant": "base:small", "suite": "contexts", "why": "its words are not in the vocabulary"}],
    }
