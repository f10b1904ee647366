"""SQLM with scripted players: every reward, group, fact and memory worked out by hand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.domains.arithmetic import Arithmetic
from selfplay.games.sqlm import SQLM
from selfplay.guards.gate import TaskGate
from selfplay.samplers.scripted import Scripted
from selfplay.types import Problem, Prompt, Seed, Turn
from tests.noting import Noting
from tests.texts import UGLY, texts


def sqlm(max_level: int | None = None, **settings) -> SQLM:
    domain = Arithmetic()
    return SQLM(domain, TaskGate(domain, max_level=max_level), **settings)


def of_role(turns: list[Turn], role: str) -> list[Turn]:
    return [turn for turn in turns if turn.role == role]


SEED = Seed(7, "addition")
LINES = {
    "proposer": ["27+85", "dunno", "3+4", "85+27"],  # the third is fine, the last is the first again
    "solver": [">112", ">112", ">102", ">112", ">7", ">7", ">7", ">7"],
}


def test_a_whole_episode_by_hand():
    (episode,) = sqlm().play([SEED], Scripted(LINES))
    assert [turn.text for turn in episode.turns] == LINES["proposer"] + LINES["solver"]
    proposer, solver = of_role(episode.turns, "proposer"), of_role(episode.turns, "solver")
    assert [turn.group for turn in proposer] == ["7/proposer"] * 4
    assert [turn.group for turn in solver] == ["7/solver/0"] * 4 + ["7/solver/2"] * 4
    assert [turn.prompt for turn in solver] == ["solve 27+85"] * 4 + ["solve 3+4"] * 4
    assert [turn.rewards for turn in proposer] == [{"calibration": 1.0}, {}, {"calibration": 0.0}, {}]  # 3 of 4; 4 of 4
    assert [turn.objective for turn in proposer] == ["reinforce", None, "reinforce", None]
    assert [turn.reward for turn in solver] == [1, 1, 0, 1, 1, 1, 1, 1]
    assert all(set(turn.rewards) == {"majority"} and turn.objective == "reinforce" for turn in solver)
    assert episode.notes == {"asked": "27+85 3+4", "elected": "112 7"}


def test_facts_by_hand():
    (episode,) = sqlm().play([SEED], Scripted(LINES))
    assert episode.facts == {
        "admitted": 2,
        "rejected_unreadable": 1, "rejected_out_of_scope": 0, "rejected_held_out": 0, "rejected_duplicate": 1,
        "difficulty_0": 0, "difficulty_1": 0, "difficulty_2": 0, "difficulty_3": 1, "difficulty_4": 1,
        "vote_share": 7 / 8, "readable": 1, "level": 1.5, "answer_accuracy": 7 / 8, "vote_accuracy": 1,
    }  # fmt: skip


def test_the_truth_is_measured_and_never_paid():
    lines = {"proposer": ["27+85"], "solver": [">102", ">102", ">102", ">112"]}  # a wrong consensus
    (episode,) = sqlm(proposals=1).play([SEED], Scripted(lines))
    question, *answers = episode.turns
    assert [turn.reward for turn in answers] == [1, 1, 1, 0]
    assert [turn.measures["truth"] for turn in answers] == [0, 0, 0, 1]
    assert question.rewards == {"calibration": 1.0}
    assert question.measures == {"format": 1.0, "truth": 1.0}  # one right answer of four: also 0 < 1 < 4
    assert episode.facts["vote_accuracy"] == 0.0


def test_the_truth_arm_pays_the_proposer_for_right_answers_not_for_votes():
    lines = {"proposer": ["27+85"], "solver": [">102", ">102", ">102", ">103"]}  # 3 agree, none is right
    (episode,) = sqlm(proposals=1).play([SEED], Scripted(lines))
    assert episode.turns[0].rewards == {"calibration": 1.0}
    assert episode.turns[0].measures["truth"] == 0.0


def test_rewards_do_not_change_when_the_truth_is_unknown():
    class Unknowing(Arithmetic):
        def is_right(self, problem: Problem, answer: str | None) -> bool | None:
            return None

    domain = Unknowing()
    (blind,) = SQLM(domain, TaskGate(domain)).play([SEED], Scripted(LINES))
    (seeing,) = sqlm().play([SEED], Scripted(LINES))
    assert [turn.rewards for turn in blind.turns] == [turn.rewards for turn in seeing.turns]
    assert not any("truth" in turn.measures for turn in blind.turns if turn.objective)
    assert "vote_accuracy" not in blind.facts


def test_two_seeds_are_played_in_two_calls_and_keep_their_answers():
    lines = {"proposer": ["3+4", "no", "no", "20+30"], "solver": lambda prompt, k: f">{sum_of(prompt)}" if k else ">0"}
    sampler = Noting(lines)
    episodes = sqlm(proposals=2, answers=3).play([Seed(4, "addition"), Seed(5, "sums")], sampler)
    assert sampler.calls == [
        ("proposer", ["propose addition", "propose sums"], 2),
        ("solver", ["solve 3+4", "solve 20+30"], 3),
    ]
    for episode in episodes:
        for answer in of_role(episode.turns, "solver"):
            assert answer.group.startswith(f"{episode.seed.index}/solver/")
            assert answer.text in (">0", f">{sum_of(answer.prompt)}")


def sum_of(prompt: Prompt) -> int:
    return sum(int(number) for number in str(prompt).removeprefix("solve ").split("+"))


@pytest.mark.parametrize("seeds_B", [[], [SEED], [SEED, Seed(8, "addition")]])
def test_every_round_is_one_call_even_with_nothing_to_ask(seeds_B):
    sampler = Noting({"proposer": ["garbage"], "solver": [">1"]})
    episodes = sqlm().play(seeds_B, sampler)
    assert [(role, len(prompts)) for role, prompts, _ in sampler.calls] == [("proposer", len(seeds_B)), ("solver", 0)]
    assert [episode.seed for episode in episodes] == seeds_B
    for episode in episodes:
        assert episode.facts["admitted"] == 0
        assert episode.facts["rejected_unreadable"] == 4
        assert "vote_share" not in episode.facts
        assert episode.notes == {"asked": "", "elected": ""}
        assert all(turn.objective is None for turn in episode.turns)


def test_a_question_that_is_turned_away_can_be_paid_nothing():
    (episode,) = sqlm(invalid="zero").play([SEED], Scripted(LINES))
    assert [(turn.objective, turn.rewards) for turn in of_role(episode.turns, "proposer")[1::2]] == [
        ("reinforce", {"calibration": 0.0})
    ] * 2


@pytest.mark.parametrize(
    ("settings", "solver", "question_pay", "answers_pay"),
    [
        ({"band": "release"}, [">1", ">2", ">3", "?"], 0, [1, 0, 0, 0]),  # c = 1
        ({"band": "paper"}, [">1", ">2", ">3", "?"], 1, [1, 0, 0, 0]),
        ({"band": "paper", "min_votes": 2}, [">1", ">2", ">3", "?"], 0, [0, 0, 0, 0]),
        ({"band": "paper", "tie": "none"}, [">1", ">2", ">1", ">2"], 0, [0, 0, 0, 0]),
        ({"band": "paper", "tie": "first"}, [">2", ">1", ">1", ">2"], 1, [1, 0, 0, 1]),
        ({"band": "triangle"}, [">1", ">1", ">1", ">2"], 0.75, [1, 1, 1, 0]),
        ({"band": "range", "high": 0.5}, [">1", ">1", ">1", ">2"], 0, [1, 1, 1, 0]),
        ({"band": "range", "high": 0.75}, [">1", ">1", ">1", ">2"], 1, [1, 1, 1, 0]),
        ({"band": "range", "high": 0.75}, ["?", "?", "?", "?"], 0, [0, 0, 0, 0]),
    ],
)
def test_bands_ties_and_votes_reach_the_rewards(settings, solver, question_pay, answers_pay):
    (episode,) = sqlm(proposals=1, **settings).play([SEED], Scripted({"proposer": ["3+4"], "solver": solver}))
    question, *answers = episode.turns
    assert question.reward == question_pay
    assert [turn.reward for turn in answers] == answers_pay


def test_memory_keeps_a_problem_from_being_asked_twice_in_a_run():
    game = sqlm()
    episodes = game.play([SEED], Scripted(LINES))
    assert game.play([SEED], Scripted(LINES))[0].facts["admitted"] == 2, "playing alone remembers nothing"
    game.remember(episodes)
    resumed = sqlm()
    resumed.load_state_dict(json.loads(json.dumps(game.state_dict())))
    for player in (game, resumed):
        (episode,) = player.play([SEED], Scripted(LINES))
        assert episode.facts["rejected_duplicate"] == 3


def test_splitting_the_rows_over_processes_changes_nothing():
    def by_topic(prompt: Prompt, k: int) -> str:
        return f"{k + 1}+{len(str(prompt))}"

    lines = {"proposer": by_topic, "solver": lambda prompt, k: f">{sum_of(prompt) + (k == 3)}"}
    seeds = [Seed(0, "a"), Seed(1, "a"), Seed(2, "bb"), Seed(3, "a")]  # rows 0, 1 and 3 ask the same
    whole, halves = sqlm(), [sqlm(), sqlm()]
    for again in range(2):
        together = whole.play(seeds, Scripted(lines))
        apart = halves[0].play(seeds[:2], Scripted(lines)) + halves[1].play(seeds[2:], Scripted(lines))
        assert together == apart
        for game in (whole, *halves):
            game.remember(together)
        assert all((episode.facts["admitted"] == 0) == bool(again) for episode in together)


@given(st.lists(texts, min_size=1, max_size=5), st.lists(texts, min_size=1, max_size=5), st.integers(0, 3))
def test_whatever_is_said_the_books_balance(questions, answers, seeds):
    game = sqlm(max_level=3, min_votes=2)
    sampler = Noting({"proposer": questions, "solver": answers})
    episodes = game.play([Seed(index, "addition") for index in range(seeds)], sampler)
    game.remember(episodes)
    assert [role for role, _, _ in sampler.calls] == ["proposer", "solver"]
    for episode in episodes:
        assert sum(value for fact, value in episode.facts.items() if fact.startswith(("admitted", "rejected"))) == 4
        assert len(episode.turns) == 4 + 4 * episode.facts["admitted"]
        assert len(of_role(episode.turns, "proposer")) <= game.rows_per_seed["proposer"]
        assert len(of_role(episode.turns, "solver")) <= game.rows_per_seed["solver"]
        assert all(turn.group and 0 <= turn.reward <= 1 for turn in episode.turns)


@pytest.mark.parametrize("text", UGLY, ids=lambda text: repr(text[:12]))
def test_ugly_texts_from_both_roles(text):
    (refused,) = sqlm().play([SEED], Scripted({"proposer": [text], "solver": [text]}))
    assert refused.facts["rejected_unreadable"] == 4
    (asked,) = sqlm(proposals=1).play([SEED], Scripted({"proposer": ["3+4"], "solver": [text]}))
    assert [turn.reward for turn in asked.turns] == [0] * 5


def test_what_the_learner_is_told():
    game = sqlm(proposals=6, answers=8, proposer_period=3)
    assert game.roles == ("proposer", "solver")
    assert game.periods == {"proposer": 3}
    assert game.rows_per_seed == {"proposer": 6, "solver": 48}


def test_the_defaults_are_the_paper():
    game = sqlm()
    assert (game.proposals, game.answers, game.periods) == (4, 4, {"proposer": 5})
    assert [game.calibration(votes, 4) for votes in range(5)] == [0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"answers": 1}, "game.answers=1: must be a whole number from 2; a group of one has no peers"),
        ({"answers": 2.5}, "game.answers=2.5"),
        ({"proposals": 0}, "game.proposals=0"),
        ({"min_votes": 0}, "game.min_votes=0"),
        ({"proposer_period": 0}, "game.proposer_period=0"),
        ({"band": "tent"}, "game.band='tent': unknown; choose one of paper, release, range, triangle"),
        ({"tie": "coin"}, "game.tie='coin'"),
        ({"invalid": "drop"}, "game.invalid='drop'"),
        ({"low": 0.9}, "game.low=0.9, game.high=0.8"),
        ({"band": "release", "answers": 2}, "game.band=release: pays no vote"),
        ({"min_votes": 5}, "game.band=paper: pays no vote that 4 answers can give with game.min_votes=5"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_key(settings, start):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        sqlm(**settings)
    assert str(caught.value).startswith(start)
