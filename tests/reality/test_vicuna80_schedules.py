"""The judging budget on real verdicts; the figures over all numberings: python -m tests.benchmarks.bench_schedules.

Here each table is played as the models are numbered, so that the figures differ a little from those of
`recipes/serl_judging.md`. Half the questions chose the widths of `roles.adaptive`; the bounds hold on the other half.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from selfplay.roles.adaptive import Adaptive
from selfplay.roles.judge import actor_rewards
from selfplay.roles.schedules import AllPairs, Knockout
from selfplay.types import Judgment
from tests.reality.folder import json_lines, real_data
from tests.reality.replay import MEETINGS, Table, chance_share, half_wins, numberings, replay, strict_share, winners
from tests.reality.test_vicuna80 import four_by_four, scores_of

UNSEEN = range(2, 81, 2)


@pytest.fixture(scope="module")
def tables() -> dict[str, list[Table]]:
    rows = json_lines(real_data("vicuna80") / "ratings_gpt35_bard.jsonl")
    return {judge: four_by_four(scores_of(rows, judge), range(1, 81)) for judge in ("gpt35", "bard")}


def unseen(tables: list[Table]) -> list[Table]:
    return [table for at, table in enumerate(tables) if at // 5 + 1 in UNSEEN]


@pytest.mark.parametrize(("judge", "strict", "chance"), [("gpt35", 0.8375, 0.294375), ("bard", 0.68, 0.388125)])
def test_how_often_there_is_one_winner_to_name(tables, judge, strict, chance):
    assert len(tables[judge]) == 400
    assert strict_share(tables[judge]) == strict
    assert chance_share(tables[judge]) == chance


@pytest.mark.parametrize("judge", ["gpt35", "bard"])
def test_the_full_schedule_names_its_own_winners_whoever_counts(tables, judge):
    for table in tables[judge]:
        paid = actor_rewards([1] * 4, [Judgment(*meeting, table[meeting]) for meeting in MEETINGS], None)
        assert paid == [half_wins(table)[answer] / 12 for answer in range(4)]
        assert {answer for answer in range(4) if paid[answer] == max(paid)} == winners(table)
    whole = replay(AllPairs(2), tables[judge], every_numbering=False)
    assert (whole.agreement, whole.judgments, whole.reward_error) == (1, 12, 0)


@pytest.mark.parametrize(("judge", "least", "asked"), [("gpt35", 0.95, 6.6), ("bard", 0.90, 7.6)])
def test_eight_judgments_name_the_winner_on_questions_not_tuned_on(tables, judge, least, asked):
    """95 % with the steadier judge; not with the one that names the first in 81 % of its verdicts."""
    adaptive = replay(Adaptive(8), unseen(tables[judge]), every_numbering=False)
    knockout = replay(Knockout(), unseen(tables[judge]), every_numbering=False)
    assert adaptive.agreement >= least
    assert adaptive.most <= 8
    assert adaptive.judgments < asked
    assert adaptive.agreement > knockout.agreement + 0.02


def test_the_knock_out_as_counted_by_hand(tables):
    """Bracket 0-1, 2-3, then the winners; whoever has more of the two verdicts, of all so far, or the lower number."""

    def half(table: Table, one: int, other: int) -> tuple[int, int]:
        own = {"first": 2, "tie": 1, "second": 0}
        there, back = own[table[one, other] or ""], own[table[other, one] or ""]
        return there + 2 - back, 2 - there + back

    right = 0
    for table in tables["gpt35"]:
        points, met = [0] * 4, [0] * 4
        left = [0, 1, 2, 3]
        while len(left) > 1:
            through = []
            for one, other in zip(left[::2], left[1::2], strict=True):
                for answer, won in zip((one, other), half(table, one, other), strict=True):
                    points[answer] += won
                    met[answer] += 4
            for one, other in zip(left[::2], left[1::2], strict=True):
                mine, theirs = half(table, one, other)
                behind = theirs > mine or (theirs == mine and points[other] > points[one])
                through.append(other if behind else one)
            left = through
        shares = [won / of for won, of in zip(points, met, strict=True)]
        right += shares.index(max(shares)) in winners(table)
    assert replay(Knockout(), tables["gpt35"], every_numbering=False).agreement == right / 400


def test_every_numbering_of_a_table_has_the_same_winners_by_name(tables):
    for table in tables["bard"][:20]:
        renumbered = list(zip(permutations(range(4)), numberings(table), strict=True))
        assert len(renumbered) == 24
        for order, other in renumbered:
            assert winners(other) == {order[answer] for answer in winners(table)}
