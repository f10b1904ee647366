"""Replay over pairs of adapters and skills, by hand (`tests/games/shelf.py`)."""

from __future__ import annotations

import pytest

from selfplay.evaluation.pairs import Pair, Probes, best_pair
from selfplay.roles.replay import Probe
from selfplay.samplers.scripted import Scripted
from selfplay.types import Turn
from tests.games import shelf
from tests.games.shelf import Shelf

HARD, EASY = Probe("hard", 1, "cd", ("has C", "has D")), Probe("easy", 1, "ab", ("has A", "has B"))
OTHER = Probe("hard", 2, "ef", ("has E",))


def probes() -> Probes:
    domain = Shelf()
    return Probes(domain, domain.contexts("train"), [[HARD, EASY], [OTHER]])


def reasoner(answers: dict[tuple[str, str], str]) -> Scripted:
    return Scripted({"reasoner": lambda prompt, k: answers[shelf.skill_in(prompt), shelf.after(prompt)]})


JUDGE = {"judge": shelf.judge}


@pytest.mark.parametrize(
    ("skills_C", "said", "score"),
    [
        # first context: hard (1+1)/(1+1) x easy (0+1)/(1+1); second: hard 1, no easy probe 1
        (("s", ""), {("s", "cd"): "CD", ("s", "ab"): "A", ("", "ef"): "EF"}, (1 / 2 + 1) / 2),
        (("", ""), {("", "cd"): "C", ("", "ab"): "AB", ("", "ef"): "?"}, (1 / 2 + 1 / 2) / 2),
    ],
)
def test_the_score_of_a_pair(skills_C, said, score):
    asked = probes()
    answers = asked.answers(reasoner(said), skills_C)
    assert answers == [[said[skills_C[0], "cd"], said[skills_C[0], "ab"]], [said[skills_C[1], "ef"]]]
    assert asked.score(Scripted(JUDGE), answers) == pytest.approx(score)


def test_what_never_came_is_not_counted():
    class Silent(Scripted):
        def sample(self, role, prompts_N, n=1, *, temperature=None):
            return [[Turn(role, prompt, "", failure="HTTP 503")] for prompt in prompts_N]

    asked = probes()
    assert asked.answers(Silent({}), ("", "")) == [[None, None], [None]]
    assert asked.score(Scripted(JUDGE), [[None, "AB"], ["EF"]]) == 1.0
    assert asked.score(Scripted({"judge": ["yes"]}), [["CD", "AB"], ["?"]]) == 1.0, "one verdict on two rubrics is none"
    assert asked.score(Silent({}), [["CD", "AB"], ["EF"]]) == 1.0


@pytest.mark.parametrize(
    ("scores", "no_skill", "best"),
    [
        ({Pair(0, 0): 0.1, Pair(9, 9): 0.2}, True, Pair(9, 9)),
        ({Pair(9, 9): 0.2, Pair(9, 0): 0.2, Pair(0, 9): 0.2}, True, Pair(0, 9)),
        ({Pair(9, 9): 0.1, Pair(9, 0): 0.2}, True, Pair(9, 0)),
        ({Pair(9, 9): 0.1, Pair(9, 0): 0.2}, False, Pair(9, 9)),
    ],
)
def test_the_earliest_of_the_best(scores, no_skill, best):
    assert best_pair(scores, no_skill) == best
