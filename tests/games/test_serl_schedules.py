"""SERL under a schedule of several rounds: replies reach their contest, and every round is one call."""

from __future__ import annotations

from collections.abc import Sequence

from selfplay.domains.open_ended import WordLists
from selfplay.games.serl import SERL
from selfplay.roles.schedules import Expected, Meeting
from selfplay.types import Judgment, Seed
from tests.noting import Noting


class UntilBothOrdersAgree:
    """Each pair of two answers in both orders, once more where the orders disagreed; three rounds at most."""

    rounds, times = 3, 1

    def most_judgments(self, answers: int) -> int:
        return 2 * self.rounds

    def next(self, answers: int, judgments_J: Sequence[Judgment]) -> list[Meeting]:
        last = [judgment.winner for judgment in judgments_J[-2:]]
        return [] if last and last[0] == last[1] else [(0, 1), (1, 0)]

    def expected(self, answers: int, judgments_J: Sequence[Judgment]) -> Expected:
        return {}


def test_a_pair_that_is_decided_is_left_alone_and_ranks_stay_in_step():
    # animals are judged by their place for one round and then by the word; colours by the word at once
    said = iter(["A", "A", "A", "B", "A", "B"])
    sampler = Noting({"actor": ["cat", "owl", "red", "blue"], "judge": lambda prompt, k: next(said)})
    game = SERL(WordLists(categories=["animals", "colours"]), UntilBothOrdersAgree(), answers=2)
    animals, colours = game.play([Seed(0, ""), Seed(1, "")], sampler)
    cat_first, owl_first = "judge animals : cat | owl", "judge animals : owl | cat"
    red_first, blue_first = "judge colours : red | blue", "judge colours : blue | red"
    assert sampler.calls[1:] == [
        ("judge", [cat_first, owl_first, red_first, blue_first], 1),
        ("judge", [cat_first, owl_first], 1),
        ("judge", [], 1),
    ]
    assert [turn.text for turn in animals.turns] == ["cat", "owl", "A", "A", "A", "B"]
    assert [turn.text for turn in colours.turns] == ["red", "blue", "A", "B"]
    # each answer's wins over the judgments that it stood in: three of four and one of four; two of two and none
    assert [turn.reward for turn in animals.turns] == [0.75, 0.25, 1, -1, 1, 1]
    assert [turn.reward for turn in colours.turns] == [1, 0, 1, 1]
    assert {turn.group for turn in animals.turns[2:]} == {"0/judge/0-1"}
    assert game.rows_per_seed["judge"] == 6
