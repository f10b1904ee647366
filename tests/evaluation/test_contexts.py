"""The contexts yardstick with a scripted reasoner that looks up plain rules and obeys skills, and nothing else."""

from __future__ import annotations

import pytest

from selfplay.domains import rule_books as world
from selfplay.domains.contexts import RuleBooks
from selfplay.evaluation.contexts import ContextsYardstick
from selfplay.samplers.scripted import Scripted
from tests.noting import Noting

DOMAIN = RuleBooks(n=8)
CONTEXTS = DOMAIN.contexts("train")


def reasoner(prompt, k):
    """Right wherever the first line on the key names an operation, the skill's lines first."""
    *lines, task = str(prompt).split(" | ")
    key, *words = task.removeprefix("task ").split()
    rules = [rule.split() for line in lines for rule in line.removeprefix("skill ").split(" ; ")]
    operation = next((value for name, value in rules if name == key), "")
    return world.answer_by(operation, key, words) if operation in world.OPERATIONS else f"{key} ?"


def measured(yardstick, sampler=None):
    return {m.name: m for m in yardstick.measure(sampler or Scripted({"reasoner": reasoner})).metrics}


def true_skills(share: float = 1.0) -> dict[str, str]:
    """The whole truth for the first contexts, nothing for the others."""
    known = CONTEXTS[: round(share * len(CONTEXTS))]
    return {context.key: str(DOMAIN.true_skill(context)) for context in known}


def test_every_arm_by_hand():
    skills = {key: f"---\nname: rules\ndescription: Rules.\n---\n\n{text}\n" for key, text in true_skills().items()}
    metrics = measured(ContextsYardstick(DOMAIN, skills, tasks=12))
    values = {name.removeprefix("yardstick/contexts/"): metric.value for name, metric in metrics.items()}
    assert values["solved"] == values["solved_true_skill"] == 1.0
    assert values["solved_no_skill"] == 0.5  # three plain keys of six, each asked twice
    aliases = [world.read_book(context.document) for context in CONTEXTS]
    drawn = [str(DOMAIN.random_rule(context, 0)).split()[0] for context in CONTEXTS]
    helped = sum(book[key] in world.KEYS for book, key in zip(aliases, drawn, strict=True))
    assert values["solved_random_rule"] == pytest.approx(0.5 + helped / 8 / 6)
    assert values["solved_random_rules"] == 1.0  # as many as the truth has are the truth
    assert values["solved_other_context"] < 0.6
    assert values["gain_over_no_skill"] == 0.5
    assert values["gain_over_random_rule"] == pytest.approx(1 - values["solved_random_rule"])


def test_intervals_are_over_contexts_and_hold_the_value():
    metrics = measured(ContextsYardstick(DOMAIN, true_skills(0.5), tasks=12))
    solved = metrics["yardstick/contexts/solved"]
    assert solved.value == pytest.approx(0.75)
    assert solved.low is not None
    assert solved.high is not None
    assert 0.5 <= solved.low < 0.65
    assert 0.85 < solved.high <= 1.0
    everything = measured(ContextsYardstick(DOMAIN, true_skills(), tasks=12))["yardstick/contexts/solved"]
    assert everything.low == pytest.approx(0.676, abs=0.01)  # Wilson over 8 contexts, not over 96 tasks
    for metric in metrics.values():
        assert "96 held-out tasks of 8 contexts (train), n=1 samples of each at temperature 1" in metric.definition
        assert "bootstrap over contexts" in metric.definition


def test_without_skills_the_arms_that_need_none_are_measured():
    names = set(measured(ContextsYardstick(DOMAIN, tasks=6)))
    assert names == {f"yardstick/contexts/solved_{arm}" for arm in ("no_skill", "true_skill", "random_rule")}


def test_a_mapping_that_is_filled_later_is_read_anew():
    skills: dict[str, str] = {}
    yardstick = ContextsYardstick(DOMAIN, skills, tasks=6)
    assert measured(yardstick)["yardstick/contexts/solved"].value == 0.5
    skills.update(true_skills())
    assert measured(yardstick)["yardstick/contexts/solved"].value == 1.0


def test_one_call_an_arm_all_from_one_key_and_all_tasks_held_out():
    sampler = Noting({"reasoner": reasoner})
    yardstick = ContextsYardstick(DOMAIN, true_skills(), contexts=2, tasks=6, samples=3)
    yardstick.measure(sampler)
    assert [(role, len(prompts), n) for role, prompts, n in sampler.calls] == [("reasoner", 12, 3)] * 6
    assert (yardstick.roles, yardstick.texts) == (("reasoner",), 6 * 12 * 3)
    for _, prompts, _ in sampler.calls:
        tasks = [str(prompt).rpartition("task ")[2].split() for prompt in prompts]
        assert all(world.is_held_out_list(words) for _, *words in tasks)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"contexts": 0}, "contexts=0 must be at least 1"),
        ({"tasks": 0}, "tasks=0 must be at least 1"),
        ({"samples": 0}, "samples=0 must be at least 1"),
        ({"temperature": -1}, "temperature=-1 must not be below 0"),
        ({"split": "test"}, "game.split=test: is unknown"),
    ],
)
def test_bad_settings_are_told(settings, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        ContextsYardstick(DOMAIN, **settings)


def test_a_domain_that_does_not_know_the_truth_is_refused(tmp_path):
    from selfplay.domains.document_folder import Folder

    (tmp_path / "handbook.md").write_text("Be on time.")
    with pytest.raises(ValueError, match=r"^context 'handbook' has no held-out task whose truth is known"):
        ContextsYardstick(Folder(str(tmp_path)))
