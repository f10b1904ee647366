"""Contests between real models by real judges: 80 questions, both orders, ties, texts (bcdnlp/PRD, MIT).

Every figure is worked out by the package, by a naive computation beside it, and as a literal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from selfplay.evaluation.alpaca import Annotations, read_annotations, write_annotations
from selfplay.evaluation.contests import Comparison, Setting, contest_metrics, scores_of
from selfplay.evaluation.length_control import RIDGE
from selfplay.evaluation.ratings import PRIOR, ratings
from tests.reality.folder import json_lines, real_data

MODELS = ("bard", "claude", "gpt35", "gpt4", "vicuna-13b")
SCORES = {1: 1.0, 2: 0.0, 3: 0.5, -1: None}  # of whoever was shown first

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def folder() -> Path:
    return real_data("vicuna80")


@pytest.fixture(scope="module")
def rows(folder: Path) -> Rows:
    return [row for row in json_lines(folder / "ratings_gpt35_bard.jsonl") if not row["legacy"]]


@pytest.fixture(scope="module")
def texts(folder: Path) -> dict[str, dict[int, str]]:
    return {m: {r["question_id"]: r["text"] for r in json_lines(folder / f"answer_{m}.jsonl")} for m in MODELS}


def compared(rows: Rows, texts: dict[str, dict[int, str]], judge: str, a: str, b: str) -> list[Comparison]:
    found = []
    for row in rows:
        if row["judge"] == judge and {row["first"], row["second"]} == {a, b}:
            a_first, score, q = row["first"] == a, SCORES[row["score"]], row["q"]
            score = score if a_first or score is None else 1 - score
            found.append(Comparison(str(q), "0-0", f"question {q}", texts[a][q], texts[b][q], a_first, score))
    return found


@pytest.mark.parametrize(
    ("judge", "a", "b", "rate", "controlled", "flips", "first"),
    [
        ("gpt35", "claude", "gpt4", 0.36875, 0.512, 0.1375, 0.564),
        ("gpt35", "gpt35", "vicuna-13b", 0.478125, 0.629, 0.1, 0.470),
        ("gpt35", "gpt4", "vicuna-13b", 0.8875, 0.812, 0.0375, 0.514),
        ("bard", "claude", "gpt4", 0.43125, 0.490, 0.7375, 0.901),
    ],
)
def test_a_pair(rows: Rows, texts: dict[str, dict[int, str]], judge, a, b, rate, controlled, flips, first):
    given = compared(rows, texts, judge, a, b)
    found = {m.name.rpartition("/")[2]: m for m in contest_metrics(given, Setting(a, b, "", "", judge))}
    raw = [r for r in rows if r["judge"] == judge and {r["first"], r["second"]} == {a, b}]

    wins = sum((r["score"] == 3) / 2 + (r["score"] == (1 if r["first"] == a else 2)) for r in raw)
    assert found["win_rate"].value == pytest.approx(wins / len(raw)) == pytest.approx(rate)
    assert found["win_rate"].low < rate < found["win_rate"].high  # type: ignore[operator]

    seen = {(r["first"], r["q"]): r["score"] for r in raw}
    flipped = sum(seen[a, q] == seen[b, q] != 3 for q in range(1, 81))
    assert found["order_flips"].value == pytest.approx(flipped / 80) == pytest.approx(flips)
    decided = [r["score"] for r in raw if r["score"] != 3]
    assert (
        found["first_share"].value == pytest.approx(decided.count(1) / len(decided)) == pytest.approx(first, abs=1e-3)
    )

    lengths = [len(texts[a][r["q"]]) - len(texts[b][r["q"]]) for r in raw]
    scores = [0.5 if r["score"] == 3 else float(r["score"] == (1 if r["first"] == a else 2)) for r in raw]
    naive = naive_length_controlled(lengths, scores)
    assert found["win_rate_length_controlled"].value == pytest.approx(naive, abs=1e-6)
    assert naive == pytest.approx(controlled, abs=1e-3)


def naive_length_controlled(lengths: Sequence[int], scores: Sequence[float]) -> float:
    """The same likelihood climbed by its gradient alone; every question has two judgments, of weight 1/2 each."""
    mean = sum(lengths) / len(lengths)
    spread = math.sqrt(sum((x - mean) ** 2 for x in lengths) / (len(lengths) - 1))
    z = [math.tanh(x / spread) for x in lengths]
    policy = effect = 0.0
    for _ in range(3000):
        gaps = [(s - 1 / (1 + math.exp(-policy - effect * x))) / 2 for s, x in zip(scores, z, strict=True)]
        policy += 0.05 * (sum(gaps) - RIDGE * policy)
        effect += 0.05 * (sum(gap * x for gap, x in zip(gaps, z, strict=True)) - RIDGE * effect)
    return 1 / (1 + math.exp(-policy))


@pytest.mark.parametrize(
    ("judge", "elos"),
    [
        ("gpt35", {"gpt4": 1318.8, "claude": 1225.9, "vicuna-13b": 1000.0, "gpt35": 987.4, "bard": 921.2}),
        ("bard", {"gpt4": 1167.1, "claude": 1126.6, "gpt35": 1000.0, "vicuna-13b": 1000.0, "bard": 972.1}),
    ],
)
def test_five_models_rated(rows: Rows, texts: dict[str, dict[int, str]], judge, elos):
    scores = {(a, b): scores_of(compared(rows, texts, judge, a, b)) for a, b in combinations(MODELS, 2)}
    rated = {rating.name: rating for rating in ratings(scores, anchor="vicuna-13b")}
    assert {name: rating.elo for name, rating in rated.items()} == pytest.approx(elos, abs=0.06)
    assert rated["gpt4"].low > 1000 > rated["bard"].low
    points = {pair: sum(of_pair.values()) + PRIOR for pair, of_pair in scores.items()}
    for name in MODELS:  # at the maximum everybody wins as much as their rating expects
        won = expected = 0.0
        for (a, b), of_a in points.items():
            if name in (a, b):
                other = b if name == a else a
                won += of_a if name == a else 80 + 2 * PRIOR - of_a
                gap = rated[other].elo - rated[name].elo
                expected += (80 + 2 * PRIOR) / (1 + 10 ** (gap / 400))
        assert won == pytest.approx(expected, abs=1e-4)


def test_real_texts_survive_alpacaevals_format(rows: Rows, texts: dict[str, dict[int, str]], tmp_path: Path):
    given = Annotations("gpt4", "bard", "gpt35", tuple(compared(rows, texts, "gpt35", "gpt4", "bard")))
    assert len(given.comparisons) == 160
    write_annotations(tmp_path / "annotations.json", given)
    assert read_annotations(tmp_path / "annotations.json") == given
