"""An arena's files without a model: contestants whose answers are made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from selfplay.comparison.answers_file import About, path_of, write_answers
from selfplay.evaluation.records import SHARE, Answer, Drawn

STRATA = ("1 digit", "2 digits", "3 digits")


def about(contestant: str, suite: str = "sums", drawn: Drawn = "requests", **changes: object) -> About:
    """``sqlm-0@40`` is a last policy of seed 0, ``base:small`` a bare base; others are told by ``changes``."""
    run, _, step = contestant.rpartition("@")
    is_base = contestant.startswith("base:")
    found = About(
        contestant=contestant,
        run=run,
        step=int(step) if run else 0,
        recipe="" if is_base else run.split("-")[0],
        arm="base" if is_base else "random" if "random" in run else "none",
        base=contestant.removeprefix("base:") if is_base else "small",
        seed=None if is_base else int(run[-1]),
        last=is_base or int(step) == 40,
        suite=suite,
        digest="",
        drawn=drawn,
        unit=SHARE if drawn != "samples" else "hidden quality",
        definition="made up",
        limits=(0.0, 1.0) if drawn != "samples" else None,
    )
    return replace(found, **changes)


def put(arena: Path, whose: About, scores_R_G: np.ndarray, strata: tuple[str, ...] = STRATA) -> Path:
    """Request r lies in stratum r modulo their number; where samples are drawn, it is a stratum of its own."""
    answers = [
        Answer(
            f"r{r:03}", f"r{r:03}" if whose.drawn == "samples" else strata[r % len(strata)], g, float(score), "?", "!"
        )
        for r, scores_G in enumerate(scores_R_G)
        for g, score in enumerate(scores_G)
    ]
    path = path_of(arena, whose.contestant, whose.suite)
    write_answers(path, whose, answers)
    return path


def right(rate: float, requests: int = 30, samples: int = 4, seed: int = 0) -> np.ndarray:
    """Right or wrong at a rate, from noise that all rates share."""
    return (np.random.default_rng(seed).random((requests, samples)) < rate).astype(float)
