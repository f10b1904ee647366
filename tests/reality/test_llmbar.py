"""Two judges on 419 pairs with a known better answer, in both orders (princeton-nlp/LLMBar, MIT).

``winner_swap`` names the winner by its number in the data, not by its place in the swapped prompt.
"""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from selfplay.evaluation.pairwise import Orders, accuracy, compare_orders, first_share
from selfplay.types import Judgment, Verdict
from tests.reality.folder import real_data

Rows = list[dict[str, str]]

STRAIGHT: dict[str, Verdict | None] = {"1": "first", "2": "second", "": None}
SWAPPED: dict[str, Verdict | None] = {"1": "second", "2": "first", "": None}


@pytest.fixture(scope="module")
def rows() -> Rows:
    with (real_data("llmbar") / "verdicts_chatgpt_palm2.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("judge", "method", "subset", "orders", "right", "first"),
    [
        ("ChatGPT", "Vanilla", "", Orders(276, 133, 10, 0, 0), 0.399761, 0.646778),
        ("ChatGPT", "Vanilla", "Natural", Orders(71, 25, 4, 0, 0), 0.815, 0.605),
        ("ChatGPT", "Vanilla", "Neighbor", Orders(96, 35, 3, 0, 0), 0.194030, 0.619403),
        ("ChatGPT", "CoT", "", Orders(244, 167, 3, 0, 5), 0.403341, 0.698679),
        ("PaLM2", "Vanilla", "", Orders(300, 83, 32, 0, 4), 0.698091, 0.561446),
        ("PaLM2", "Vanilla", "Natural", Orders(78, 15, 5, 0, 2), 0.83, 0.551020),
        ("PaLM2", "Vanilla", "Neighbor", Orders(90, 31, 13, 0, 0), 0.626866, 0.567164),
        ("PaLM2", "CoT", "", Orders(192, 217, 5, 0, 5), 0.585919, 0.757212),
    ],
)
def test_consistency_and_accuracy(rows: Rows, judge, method, subset, orders, right, first):
    """Unreadable verdicts are wrong for the accuracy and left out of the rest."""
    chosen = [r for r in rows if (r["judge"], r["method"]) == (judge, method) and subset in ("", r["subset"])]
    items = [f"{row['subset']} {row['i']}" for row in chosen]
    judgments = [Judgment(1, 2, STRAIGHT[row["winner_noswap"]], item) for row, item in zip(chosen, items, strict=True)]
    judgments += [Judgment(2, 1, SWAPPED[row["winner_swap"]], item) for row, item in zip(chosen, items, strict=True)]
    better = {item: int(row["label"]) for row, item in zip(chosen, items, strict=True)}
    assert len(better) == len(chosen)
    assert compare_orders(judgments) == orders
    assert accuracy(judgments, better) == pytest.approx(right, abs=1e-6)
    assert first_share(judgments) == pytest.approx(first, abs=1e-6)

    naive = Counter((row["winner_noswap"], row["winner_swap"]) for row in chosen)
    unread = sum(times for pair, times in naive.items() if "" in pair)
    assert (naive["1", "1"] + naive["2", "2"], naive["1", "2"], naive["2", "1"], unread) == (
        orders.same,
        orders.to_first,
        orders.to_second,
        orders.unread,
    )
    hits = sum((row["winner_noswap"] == row["label"]) + (row["winner_swap"] == row["label"]) for row in chosen)
    assert right == pytest.approx(hits / (2 * len(chosen)), abs=1e-6)


def test_the_swapped_winner_is_named_by_its_number(rows: Rows):
    """Were it named by its place, it would be wrong on the natural pairs wherever the other column is right."""
    natural = [r for r in rows if (r["method"], r["subset"]) == ("Vanilla", "Natural") and r["judge"] != "ChatGPT-0301"]
    for column in ("winner_noswap", "winner_swap"):
        assert sum(row[column] == row["label"] for row in natural) > 0.75 * len(natural)
