"""What the learning agents of Ctx2Skill are paid, worked out by hand (`tests/games/shelf.py`)."""

from __future__ import annotations

from itertools import cycle

import pytest

from selfplay.games.ctx2skill import Ctx2Skill
from selfplay.games.ctx2skill_settings import Settings
from selfplay.guards.controls import Control
from selfplay.samplers.scripted import Scripted
from selfplay.types import Episode, Seed, Turn
from tests.games import shelf
from tests.games.shelf import Shelf

VERDICTS = {
    "has A & has B : AB": ["yes yes", "yes yes", "yes no"],  # the majority passes it
    "has A & has B : Ab": ["yes no", "yes no", "?", "?", "?"],  # the third is never readable
    "has C & has D : cd": ["no no"],
    "has Q & has A : AB": ["no yes", "yes yes", "no yes"],  # planted: no Q, but an A
}


def test_what_older_recipes_say_of_closed_books_is_none():
    assert Settings(closed_book=False) == Settings(closed_book=0)
    with pytest.raises(ValueError, match=r"^game\.closed_book=True: must be a whole number"):
        Settings(closed_book=True)


def play(closed: str = "ab", **changes) -> Episode:
    """One round: the first task is solved by one of two answers, the second by none; a reply in between is garbage."""
    tasks, answers = iter(["task ab", "oops", "task cd"]), iter(["AB", "Ab", "cd", "cd"])
    verdicts = {key: cycle(texts) for key, texts in VERDICTS.items()}

    def reasoner(prompt, k):
        if str(prompt).startswith("reason  []"):
            return closed
        return next(answers, "?")

    def judge(prompt, k):
        asked = verdicts.get(str(prompt).removeprefix("judge "))
        return next(asked) if asked else shelf.judge(prompt, k)

    lines = shelf.lines() | {
        "challenger": lambda p, k: shelf.RUBRICS[str(p).split()[-1]] if "rubrics" in str(p) else next(tasks),
        "reasoner": reasoner,
        "judge": judge,
    }
    settings = {
        "rounds": 1, "tasks": 2, "answers": 2, "judgments": 3, "planted": 1,
        "learns": ["challenger", "reasoner", "judge"], "select": "last",
    }  # fmt: skip
    (episode,) = Ctx2Skill(Shelf(), **settings | changes).play([Seed(4, "x")], Scripted(lines))
    return episode


def paid(episode: Episode, role: str) -> list[Turn]:
    return [turn for turn in episode.turns if turn.role == role and turn.objective == "reinforce"]


def test_the_reasoner():
    turns = paid(play(), "reasoner")
    assert [(turn.group, turn.text, turn.rewards) for turn in turns] == [
        ("4/reasoner/1/0", "AB", {"rubrics": 1.0, "solved": 0.5}),
        ("4/reasoner/1/0", "Ab", {"rubrics": 0.5, "solved": 0.0}),
        ("4/reasoner/1/1", "cd", {"rubrics": 0.0, "solved": 0.0}),
        ("4/reasoner/1/1", "cd", {"rubrics": 0.0, "solved": 0.0}),
    ]
    assert [turn.measures for turn in turns] == [{"format": 1.0, "truth": truth} for truth in (1.0, 0.0, 0.0, 0.0)]


def test_the_challenger():
    turns = paid(play(), "challenger")
    assert [(turn.group, turn.text, turn.rewards["calibration"], turn.measures) for turn in turns] == [
        ("4/challenger/1", "task ab", 1.0, {"format": 1.0, "truth": 1.0}),  # half solved: 4 p (1 - p)
        ("4/challenger/1", "oops", 0.0, {"format": 0.0, "truth": 0.0}),
        ("4/challenger/1", "task cd", 0.0, {"format": 1.0, "truth": 0.0}),  # nobody solved it
    ]


@pytest.mark.parametrize(
    ("closed", "tasks", "earned", "solved"), [("ab", 2, 1.0, 0.0), ("AB", 2, 0.0, 0.5), ("AB", 1, 0.0, 1.0)]
)
def test_a_task_that_needs_no_document_earns_nothing(closed, tasks, earned, solved):
    episode = play(closed, closed_book=tasks)
    assert paid(episode, "challenger")[0].rewards == {"calibration": earned}
    assert episode.facts["closed_book_solved"] == solved
    assert not [turn for turn in paid(episode, "reasoner") if "closed" in turn.group], "measuring is not learned from"


def test_the_judge():
    turns = paid(play(), "judge")
    answers, planted = [t for t in turns if "planted" not in t.group], [t for t in turns if "planted" in t.group]
    first = [turn.rewards["agreement"] for turn in answers if turn.group == "4/judge/1/0/0"]
    second = [(turn.text, turn.rewards["agreement"]) for turn in answers if turn.group == "4/judge/1/0/1"]
    assert first == [1.0, 1.0, 0.5]
    assert second == [("yes no", 1.0), ("yes no", 1.0), ("?", 0.0), ("?", 0.0), ("?", 0.0)]
    assert [turn.measures["truth"] for turn in answers if turn.group == "4/judge/1/0/0"] == [1.0, 1.0, 0.0]
    assert [(turn.group, turn.rewards) for turn in planted] == [
        ("4/judge/1/planted/0", {"planted": right}) for right in (1.0, 0.5, 1.0)
    ]
    assert play().facts["planted_accuracy"] == pytest.approx(2.5 / 3)


@pytest.mark.parametrize("arm", ["random", "format", "truth"])
def test_every_control_arm_can_pay_all_three(arm):
    episode = play()
    learning = [turn for turn in episode.turns if turn.objective is not None]
    Control(arm).repay([episode], key=(0, 0))
    assert all(turn.rewards.keys() == {arm} and turn.objective == "reinforce" for turn in learning)


@pytest.mark.parametrize("role", ["challenger", "reasoner", "judge"])
def test_only_who_learns_is_paid(role):
    episode = play(learns=[role])
    assert {turn.role for turn in episode.turns if turn.objective is not None} == {role}


class Unreliable(Scripted):
    """A server that answers no question for rubrics."""

    def sample(self, role, prompts_N, n=1, *, temperature=None):
        turns = super().sample(role, prompts_N, n, temperature=temperature)
        for (turn,) in turns:
            if str(turn.prompt).startswith("rubrics"):
                turn.text, turn.failure = "", "HTTP 503"
        return turns


def test_a_task_whose_rubrics_a_failed_call_took_is_not_paid_for_it():
    lines = shelf.lines() | {"challenger": lambda p, k: "has A" if "rubrics" in str(p) else "task ab"}
    game = Ctx2Skill(Shelf(), rounds=1, tasks=2, answers=2, learns=["challenger"], select="last")
    (lost,) = game.play([Seed(4, "x")], Unreliable(lines))
    assert not paid(lost, "challenger")
    lines["challenger"] = lambda p, k: "?" if "rubrics" in str(p) else "task ab"
    (unreadable,) = game.play([Seed(4, "x")], Scripted(lines))
    assert [turn.rewards for turn in paid(unreadable, "challenger")] == [{"calibration": 0.0}] * 2


def test_an_answer_that_no_judge_was_heard_on_teaches_nothing():
    episode = play()
    heard = len(paid(episode, "reasoner"))
    VERDICTS["has A & has B : AB"], before = ["?"], VERDICTS["has A & has B : AB"]
    try:
        deaf = play()
    finally:
        VERDICTS["has A & has B : AB"] = before
    assert len(paid(deaf, "reasoner")) == heard - 1
    assert paid(deaf, "challenger")[0].rewards == {"calibration": 0.0}, "of the answers judged none is right"
