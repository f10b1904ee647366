"""Ctx2Skill with scripted players: two rounds of two tasks worked out by hand (`tests/games/shelf.py`)."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfplay.advantages import assign_advantages
from selfplay.games.ctx2skill import Ctx2Skill
from selfplay.samplers.scripted import Scripted
from selfplay.types import Episode, Seed, Turn
from tests.games import shelf
from tests.games.shelf import Shelf
from tests.noting import Noting
from tests.texts import UGLY, texts

SEED = Seed(4, "contexts")
WRITERS = ("reasoner_proposer", "reasoner_generator", "challenger_proposer", "challenger_generator")


def game(**changes) -> Ctx2Skill:
    return Ctx2Skill(Shelf(), **({"rounds": 2, "tasks": 2} | changes))


def play(lines=None, **changes) -> Episode:
    (episode,) = game(**changes).play([SEED], Scripted(shelf.lines() | (lines or {})))
    return episode


def said(episode: Episode, role: str, start: str = "") -> list[tuple[str, str]]:
    """(prompt, text) of a role's turns whose group goes on so after the seed's number."""
    return [(str(t.prompt), t.text) for t in episode.turns if t.role == role and t.group.startswith(f"4/{start}")]


def body(note: str) -> str:
    """Of a skill's Markdown, what stands below the front matter."""
    return note.rpartition("---\n")[2].strip()


def test_a_whole_episode_by_hand():
    episode = play()
    assert said(episode, "challenger") == [
        ("challenge <letters> []", "task ab"),
        ("challenge <letters> []", "task cd"),
        ("rubrics <letters> ab", "has A & has B"),
        ("rubrics <letters> cd", "has C & has D"),
        ("challenge <letters> [ask longer ones]", "task ef"),
        ("challenge <letters> [ask longer ones]", "task gh"),
        ("rubrics <letters> ef", "has E"),
        ("rubrics <letters> gh", "has G & has H"),
    ]
    assert said(episode, "reasoner", "reasoner/1") + said(episode, "reasoner", "reasoner/2") == [
        ("reason <letters> [] ab", "AB"),
        ("reason <letters> [] cd", "Cd"),
        ("reason <letters> [write D] ef", "EF"),
        ("reason <letters> [write D] gh", "gh"),
    ]
    assert said(episode, "judge", "judge/1") + said(episode, "judge", "judge/2") == [
        ("judge has A & has B : AB", "yes yes"),
        ("judge has C & has D : Cd", "yes no"),
        ("judge has E : EF", "yes"),
        ("judge has G & has H : gh", "no no"),
    ]
    # the failed task goes to the reasoner's side, the passed one to the challenger's, and each sees its own skill
    assert said(episode, "reasoner_proposer") == [
        ("propose reasoner <letters> [] cd=Cd(1/2) of ab cd", "want D"),
        ("propose reasoner <letters> [write D] gh=gh(0/2) of ef gh", "want H"),
    ]
    assert said(episode, "reasoner_generator") == [
        ("generate reasoner D []", "upper: write D"),
        ("generate reasoner H [write D]", "upper-h: write H"),
    ]
    assert said(episode, "challenger_proposer") == [
        ("propose challenger <letters> [] ab=AB(2/2) of ab cd", "want length"),
        ("propose challenger <letters> [ask longer ones] ef=EF(1/1) of ef gh", "want length"),
    ]
    assert [text for _, text in said(episode, "challenger_generator")] == ["length: ask longer ones"] * 2
    assert all(turn.objective is None and not turn.rewards for turn in episode.turns), "the paper trains nothing"


def test_the_replay_by_hand():
    episode = play()
    assert json.loads(episode.notes["probes"]) == [
        {"kind": "hard", "round": 1, "task": "cd", "rubrics": ["has C", "has D"]},
        {"kind": "easy", "round": 1, "task": "ab", "rubrics": ["has A", "has B"]},
        {"kind": "hard", "round": 2, "task": "gh", "rubrics": ["has G", "has H"]},
        {"kind": "easy", "round": 2, "task": "ef", "rubrics": ["has E"]},
    ]
    assert said(episode, "reasoner", "reasoner/replay") == [
        (f"reason <letters> [{skill}] {task}", answer)
        for skill, answers in (("write D", "CD AB gh EF"), ("write H", "Cd ab gH EF"))
        for task, answer in zip(("cd", "ab", "gh", "ef"), answers.split(), strict=True)
    ]
    assert json.loads(episode.notes["replay"]) == {
        "1": {"hard": [1, 2], "easy": [2, 2], "score": pytest.approx(2 / 3 * 3 / 3)},
        "2": {"hard": [0, 2], "easy": [1, 2], "score": pytest.approx(1 / 3 * 2 / 3)},
    }
    assert episode.notes["selected"] == "1"


def test_facts_and_notes_by_hand():
    episode = play()
    assert episode.facts == pytest.approx(
        {
            "admitted": 4, "valid_tasks": 1,
            "solve_rate": 1 / 2, "solve_rate_1": 1 / 2, "solve_rate_2": 1 / 2,
            "rubric_pass_rate": (1 + 1 / 2 + 1 + 0) / 4, "unjudged": 0, "failed_calls": 0,
            "skill_words_1": 2, "skill_words_2": 2, "challenger_skill_words_1": 3, "challenger_skill_words_2": 3,
            "selected_round": 1, "selected_last": 0, "replay_score": 2 / 3,
            "true_solve_rate": 1 / 2, "judge_accuracy": 1,
            **{f"unreadable_{role}": 0 for role in ("challenger", "judge", *WRITERS)},
            "replies_challenger": 8, "replies_reasoner": 4 + 2 * 4, "replies_judge": 4 + 2 * 4,
            **{f"replies_{role}": 2 for role in WRITERS},
        }
    )  # fmt: skip
    assert episode.notes["context"] == "letters"
    assert [body(episode.notes[f"skill/reasoner/{number}"]) for number in (1, 2)] == ["write D", "write H"]
    assert episode.notes["skill/reasoner/1"].startswith("---\nname: upper\ndescription: For upper.\n---\n")
    assert json.loads(episode.notes["round/2"]) == {
        "tasks": [
            {"task": "ef", "rubrics": 1, "solved": True, "pass_rate": 1.0},
            {"task": "gh", "rubrics": 2, "solved": False, "pass_rate": 0.0},
        ],
        "became": {"challenger": "written", "reasoner": "written"},
    }


def test_neither_side_ever_sees_the_others_skill_nor_the_judge_any():
    sampler = Noting(shelf.lines())
    game(no_skill=True, closed_book=2, evolves=["reasoner", "challenger"]).play([SEED], sampler)
    seen = {
        role: " ".join(map(str, prompts)) for role, prompts, _ in sampler.calls for prompts in [_all(sampler, role)]
    }
    of_reasoner, of_challenger = ("write D", "write H"), ("ask longer ones",)
    for role in ("challenger", "challenger_proposer", "challenger_generator", "judge"):
        assert not any(skill in seen[role] for skill in of_reasoner), role
    for role in ("reasoner", "reasoner_proposer", "reasoner_generator", "judge"):
        assert not any(skill in seen[role] for skill in of_challenger), role
    assert "write D" in seen["reasoner_generator"]
    assert "ask longer ones" in seen["challenger_proposer"]
    assert "<letters>" not in seen["judge"]
    assert "<letters>" not in seen["reasoner_generator"] + seen["challenger_generator"]


def _all(sampler: Noting, role: str) -> list:
    return [prompt for spoken, prompts, _ in sampler.calls if spoken == role for prompt in prompts]


def test_the_number_of_calls_depends_on_nothing_that_is_said():
    def calls(seeds, lines, **changes):
        sampler = Noting(lines)
        game(**changes).play(seeds, sampler)
        return [role for role, _, _ in sampler.calls]

    garbage, sense = {role: ["?"] for role in game().roles}, shelf.lines()
    for changes in ({}, {"planted": 1}, {"select": "last"}, {"replacement": "append"}):
        wanted = calls([SEED], garbage, **changes)
        assert calls([SEED], shelf.lines(), **changes) == wanted
        assert calls([], garbage, **changes) == calls([SEED, Seed(5, "x")], garbage, **changes) == wanted
    assert calls([], sense, closed_book=2) == calls([SEED], shelf.lines(), closed_book=2)
    assert calls([], sense, evolves=["reasoner"]) == calls([SEED], garbage, evolves=["reasoner"])
    per_round = Counter({"challenger": 6, "reasoner": 1, "judge": 3} | dict.fromkeys(WRITERS, 3))
    counted = Counter(calls([SEED], shelf.lines()))
    assert counted == Counter({role: 2 * number for role, number in per_round.items()}) + Counter(reasoner=1, judge=3)


def test_splitting_the_seeds_over_processes_changes_nothing():
    lines = {
        "challenger": lambda p, k: f"task {len(p)}" if str(p).startswith("challenge") else "has 1",
        "reasoner": lambda p, k: str(p)[-1],
        "judge": shelf.judge,
        **{role: ["want x" if "proposer" in role else "x: y"] for role in WRITERS},
    }
    seeds = [Seed(index, "x") for index in range(4)]
    together = game().play(seeds, Scripted(lines))
    apart = game().play(seeds[:1], Scripted(lines)) + game().play(seeds[1:], Scripted(lines))
    assert together == apart
    assert [episode.notes["context"] for episode in together] == ["letters", "words"] * 2


def again(text: str, times: int, then):
    """Says ``text`` so often, then what ``then`` says."""
    left = [times]

    def line(prompt, k):
        left[0] -= 1
        return text if left[0] >= 0 else then(prompt, k) if callable(then) else then

    return line


@pytest.mark.parametrize("role", ["challenger", "judge", *WRITERS])
def test_two_unreadable_replies_are_asked_for_again(role):
    lines = shelf.lines()
    plain = lines[role] if callable(lines[role]) else lines[role][0]
    episode = play({role: again("garbage", 2, plain)})
    assert {name: note for name, note in episode.notes.items() if name.startswith("skill/")} == {
        name: note for name, note in play().notes.items() if name.startswith("skill/")
    }
    assert episode.facts[f"unreadable_{role}"] > 0


@pytest.mark.parametrize(
    ("role", "times", "notes", "facts"),
    [
        # no task in round 1; the rounds' numbers go on
        ("challenger", 6, {"skill/reasoner/1": "", "skill/challenger/1": ""}, {"admitted": 2, "valid_tasks": 0.5}),
        ("reasoner_proposer", 3, {"skill/reasoner/1": ""}, {"skill_words_1": 0}),
        ("reasoner_generator", 3, {"skill/reasoner/1": ""}, {"skill_words_1": 0}),
        ("challenger_proposer", 3, {"skill/challenger/1": ""}, {"challenger_skill_words_1": 0}),
        ("challenger_generator", 3, {"skill/challenger/1": ""}, {"challenger_skill_words_1": 0}),
    ],
)
def test_what_stays_unreadable_three_times_leaves_the_old_skill(role, times, notes, facts):
    def first_tasks_again(prompt, k):  # the challenger's skill may have stayed empty
        return shelf.RUBRICS[str(prompt).split()[-1]] if str(prompt).startswith("rubrics") else "task ab"

    lines = shelf.lines() | {
        "challenger": first_tasks_again,
        "reasoner": ["AB" if role.startswith("challenger_") else "Ab"],  # whom the tasks' outcome concerns
    }
    lines[role] = again("garbage", times, lines[role] if callable(lines[role]) else lines[role][0])
    (episode,) = game().play([SEED], Scripted(lines))
    assert {name: episode.notes[name] for name in notes} == notes
    assert {name: episode.facts[name] for name in facts} == facts
    if role in WRITERS:
        side = role.partition("_")[0]
        assert json.loads(episode.notes["round/1"])["became"][side] == "unreadable"
        assert json.loads(episode.notes["round/2"])["became"][side] == "written"
        assert len([t for t in episode.turns if t.role == role and t.text == "garbage"]) == 3


class Failing(Scripted):
    """A server that does not answer some roles."""

    def __init__(self, lines, roles) -> None:
        super().__init__(lines)
        self.failing = roles

    def sample(self, role, prompts_N, n=1, *, temperature=None):
        if role in self.failing:
            return [[Turn(role, prompt, "", failure="HTTP 503") for _ in range(n)] for prompt in prompts_N]
        return super().sample(role, prompts_N, n, temperature=temperature)


@pytest.mark.parametrize("roles", [("reasoner",), ("judge",), game().roles])
def test_what_a_server_did_not_answer_is_nobodys_failure(roles):
    (episode,) = game(tasks=1, planted=1).play([SEED], Failing(shelf.lines(), roles))
    assert not {"solve_rate", "rubric_pass_rate", "planted_accuracy"} & set(episode.facts)
    assert json.loads(episode.notes["probes"]) == []
    assert (episode.notes["selected"], "selected_round" in episode.facts) == ("", False), "nothing to choose by"
    assert not said(episode, "reasoner_proposer"), "nothing failed"
    assert episode.facts["failed_calls"] > 0


def test_as_in_the_release_it_may_count_as_failed():
    lines = shelf.lines() | {"challenger": lambda p, k: "has A" if "rubrics" in str(p) else "task ab"}
    (episode,) = game(unanswered="fail", rounds=1).play([SEED], Failing(lines, ("judge",)))
    assert episode.facts["solve_rate"] == 0
    assert episode.facts["unjudged"] == 1
    assert json.loads(episode.notes["replay"])["1"]["hard"] == [0, 1]


def test_half_of_the_replay_unanswered_stays_out_of_both_counts():
    class Late(Failing):
        def sample(self, role, prompts_N, n=1, *, temperature=None):
            turns = super().sample(role, prompts_N, n, temperature=temperature)
            for (turn,) in turns if len(prompts_N) == 8 else []:
                if "[write D] cd" in str(turn.prompt):
                    turn.text, turn.failure = "", "timeout"
            return turns

    (episode,) = game().play([SEED], Late(shelf.lines(), ()))
    assert json.loads(episode.notes["replay"])["1"] == {"hard": [0, 1], "easy": [2, 2], "score": pytest.approx(1 / 2)}


@pytest.mark.parametrize(
    ("changes", "selected", "rounds"),
    [
        ({"select": "last"}, "2", ()),
        ({"select": 1}, "1", ()),
        ({"select": 0}, "0", ()),
        ({"select": "sum"}, "1", ("1", "2")),
        ({"no_skill": True}, "1", ("0", "1", "2")),
    ],
)
def test_which_version_is_kept(changes, selected, rounds):
    lines = {"reasoner": lambda prompt, k: shelf.ANSWERS.get((shelf.skill_in(prompt), shelf.after(prompt)), "")}
    episode = play(lines, **changes)
    assert episode.notes["selected"] == selected
    assert tuple(json.loads(episode.notes["replay"])) == rounds
    assert len(said(episode, "reasoner", "reasoner/replay")) == 4 * len(rounds)


@pytest.mark.parametrize(("select", "selected"), [("product", "2"), ("sum", "1")])
def test_the_product_rewards_balance_and_the_sum_does_not(select, selected):
    """Version 1 solves both hard probes and no easy one (1 and 1/3), version 2 one of each (2/3 and 2/3)."""
    solves = {"write D": ("cd", "gh"), "write H": ("cd", "ab")}
    heard = Counter()

    def reasoner(prompt, k):
        asked = shelf.skill_in(prompt), shelf.after(prompt)
        heard[asked] += 1
        in_round = asked[0] == "" or asked[1] in ("ef", "gh")
        if in_round and asked[0] != "write H" and heard[asked] == 1:
            return shelf.ANSWERS[asked]
        return asked[1].upper() if asked[1] in solves[asked[0]] else "?"

    assert play({"reasoner": reasoner}, select=select).notes["selected"] == selected


def test_a_frozen_challenger_never_gets_a_skill():
    lines = {"challenger": lambda p, k: "has A & has B" if "rubrics" in str(p) else "task ab", "reasoner": ["Ab"]}
    episode = play(lines, evolves=["reasoner"])
    assert not said(episode, "challenger_proposer")
    assert {prompt for prompt, _ in said(episode, "challenger", "challenger/1")[:2]} == {"challenge <letters> []"}
    assert episode.notes["skill/challenger/2"] == ""
    assert json.loads(episode.notes["round/1"])["became"] == {"reasoner": "written"}


def test_appended_skills_stay_and_can_be_capped():
    assert [play(replacement="append").facts[f"skill_words_{number}"] for number in (1, 2)] == [2, 4]
    capped = play(replacement="append", most_skills=1)
    assert body(capped.notes["skill/reasoner/2"]) == "write H"


def test_rubrics_by_majority():
    votes = iter(["has A", "has A & has B", "garbage", "has A & has B"] * 2)
    lines = {"challenger": lambda p, k: next(votes) if "rubrics" in str(p) else "task ab", "reasoner": ["Ab"]}
    episode = play(lines, rounds=1, rubric_votes=3, tasks=1, evolves=["reasoner"])
    assert said(episode, "judge", "judge/1") == [("judge has A & has B : Ab", "yes no")]


@given(
    st.fixed_dictionaries(dict.fromkeys(game().roles, st.lists(texts, min_size=1, max_size=4))),
    st.integers(0, 2),
)
@settings(max_examples=30)
def test_whatever_is_said_the_books_balance(lines, seeds):
    one = game(answers=2, judgments=3, planted=1, closed_book=2, learns=["challenger", "reasoner", "judge"])
    episodes = one.play([Seed(index, "x") for index in range(seeds)], Scripted(lines))
    for episode in episodes:
        counts = Counter(turn.role for turn in episode.turns)
        assert all(counts[role] <= rows for role, rows in one.rows_per_seed.items())
        assert all(turn.reward >= 0 for turn in episode.turns)
    assign_advantages([turn for episode in episodes for turn in episode.turns])


@pytest.mark.parametrize("text", UGLY, ids=lambda text: repr(text[:12]))
def test_ugly_texts_from_every_role(text):
    readable = shelf.lines() | {"challenger": lambda p, k: "has A" if "rubrics" in str(p) else "task ab"}
    for role in game().roles:
        (episode,) = game(learns=["reasoner"], answers=2).play([SEED], Scripted(readable | {role: [text]}))
        assert episode.notes["context"] == "letters"


def test_the_defaults_are_the_papers():
    one = Ctx2Skill(Shelf())
    assert (one.set.rounds, one.set.tasks, one.set.tries, one.set.learns) == (5, 5, 3, ())
    assert (one.set.replacement, one.set.select, one.set.candidates) == ("replace", "product", (1, 2, 3, 4, 5))
    assert one.rows_per_seed["reasoner"] == 5 * 5 + 2 * 5 * 5
    assert one.periods == dict.fromkeys(one.roles, 0)  # nobody ever learns


def test_who_learns_is_told_by_the_periods():
    assert game(learns=["reasoner"], answers=2).periods == {role: 0 for role in game().roles if role != "reasoner"}


def test_the_chosen_skill_is_kept_by_context_and_comes_back():
    one = game()
    kept = one.skills
    (episode,) = one.play([SEED], Scripted(shelf.lines()))
    assert kept == {}  # only in remember, where all ranks agree
    one.remember([episode])
    assert body(kept["letters"]) == "write D"  # round 1, which replay chose
    one.remember([Episode(SEED, [], notes={"context": "words", "selected": ""})])
    assert kept["words"] == ""  # nothing to choose by
    other = game()
    found = other.skills
    found["stale"] = "before the resume"
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))
    assert found is other.skills
    assert found == kept


@pytest.mark.parametrize(("select", "words"), [(0, ""), (1, "write D"), (2, "write H")])
def test_a_fixed_round_is_kept_too(select, words):
    one = game(select=select)
    one.remember(one.play([SEED], Scripted(shelf.lines())))
    assert body(one.skills["letters"]) == words


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"rounds": 0}, "game.rounds=0: must be a whole number from 1"),
        ({"tasks": 2.5}, "game.tasks=2.5"),
        ({"most_skills": 0}, "game.most_skills=0"),
        ({"verdict": "judge"}, "game.verdict='judge': unknown; choose one of rubrics, overall"),
        ({"replacement": "extend"}, "game.replacement='extend'"),
        ({"evolves": ["judge"]}, "game.evolves='judge': unknown; choose one of challenger, reasoner"),
        ({"learns": ["proposer"]}, "game.learns='proposer'"),
        ({"learns": ["reasoner"]}, "game.answers=1: must be 2 or more where the reasoner learns"),
        ({"learns": ["challenger"]}, "game.answers=1: must be 2 or more where the challenger learns"),
        ({"learns": ["judge"], "judgments": 2}, "game.judgments=2: must be 3 or more where the judge learns"),
        ({"select": "best"}, "game.select='best': unknown; choose product, sum, last or a round's number"),
        ({"select": 3}, "game.select=3: there are rounds 1 to 2"),
        ({"select": True}, "game.select=True: unknown"),
        ({"band": "narrow"}, "game.band='narrow'"),
        ({"bonus": -1}, "game.bonus=-1"),
        ({"merged": True}, "game.merged=true: the compact wording has no prompt for it"),
        ({"split": "test"}, "game.split='test'"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_key(changes, start):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        game(**changes)
    assert str(caught.value).startswith(start)


def test_a_benchmarks_contexts_are_never_learned_from():
    Ctx2Skill(Shelf(trainable=False))
    with pytest.raises(ValueError, match=r"^game\.learns=\['reasoner'\]: the context letters is for benchmarking only"):
        Ctx2Skill(Shelf(trainable=False), learns=["reasoner"], answers=2)
