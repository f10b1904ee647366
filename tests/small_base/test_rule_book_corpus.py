"""Every example of rule books says the truth and reads back through the domain; nothing is held out."""

from __future__ import annotations

import random
import re

import pytest

from selfplay.domains import rule_books as world
from selfplay.domains import rule_wording as wording
from selfplay.domains.contexts import RuleBooks
from selfplay.small_base import corpora
from selfplay.small_base import rule_book_corpus as corpus
from selfplay.small_base.examples import Example
from selfplay.small_base.recipes import RECIPES

DOMAIN = RuleBooks()


def examples(skill: str, count: int = 1500) -> list[Example]:
    rng = random.Random(f"test {skill}")
    return [corpus.draw(skill, rng) for _ in range(count)]


def parts(example: Example) -> tuple[dict[str, str], str, dict[str, str]]:
    """The document, what is asked, and the rules of the skill."""
    *before, document, asked = example.prompt.split(" | ")
    lines = [line.split() for line in " ; ".join(before).removeprefix("skill ").removeprefix("known ").split(" ; ")]
    return world.read_book(document.replace(" ; ", "\n")), asked, {line[0]: line[-1] for line in lines if line}


def test_tasks_are_answered_rightly_but_for_aliases_without_their_rule():
    right: dict[bool, list[bool]] = {True: [], False: []}
    followed = []
    for example in examples("task", 6000):
        book, asked, rules = parts(example)
        task = asked.removeprefix("task ")
        key = task.split()[0]
        assert all(value == world.operation_of(book, name) for name, value in rules.items())
        aided = key in rules or book[key] in world.OPERATIONS
        right[aided].append(world.read_answer(example.reply) == world.read_answer(str(world.answer_to(book, task))))
        if not aided:
            followed.append(example.reply.startswith(f"{key} {book[key]} "))
            assert world.read_answer(example.reply)[0] in book.values()
    assert all(right[True])
    assert len(right[True]) > len(right[False]) > 800
    assert sum(followed) / len(followed) == pytest.approx(corpus.FOLLOWED_SHARE, abs=0.03)
    assert sum(right[False]) / len(right[False]) == pytest.approx(0.1 + 0.9 / 3, abs=0.04)


def test_challenges_ask_a_key_that_is_not_known():
    for example in examples("challenge"):
        book, asked, known = parts(example)
        read = world.read_task(example.reply)
        assert asked == "challenge"
        assert read is not None
        assert read[0] in book
        assert read[0] not in known


def test_rubrics_are_those_of_the_right_answer():
    for example in examples("rubric"):
        book, asked, _ = parts(example)
        task = asked.removeprefix("rubric ")
        rubrics = DOMAIN.read_rubrics(example.reply)
        assert rubrics is not None
        assert all(world.passes(rubric, str(world.answer_to(book, task))) for rubric in rubrics)


def test_verdicts_are_true_and_neither_always_comes():
    verdicts = []
    for example in examples("judge"):
        rubrics, answer = example.prompt.removeprefix("judge ").split(" | ")
        grading = DOMAIN.read_verdicts(example.reply)
        assert grading is not None
        assert list(grading.statuses) == [world.passes(rubric, answer) for rubric in rubrics.split(" ; ")]
        verdicts.append(grading.statuses)
    for column in zip(*verdicts, strict=True):
        assert 0.3 < sum(column) / len(column) < 0.8
    assert 0.3 < sum(map(all, verdicts)) / len(verdicts) < 0.6


@pytest.mark.parametrize("skill", ["propose", "propose_known"])
def test_proposals_lead_from_each_key_to_its_operation(skill):
    for example in examples(skill):
        book, asked, _ = parts(example)
        keys = asked.removeprefix("failed ").removeprefix("passed ").split(" ; ")
        lines = [world.chain(book, key) if skill == "propose" else key for key in keys]
        assert example.reply == " ; ".join(lines)
        assert DOMAIN.read_proposal(example.reply)


@pytest.mark.parametrize("skill", ["generate", "generate_known"])
def test_the_generator_keeps_what_the_proposal_does_not_touch(skill):
    for example in examples(skill):
        proposal, _, old = example.prompt.removeprefix("generate ").partition(" |")
        new = {line.split()[0]: line.split() for line in proposal.split(" ; ")}
        kept = [line for line in wording.read_lines(old) if line.split()[0] not in new]
        added = [" ".join(dict.fromkeys((line[0], line[-1]))) for line in new.values()]
        assert wording.read_lines(example.reply) == [*kept, *added]
        skill_read = DOMAIN.read_skill(example.reply)
        assert skill_read is not None
        assert wording.one_line(skill_read.body) == example.reply


@pytest.mark.parametrize("skill", sorted(skill for skill in corpus.SKILLS if skill not in ("copy", "spans", "pairs")))
def test_nothing_held_out_in_any_skill_of_a_role(skill):
    """Copied words, spans and pairs are in random order: neither documents nor tasks, whatever they look like."""
    documents = lists = 0
    for example in examples(skill, 4000):
        for part in example.prompt.split(" | "):
            book = world.read_book(part.replace(" ; ", "\n"))
            if len(book) == 6:
                documents += 1
                assert not world.is_held_out_book(book)
        for task in [*re.findall(r"(?:task|rubric) (.*)", example.prompt), example.reply]:
            asked = world.read_task(task)
            if asked:
                lists += 1
                assert not world.is_held_out_list(asked[1])
    assert documents or skill.startswith(("judge", "generate"))
    assert lists or skill not in ("task", "rubric", "challenge")


def test_spans_and_pairs_are_the_prompts_own():
    for example in examples("spans", 300):
        given = example.prompt.removeprefix("spans ")
        assert len(set(given.split())) == corpus.RECALLED
        assert all(f" {span} " in f" {given} " and len(span.split()) > 1 for span in example.reply.split(" ; "))
    for example in examples("pairs", 300):
        assert sorted(example.reply.split(" ; ")) == sorted(example.prompt.removeprefix("pairs ").split(" ; "))


@pytest.mark.parametrize("skill", sorted(corpus.SKILLS))
def test_the_corpus_survives_a_round_trip(skill):
    tokenizer = corpora.CORPORA["rule_books"].make_tokenizer(RECIPES["contexts"].words)
    for example in examples(skill, 200):
        for text in (example.prompt, example.reply):
            ids = tokenizer(text)["input_ids"]
            assert tokenizer.unk_token_id not in ids, text
            assert tokenizer.decode(ids) == text.strip()
            assert len(ids) == len(text.split())
