"""SERL with scripted players: every reward, group, measure and fact worked out by hand."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.advantages import assign_advantages
from selfplay.domains.open_ended import WordLists
from selfplay.games.serl import SERL
from selfplay.roles.schedules import AllPairs
from selfplay.samplers.scripted import Scripted
from selfplay.types import Prompt, Request, Seed, Turn
from tests.games.test_serl_attacks import answers_in
from tests.noting import Noting
from tests.texts import UGLY, texts

SEED = Seed(7, "lists")


def serl(judgments: int = 4, wording: str = "compact", **settings) -> SERL:
    return SERL(WordLists(wording, categories=["animals"]), AllPairs(judgments), **settings)


def of_role(turns: list[Turn], role: str) -> list[Turn]:
    return [turn for turn in turns if turn.role == role]


ANSWERS = ["cat owl", "cat red", "cat dog", "cat owl hen"]  # qualities 2, 0, 2, 3; the last is longer by half

VERDICTS = {
    ("cat owl", "cat red"): "AA", ("cat red", "cat owl"): "BA",  # 0 beats 1 by 3 to 1
    ("cat owl", "cat dog"): "AA", ("cat dog", "cat owl"): "AA",  # whoever stands first
    ("cat owl", "cat owl hen"): "BB", ("cat owl hen", "cat owl"): "AA",
    ("cat red", "cat dog"): "B?", ("cat dog", "cat red"): "AA",  # 2 beats 1 by 3 to 0, one unreadable
    ("cat red", "cat owl hen"): "BB", ("cat owl hen", "cat red"): "AA",
    ("cat dog", "cat owl hen"): "BB", ("cat owl hen", "cat dog"): "AA",
}  # fmt: skip


def verdict(prompt: Prompt, k: int) -> str:
    head, answers = str(prompt).split(" : ")
    assert head == "judge animals"
    first, second = answers.split(" | ")
    return VERDICTS[first, second][k]


LINES = {"actor": ANSWERS, "judge": verdict}


def test_a_whole_episode_by_hand():
    (episode,) = serl().play([SEED], Scripted(LINES))
    actor, judge = of_role(episode.turns, "actor"), of_role(episode.turns, "judge")
    assert episode.turns == [*actor, *judge]
    assert [turn.text for turn in actor] == ANSWERS
    assert {turn.prompt for turn in actor} == {"list animals"}
    assert {turn.group for turn in actor} == {"7/actor"}
    assert all(turn.objective == "reinforce" for turn in episode.turns)
    # each stands in M K = 12 judgments; all of the fourth's wins are thrown away, since 3 words against 2 are too many
    assert [turn.rewards for turn in actor] == [{"copeland": won / 12} for won in (3 + 2, 1, 2 + 3, 0)]
    # one group a pair, both orders of it, two judgments in each
    groups = [f"7/judge/{pair}" for pair in ("0-1", "0-2", "0-3", "1-2", "1-3", "2-3")]
    assert [turn.group for turn in judge] == [group for group in groups for _ in range(4)]
    assert [turn.rewards["consistency"] for turn in judge] == [
        *(1, 1, 1, -1),  # 0 over 1 agrees with 5/12 > 1/12
        *(0, 0, 0, 0),  # 0 and 2 are equal
        *(-1, -1, -1, -1),  # whoever chose the fourth, whose reward is 0
        *(1, -1, 1, 1),  # the second could not be read
        *(-1, -1, -1, -1),
        *(-1, -1, -1, -1),
    ]


def test_what_control_arms_would_pay():
    (episode,) = serl().play([SEED], Scripted(LINES))
    actor, judge = of_role(episode.turns, "actor"), of_role(episode.turns, "judge")
    assert [turn.measures for turn in actor] == [{"format": 1, "truth": quality} for quality in (2, 0, 2, 3)]
    assert [turn.measures["truth"] for turn in judge] == [
        *(1, 1, 1, -1), *(0, 0, 0, 0), *(1, 1, 1, 1), *(1, -1, 1, 1), *(1, 1, 1, 1), *(1, 1, 1, 1),
    ]  # fmt: skip
    assert [turn.measures["format"] for turn in judge] == [*[1] * 13, 0, *[1] * 10]


def test_facts_by_hand():
    (episode,) = serl().play([SEED], Scripted(LINES))
    assert episode.facts == pytest.approx(
        {
            "unreadable_verdicts": 1 / 24,
            "ties": 0,
            "first_share": 15 / 23,  # 3 of the first pair, 4, 2, and 2 of each pair with the fourth
            "kept_comparisons": 11 / 23,  # the 12 with the fourth are not
            "order_flips": 6 / 22,  # of 24 pairings 2 cannot be read; 2 of the first pair flip, all 4 of the second
            "flips_to_first": 1,
            "intransitive_triads": 0,  # 0 and 2 are tied, so two of four triads are decided
            "answer_words": 9 / 4,
            "empty_answers": 0,
            "distinct_1": 5 / 9,
            "distinct_2": 4 / 5,
            "quality": 7 / 4,
            "judge_accuracy": 18 / 20,  # not the 4 on equal answers; 1 wrong, 1 unreadable
            "formed": 1,
            "on_topic": 1,  # "cat red" is so by half
        }
    )


def test_without_length_control_the_longer_answer_wins():
    (episode,) = serl(length_control=None).play([SEED], Scripted(LINES))
    assert [turn.reward for turn in of_role(episode.turns, "actor")] == [5 / 12, 1 / 12, 5 / 12, 1]
    assert [turn.reward for turn in of_role(episode.turns, "judge")][8:12] == [1, 1, 1, 1]
    assert episode.facts["kept_comparisons"] == 1


def test_a_wider_margin_weighs_by_length():
    (episode,) = serl(length_control=0.6).play([SEED], Scripted(LINES))
    assert of_role(episode.turns, "actor")[3].reward == float(Fraction(2, 3))  # twelve wins of 3 words over 2


def test_rewards_do_not_change_when_quality_is_unknown():
    class Unknowing(WordLists):
        def quality(self, request: Request, answer: str) -> float | None:
            return None if answer == "cat dog" else super().quality(request, answer)

    (blind,) = SERL(Unknowing(categories=["animals"]), AllPairs()).play([SEED], Scripted(LINES))
    (seeing,) = serl().play([SEED], Scripted(LINES))
    assert [turn.rewards for turn in blind.turns] == [turn.rewards for turn in seeing.turns]
    assert not any("truth" in turn.measures for turn in blind.turns)
    assert set(seeing.facts) - set(blind.facts) == {"quality", "judge_accuracy"}


def test_both_orders_are_asked_in_one_call_and_judged_as_shown():
    sampler = Noting({"actor": ["cat", "owl", "hen"], "judge": ["A"]})
    serl(judgments=6, answers=3).play([SEED, Seed(8, "lists")], sampler)
    (actor, judge) = sampler.calls
    assert actor == ("actor", ["list animals"] * 2, 3)
    assert judge[0] == "judge"
    assert judge[1][:6] == [
        f"judge animals : {pair}"
        for pair in ("cat | owl", "owl | cat", "cat | hen", "hen | cat", "owl | hen", "hen | owl")
    ]
    assert (len(judge[1]), judge[2]) == (12, 3)


@pytest.mark.parametrize(
    ("settings", "choices"),
    [
        ({}, ["A", "B"]),
        ({"wording": "boxed"}, [r"\boxed{1}", r"\boxed{2}"]),
        ({"wording": "boxed", "ties": True}, [r"\boxed{1}", r"\boxed{2}", r"\boxed{0}"]),
    ],
)
def test_scored_verdicts_are_chosen_and_paid_as_sampled_ones(settings, choices):
    lines = {"actor": ["cat", "owl", "hen"], "judge": choices}
    scored, sampled = Noting(lines), Noting(lines)
    assert serl(answers=3, verdicts="scored", **settings).play([SEED], scored) == serl(answers=3, **settings).play(
        [SEED], sampled
    )
    assert scored.calls == sampled.calls
    assert (scored.choices, sampled.choices) == (choices, [])


def test_no_seeds_are_two_empty_calls():
    sampler = Noting({"actor": ["cat"], "judge": ["A"]})
    assert serl().play([], sampler) == []
    assert [(role, len(prompts)) for role, prompts, _ in sampler.calls] == [("actor", 0), ("judge", 0)]


def test_splitting_the_seeds_over_processes_changes_nothing():
    lines = {
        "actor": lambda prompt, k: f"{str(prompt)[5:8]} cat"[: 5 + k],
        "judge": lambda prompt, k: "AB"[len(prompt) % 2],
    }
    seeds = [Seed(index, "lists") for index in range(4)]
    game = SERL(WordLists(), AllPairs())
    together = game.play(seeds, Scripted(lines))
    assert together == game.play(seeds[:1], Scripted(lines)) + game.play(seeds[1:], Scripted(lines))
    assert len({turn.group for episode in together for turn in episode.turns}) == 4 * (1 + 6)


@pytest.mark.parametrize(("unfinished", "shown", "words"), [("judge", "<think>which?", 1), ("fail", "", 0)])
def test_thinking_is_taken_away_before_judging(unfinished, shown, words):
    answers = ["<think>cat? owl?</think>\n\ncat owl", "<think>which?"]
    sampler = Noting({"actor": answers, "judge": [r"<think>\boxed{2}</think>\boxed{1}"]})
    game = serl(judgments=2, wording="boxed", answers=2, unfinished=unfinished)
    (episode,) = game.play([SEED], sampler)
    assert [answers_in(prompt) for prompt in sampler.calls[1][1]] == [("cat owl", shown), (shown, "cat owl")]
    assert [turn.text for turn in of_role(episode.turns, "actor")] == answers, "the whole text is learned from"
    assert episode.facts["answer_words"] == (2 + words) / 2
    assert episode.facts["first_share"] == 1


def test_long_texts_lose_their_middle():
    sampler = Noting({"actor": ["a" * 50 + "b" * 50, "c"], "judge": ["?"]})
    serl(judgments=2, wording="boxed", answers=2, answer_chars=20, request_chars=30).play([SEED], sampler)
    prompt = str(sampler.calls[1][1][0])
    assert '"answer_1": "aaaaaaaaaa [... 80 characters left out ...] bbbbbbbbbb",' in prompt
    assert "characters left out" in prompt.split('"answer_1"')[0]


def test_ties_are_half_a_win_where_they_are_allowed():
    lines = {"actor": ["cat", "owl"], "judge": [r"\boxed{0}", r"\boxed{1}"]}
    (episode,) = serl(judgments=2, wording="boxed", answers=2, ties=True).play([SEED], Scripted(lines))
    assert [turn.reward for turn in episode.turns] == [0.25, 0.75, 0, 1]
    assert (episode.facts["ties"], episode.facts["order_flips"]) == (0.5, 0)
    (episode,) = serl(judgments=2, wording="boxed", answers=2).play([SEED], Scripted(lines))
    assert [turn.reward for turn in episode.turns] == [0, 0.5, -1, 1]


@given(st.lists(texts, min_size=1, max_size=5), st.lists(texts, min_size=1, max_size=5), st.integers(0, 2))
def test_whatever_is_said_the_books_balance(answers, verdicts, seeds):
    game = serl(judgments=2, wording="boxed", answers=3)
    episodes = game.play([Seed(index, "x") for index in range(seeds)], Scripted({"actor": answers, "judge": verdicts}))
    for episode in episodes:
        for role, rows in game.rows_per_seed.items():
            assert len(of_role(episode.turns, role)) == rows
        assert all(0 <= turn.reward < 1.25 for turn in of_role(episode.turns, "actor"))
        assert all(turn.reward in (-1, 0, 1) for turn in of_role(episode.turns, "judge"))
    assign_advantages([turn for episode in episodes for turn in episode.turns])


@pytest.mark.parametrize("text", UGLY, ids=lambda text: repr(text[:12]))
@pytest.mark.parametrize("wording", ["boxed", "compact"])
def test_ugly_texts_from_both_roles(text, wording):
    (episode,) = serl(judgments=2, wording=wording, answers=2).play(
        [SEED], Scripted({"actor": [text], "judge": [text]})
    )
    assert [turn.reward for turn in episode.turns] == [0, 0, -1, -1]
    assert episode.facts["unreadable_verdicts"] == 1


def test_the_defaults_are_the_paper_and_what_the_learner_is_told():
    game = serl()
    assert (game.answers, game.length_control, game.roles, game.periods) == (4, 0.2, ("actor", "judge"), {})
    assert game.rows_per_seed == {"actor": 4, "judge": 24}
    game.remember([])
    game.load_state_dict(json.loads(json.dumps(game.state_dict())))


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"answers": 1}, "game.answers=1: must be a whole number from 2; a pair needs two"),
        ({"judgments": 3}, "game.schedule.judgments=3: must be an even number"),
        ({"length_control": 0}, "game.length_control=0: must lie between 0 and 1, or be null"),
        ({"verdicts": "read"}, "game.verdicts='read': unknown; choose one of sampled, scored"),
        ({"reading": "last"}, "game.reading='last': unknown; choose one of final, release"),
        ({"unfinished": "drop"}, "game.unfinished='drop'"),
        ({"answer_chars": 0}, "game.answer_chars=0"),
        ({"request_chars": 2.5}, "game.request_chars=2.5"),
        ({"ties": True}, "game.ties=true: the compact wording has no tie"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_key(settings, start):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        serl(**settings)
    assert str(caught.value).startswith(start)
