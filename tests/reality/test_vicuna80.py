"""Two judges' verdicts on five models' answers to 80 questions, all pairs in both orders (bcdnlp/PRD, MIT).

Every figure is worked out three times: by the package, by a naive count over the raw rows below, and as a literal.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import pytest

from selfplay.evaluation.bradley_terry import beats, bradley_terry
from selfplay.evaluation.pairwise import (
    Orders,
    compare_orders,
    copeland,
    first_share,
    triads,
    win_matrix,
    win_rates,
)
from selfplay.roles.judge import length_weight
from selfplay.types import Judgment, Verdict
from tests.reality.folder import json_lines, real_data
from tests.reality.replay import MEETINGS, Table

Rows = list[dict[str, Any]]

MODELS = ("bard", "claude", "gpt35", "gpt4", "vicuna-13b")
JUDGES = ("gpt35", "bard")
VERDICTS: dict[int, Verdict | None] = {1: "first", 2: "second", 3: "tie", -1: None}  # no row has -1


@pytest.fixture(scope="module")
def rows() -> Rows:
    return json_lines(real_data("vicuna80") / "ratings_gpt35_bard.jsonl")


def judgments_of(rows: Rows, judge: str, legacy: bool = False) -> list[Judgment]:
    return [
        Judgment(row["first"], row["second"], VERDICTS[row["score"]], str(row["q"]))
        for row in rows
        if row["judge"] == judge and (legacy or not row["legacy"])
    ]


def scores_of(rows: Rows, judge: str) -> dict[tuple[str, str, int], int]:
    """The naive side: (first, second, question) -> score."""
    return {(r["first"], r["second"], r["q"]): r["score"] for r in rows if r["judge"] == judge and r["legacy"] == 0}


def four_by_four(scores: dict[tuple[str, str, int], int], questions: Iterable[int]) -> list[Table]:
    """The verdicts on every four of the five models' answers to each question; five tables a question."""
    return [
        {(a, b): VERDICTS[scores[four[a], four[b], q]] for a, b in MEETINGS}
        for q in questions
        for four in combinations(MODELS, 4)
    ]


def points(scores: dict[tuple[str, str, int], int], question: int | None = None) -> dict[tuple[str, str], float]:
    """(winner, loser) -> judgments won, ties as halves."""
    won = {(one, two): 0.0 for one in MODELS for two in MODELS if one != two}
    for (first, second, q), score in scores.items():
        if question in (None, q):
            won[first, second] += {1: 1, 2: 0, 3: 0.5}[score]
            won[second, first] += {1: 0, 2: 1, 3: 0.5}[score]
    return won


def test_the_data_is_what_the_figures_were_taken_from(rows: Rows):
    assert len(rows) == 3360
    assert Counter(row["legacy"] for row in rows) == {0: 3200, 1: 160}
    for judge in JUDGES:
        scores = scores_of(rows, judge)
        assert len(scores) == len(judgments_of(rows, judge)) == 5 * 4 * 80
        assert all((second, first, q) in scores for first, second, q in scores)


@pytest.mark.parametrize(
    ("judge", "orders", "consistency", "first"),
    [
        ("gpt35", Orders(same=553, to_first=23, to_second=44, half=180, unread=0), 0.69125, 0.489954),
        ("bard", Orders(same=295, to_first=473, to_second=1, half=31, unread=0), 0.36875, 0.812054),
    ],
)
def test_position_consistency_and_flips_by_side(rows: Rows, judge, orders, consistency, first):
    judgments = judgments_of(rows, judge)
    assert compare_orders(judgments) == orders
    assert compare_orders(judgments).consistency == consistency
    assert first_share(judgments) == pytest.approx(first, abs=1e-6)

    scores = scores_of(rows, judge)
    naive = Counter()
    for one, two in combinations(MODELS, 2):
        for q in range(1, 81):
            pair = (scores[one, two, q], scores[two, one, q])
            if pair in ((1, 2), (2, 1), (3, 3)):
                naive["same"] += 1
            elif pair in ((1, 1), (2, 2)):
                naive["to_first" if pair == (1, 1) else "to_second"] += 1
            else:
                naive["half"] += 1
    assert naive == {name: getattr(orders, name) for name in ("same", "to_first", "to_second", "half")}
    ones, twos = (sum(score == said for score in scores.values()) for said in (1, 2))
    assert first == pytest.approx(ones / (ones + twos), abs=1e-6)


def test_stray_duplicates_would_change_the_figures(rows: Rows):
    """The 160 rows marked legacy repeat one pair of one judge, 27 of them with another verdict."""
    scores = scores_of(rows, "gpt35")
    strays = [row for row in rows if row["legacy"]]
    assert {(row["judge"], *sorted((row["first"], row["second"]))) for row in strays} == {("gpt35", "gpt35", "gpt4")}
    assert sum(scores[row["first"], row["second"], row["q"]] != row["score"] for row in strays) == 27
    assert compare_orders(judgments_of(rows, "gpt35", legacy=True)).consistency == pytest.approx(0.722115, abs=1e-6)


@pytest.mark.parametrize(
    ("judge", "rates", "pairs_won", "by_question"),
    [
        (
            "gpt35",
            (0.255469, 0.703906, 0.35, 0.821875, 0.36875),
            (0, 3, 1, 4, 2),
            (73.5, 225.5, 110.5, 273.5, 117.0),
        ),
        (
            "bard",
            (0.3625, 0.626562, 0.409375, 0.692188, 0.409375),
            (0, 3, 2, 4, 1),
            (115.0, 202.0, 130.0, 222.5, 130.5),
        ),
    ],
)
def test_win_rates_and_copeland_vectors(rows: Rows, judge, rates, pairs_won, by_question):
    """Over all questions at once, and question by question with the scores added up."""
    judgments = judgments_of(rows, judge)
    wins = win_matrix(judgments)
    assert tuple(win_rates(wins)[model] for model in MODELS) == pytest.approx(rates, abs=1e-6)
    assert tuple(copeland(wins)[model] for model in MODELS) == pairs_won
    added = Counter()
    for q in range(1, 81):
        added.update(copeland(win_matrix([judgment for judgment in judgments if judgment.item == str(q)])))
    assert tuple(added[model] for model in MODELS) == by_question

    scores = scores_of(rows, judge)
    naive, by_q = points(scores), [points(scores, q) for q in range(1, 81)]
    assert {(one, two): times for one, row in wins.items() for two, times in row.items()} == naive
    for model, rate, won, summed in zip(MODELS, rates, pairs_won, by_question, strict=True):
        others = [other for other in MODELS if other != model]
        assert rate == pytest.approx(sum(naive[model, other] for other in others) / 640, abs=1e-6)
        assert won == sum(naive[model, other] > 80 for other in others)
        single = [won_q[model, other] for won_q in by_q for other in others]  # of two judgments each
        assert summed == sum(score > 1 for score in single) + sum(score == 1 for score in single) / 2


@pytest.mark.parametrize(
    ("judge", "strengths"),
    [
        ("gpt35", (0.369655, 2.211137, 0.545145, 3.823122, 0.587026)),
        ("bard", (0.622983, 1.535520, 0.733115, 1.945018, 0.733115)),
    ],
)
def test_bradley_terry_strengths(rows: Rows, judge, strengths):
    fitted = bradley_terry(win_matrix(judgments_of(rows, judge)))
    assert tuple(fitted[model] for model in MODELS) == pytest.approx(strengths, abs=1e-6)
    assert beats(fitted, "gpt4", "bard") == pytest.approx(strengths[3] / (strengths[3] + strengths[0]), abs=1e-6)

    won = points(scores_of(rows, judge))
    logs = dict.fromkeys(MODELS, 0.0)
    for _ in range(3000):  # plain gradient ascent on the log-likelihood, 160 judgments of every pair
        slopes = {
            one: sum(won[one, two] - 160 / (1 + math.exp(logs[two] - logs[one])) for two in MODELS if two != one)
            for one in MODELS
        }
        logs = {one: logs[one] + 0.004 * slopes[one] for one in MODELS}
    assert tuple(math.exp(logs[model]) for model in MODELS) == pytest.approx(strengths, abs=1e-5)


@pytest.mark.parametrize(("judge", "decided", "cycles"), [("gpt35", 476, 0), ("bard", 58, 2)])
def test_intransitive_triads(rows: Rows, judge, decided, cycles):
    """None over all questions at once; of the 800 triads of single questions as many as stand here."""
    judgments = judgments_of(rows, judge)
    overall = triads(win_matrix(judgments))
    assert (overall.total, overall.decided, overall.cycles) == (10, 10, 0)
    single = [triads(win_matrix([j for j in judgments if j.item == str(q)])) for q in range(1, 81)]
    assert [sum(getattr(t, name) for t in single) for name in ("total", "decided", "cycles")] == [800, decided, cycles]

    scores = scores_of(rows, judge)
    naive = Counter()
    for q in range(1, 81):
        won = points(scores, q)
        for one, two, three in combinations(MODELS, 3):
            ahead = [won[pair] - won[pair[::-1]] for pair in ((one, two), (two, three), (three, one))]
            naive["decided"] += 0 not in ahead
            naive["cycles"] += min(ahead) > 0 or max(ahead) < 0
    assert (naive["decided"], naive["cycles"]) == (decided, cycles)


@pytest.mark.parametrize(
    ("judge", "longer_wins", "kept"), [("gpt35", 0.806028, 0.287481), ("bard", 0.615036, 0.324044)]
)
def test_length_control_on_real_answers(rows: Rows, judge, longer_wins, kept):
    """Both judges like length, and alpha = .2 keeps under a third of their verdicts: answers differ more than that."""
    folder = real_data("vicuna80")
    words = {
        (model, answer["question_id"]): len(answer["text"].split())
        for model in MODELS
        for answer in json_lines(folder / f"answer_{model}.jsonl")
    }
    won = [
        (words[str(j.winner), int(j.item)], words[str(j.loser), int(j.item)])
        for j in judgments_of(rows, judge)
        if j.winner is not None
    ]
    assert sum(length_weight(*pair) > 0 for pair in won) / len(won) == pytest.approx(kept, abs=1e-6)
    assert sum(winner > loser for winner, loser in won) / len(won) == pytest.approx(longer_wins, abs=1e-6)

    naive, longer = [], []
    for (first, second, q), score in scores_of(rows, judge).items():
        if score in (1, 2):
            ratio = words[first, q] / words[second, q]
            ratio = ratio if score == 1 else 1 / ratio
            naive.append(0.8 < ratio < 1.2)
            longer.append(ratio > 1)
    assert sum(longer) / len(longer) == pytest.approx(longer_wins, abs=1e-6)
    assert sum(naive) / len(naive) == pytest.approx(kept, abs=1e-6)
