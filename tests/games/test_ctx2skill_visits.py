"""A context that comes again: what a visit takes over from the last one, by hand (`tests/games/shelf.py`)."""

from __future__ import annotations

import json

import pytest

from selfplay.games.ctx2skill import Ctx2Skill
from selfplay.games.ctx2skill_settings import Settings
from selfplay.samplers.scripted import Scripted
from selfplay.types import Episode, Seed, Skill, Turn
from tests.games import shelf
from tests.games.shelf import Shelf

SEED = Seed(4, "contexts")


def visits(number: int, *, resumed: bool = False, **changes) -> list[Episode]:
    """So many visits to one context; ``resumed``: each in a game of its own that took up the last one's memory."""
    settings = {"rounds": 1, "tasks": 2, "carry": True} | changes
    game, lines, episodes = Ctx2Skill(Shelf(), **settings), Scripted(shelf.lines()), []
    for _ in range(number):
        (episode,) = game.play([SEED], lines)
        game.remember([episode])
        episodes.append(episode)
        if resumed:
            saved = json.loads(json.dumps(game.state_dict()))
            game = Ctx2Skill(Shelf(), **settings)
            game.load_state_dict(saved)
    return episodes


def prompts(episodes: list[Episode], role: str, at: str = "") -> list[str]:
    return [str(t.prompt) for e in episodes for t in e.turns if t.role == role and t.group.startswith(f"4/{at}")]


def skills(episodes: list[Episode]) -> dict[str, str]:
    return {name: note for one in episodes for name, note in one.notes.items() if name.startswith("skill/")}


def test_two_visits_of_one_round_are_one_visit_of_two():
    apart, together = visits(2), visits(1, rounds=2)
    assert skills(apart) == skills(together)
    for role in ("challenger", "reasoner_proposer", "challenger_generator"):
        assert prompts(apart, role) == prompts(together, role)
    for at in ("reasoner/1", "reasoner/2", "reasoner/replay/2"):
        assert prompts(apart, "reasoner", at) == prompts(together, "reasoner", at)
    last, whole = apart[-1].notes, together[0].notes
    assert {name: last[name] for name in ("replay", "probes", "selected", "round/2")} == {
        name: whole[name] for name in ("replay", "probes", "selected", "round/2")
    }


def test_what_the_second_visit_says_of_itself():
    first, second = visits(2)
    assert json.loads(first.notes["began"]) == {"round": 0, "reasoner": 0}
    assert json.loads(second.notes["began"]) == {"round": 1, "reasoner": 1}
    assert second.notes["selected"] == "1", "the version it began with has won against its own"
    assert (second.facts["selected_round"], second.facts["selected_carried"]) == (0, 1)
    assert "selected_carried" not in first.facts
    assert second.facts["solve_rate_1"] == 1 / 2
    assert "solve_rate_2" not in second.facts, "rounds are counted within the visit"


def test_without_it_every_visit_is_the_first():
    game = Ctx2Skill(Shelf(), rounds=1, tasks=2)
    first, second = [game.play([SEED], Scripted(shelf.lines()))[0] for _ in range(2)]
    game.remember([first])
    assert game.play([SEED], Scripted(shelf.lines()))[0] == second == first


def test_a_resumed_game_goes_on_the_same_way():
    assert visits(2, resumed=True) == visits(2)


def test_without_carry_a_memory_of_visits_is_let_go():
    """Whoever turns it off on a resume mines every context anew, as the settings then say."""
    game = Ctx2Skill(Shelf(), rounds=1, tasks=2, carry=True)
    game.remember(game.play([SEED], Scripted(shelf.lines())))
    other = Ctx2Skill(Shelf(), rounds=1, tasks=2)
    other.load_state_dict(game.state_dict())
    (episode,) = other.play([SEED], Scripted(shelf.lines()))
    assert json.loads(episode.notes["began"]) == {"round": 0, "reasoner": 0}
    assert other.skills == game.skills
    assert other.state_dict()["visits"] == {}


def test_a_checkpoint_that_has_the_skills_as_markdown_is_taken_up():
    settings = {"rounds": 1, "tasks": 2, "carry": True}
    game = Ctx2Skill(Shelf(), **settings)
    (first,) = game.play([SEED], Scripted(shelf.lines()))
    game.remember([first])
    old = json.loads(json.dumps(game.state_dict()))
    (visit,) = old["visits"].values()
    del visit["skills"]
    visit["challenger"] = first.notes["skill/challenger/1"]
    resumed = Ctx2Skill(Shelf(), **settings)
    resumed.load_state_dict(old)
    assert resumed.state_dict() == json.loads(json.dumps(game.state_dict()))


@pytest.mark.parametrize("body", ["write D\n", "\x1c write D", "---\nname: twice\ndescription: D.\n---\nD", "\ud800"])
def test_a_visit_begins_with_the_very_skill_of_the_last_one(body):
    """Markdown would lose white space, and the whole of a set that does not read back."""

    class Odd(Shelf):
        def read_skill(self, text):
            return Skill("odd", "For D.", body)

    game = Ctx2Skill(Odd(), rounds=1, tasks=2, carry=True, select="last")
    lines = shelf.lines() | {"challenger": ["task cd", "task cd", "has C & has D", "has C & has D"] * 2}
    game.remember(game.play([SEED], Scripted(lines)))
    state = json.loads(json.dumps(game.state_dict()))
    game = Ctx2Skill(Odd(), rounds=1, tasks=2, carry=True, select="last")
    game.load_state_dict(state)
    (second,) = game.play([SEED], Scripted(lines))
    asked = prompts([second], "reasoner", "reasoner/2")
    assert {prompt.partition("[")[2].rpartition("]")[0] for prompt in asked} == {body}


@pytest.mark.parametrize(
    ("changes", "selected"), [({"select": "last"}, "2"), ({"select": 0}, "0"), ({"no_skill": True}, "1")]
)
def test_other_choices(changes, selected):
    assert visits(2, **changes)[-1].notes["selected"] == selected


def test_a_visit_in_which_nothing_was_judged_keeps_what_there_was():
    class Deaf(Scripted):
        def sample(self, role, prompts_N, n=1, *, temperature=None):
            return [[Turn(role, prompt, "", failure="HTTP 503") for _ in range(n)] for prompt in prompts_N]

    game = Ctx2Skill(Shelf(), rounds=1, tasks=2, carry=True)
    game.remember(game.play([SEED], Scripted(shelf.lines())))
    before = dict(game.skills)
    assert "write D" in before["letters"]
    (silent,) = game.play([SEED], Deaf({}))
    game.remember([silent])
    assert game.skills == before
    (third,) = game.play([SEED], Scripted(shelf.lines()))
    assert third.notes["skill/reasoner/1"] == before["letters"], "and the third visit begins with it"
    assert json.loads(third.notes["began"]) == {"round": 2, "reasoner": 1}


@pytest.mark.parametrize(
    ("changes", "start", "origin", "candidates"),
    [
        ({}, 0, 0, (1, 2)),
        ({}, 2, 1, (1, 3, 4)),
        ({}, 2, 0, (3, 4)),  # no skill was chosen: it competes only where it may
        ({"no_skill": True}, 2, 1, (0, 1, 3, 4)),
        ({"select": "last"}, 2, 1, ()),
    ],
)
def test_who_competes(changes, start, origin, candidates):
    assert Settings(rounds=2, carry=True, **changes).candidates_of(start, origin) == candidates


def test_some_tasks_are_practised_without_the_skill_and_steer_nothing():
    """The shelf's reasoner writes ef right with the skill (EF) and not at all without (?)."""
    settings = {"answers": 2, "unaided": 1, "learns": ["reasoner", "challenger"]}
    plain, practised = visits(2, **(settings | {"unaided": 0})), visits(2, **settings)
    assert skills(practised) == skills(plain)
    assert [one.notes["replay"] for one in practised] == [one.notes["replay"] for one in plain]
    assert not [t for t in practised[0].turns if "unaided" in t.group], "nobody has a skill on the first visit"
    turns = [t for t in practised[1].turns if t.role == "reasoner" and t.group.endswith("unaided")]
    assert [(t.group, str(t.prompt)) for t in turns] == [("4/reasoner/2/0/unaided", "reason <letters> [] ef")] * 2
    assert [t.rewards for t in turns] == [{"rubrics": 0.0, "solved": 0.0}] * 2
    assert practised[1].facts["unaided_solve_rate"] == 0
    assert practised[1].facts["solve_rate"] == plain[1].facts["solve_rate"]
    for one, other in zip(plain, practised, strict=True):
        paid = [[t.reward for t in episode.turns if t.role == "challenger"] for episode in (one, other)]
        assert paid[0] == paid[1]


def test_the_bound_on_turns_holds_for_every_visit():
    game = Ctx2Skill(Shelf(), rounds=1, tasks=2, carry=True)
    answers = [sum(turn.role == "reasoner" for turn in episode.turns) for episode in visits(2)]
    assert answers == [2 + 2, 2 + 2 * 4]
    assert game.rows_per_seed["reasoner"] == 2 + 2 * 4
