"""What a base of rule books can do, skill by skill, on held-out documents and lists of words; measured by ground truth.

selfplay small-base score --base contexts
"""

from __future__ import annotations

import random
from collections.abc import Callable

from selfplay.domains import rule_books as world
from selfplay.domains import rule_wording as wording
from selfplay.small_base import rule_book_corpus as corpus
from selfplay.small_base.replies import Base, Scores

Case = tuple[str, Callable[[str], float]]
"""A prompt and what a reply to it is worth, 0 to 1."""


def score(base: Base, n: int, seed: int) -> Scores:
    """Every skill, one reply to each of ``4 * n`` prompts, sampled at temperature 1 as a game does.

    Args:
        n: a quarter of the prompts of each kind.
        seed: of documents and tasks.
    """
    scores = {}
    for name, case in CASES.items():
        rng = random.Random(f"{name} {seed}")
        cases = [case(rng) for _ in range(4 * n)]
        texts_N_1 = base.replies([prompt for prompt, _ in cases], 1)
        scores[name] = sum(worth(text) for (_, worth), (text,) in zip(cases, texts_N_1, strict=True)) / len(cases)
    return scores


def held_out_book(rng: random.Random) -> dict[str, str]:
    while True:
        book = world.random_book(rng)
        if world.is_held_out_book(book):
            return book


def task(alias: bool | None, rules: Callable[[random.Random, world.Book, str], str]) -> Callable[[random.Random], Case]:
    """A held-out list put to an alias (or a plain key; None: either), with the skill that ``rules`` gives."""

    def case(rng: random.Random) -> Case:
        book = held_out_book(rng)
        asked = rng.choice([key for key in book if alias is None or (book[key] in world.KEYS) == alias])
        words = world.random_words(rng, held_out=True)
        prompt = wording.reason(world.book_text(book), rules(rng, book, asked), f"{asked} {' '.join(words)}")
        right = world.answer_to(book, f"{asked} {' '.join(words)}")
        return prompt, lambda text: float(world.read_answer(text) == world.read_answer(right or ""))

    return case


def no_rule(rng: random.Random, book: world.Book, asked: str) -> str:
    return ""


def the_rule(rng: random.Random, book: world.Book, asked: str) -> str:
    return world.true_rules(book, [asked])


def another_rule(rng: random.Random, book: world.Book, asked: str) -> str:
    return world.true_rules(book, [rng.choice([key for key in book if key != asked])])


def every_rule(rng: random.Random, book: world.Book, asked: str) -> str:
    return world.true_rules(book, rng.sample(list(book), len(book)))


def challenge(known: int) -> Callable[[random.Random], Case]:
    """A task on a key of the document that is not among the known."""

    def case(rng: random.Random) -> Case:
        book = held_out_book(rng)
        excluded = rng.sample(list(book), known)

        def worth(text: str) -> float:
            asked = world.read_task(text)
            return float(asked is not None and asked[0] in book and asked[0] not in excluded)

        return wording.challenge(world.book_text(book), "\n".join(excluded)), worth

    return case


def exactly(skill: str) -> Callable[[random.Random], Case]:
    """The one right reply of a skill of the corpus, on held-out documents where it is about one."""

    def case(rng: random.Random) -> Case:
        example = corpus.SKILLS[skill](rng)
        return example.prompt, lambda text: float(text == example.reply)

    return case


def rubric(alias: bool) -> Callable[[random.Random], Case]:
    """All rubrics right, whatever is said before them."""

    def case(rng: random.Random) -> Case:
        book = held_out_book(rng)
        asked = rng.choice([key for key in book if (book[key] in world.KEYS) == alias])
        words = world.random_words(rng, held_out=True)
        right = world.rubrics_for(str(world.operation_of(book, asked)), words)
        prompt = wording.rubric(world.book_text(book), f"{asked} {' '.join(words)}")
        return prompt, lambda text: float(wording.read_rubrics(text) == right)

    return case


def propose(failed: int) -> Callable[[random.Random], Case]:
    def case(rng: random.Random) -> Case:
        book = held_out_book(rng)
        keys = rng.sample(list(book), failed)
        right = " ; ".join(world.chain(book, key) for key in keys)
        return wording.propose(world.book_text(book), keys, "failed"), lambda text: float(text == right)

    return case


def judge(every: bool) -> Callable[[random.Random], Case]:
    """The share of right verdicts, or whether all four of an answer are right."""

    def case(rng: random.Random) -> Case:
        example = corpus.judge(rng)
        right = wording.read_verdicts(example.reply)

        def worth(text: str) -> float:
            said = wording.read_verdicts(text)
            same = [one == other for one, other in zip(said, right, strict=False)]
            return float(said == right) if every else sum(same) / len(right) * (len(said) == len(right))

        return example.prompt, worth

    return case


CASES: dict[str, Callable[[random.Random], Case]] = {
    "task/plain": task(False, no_rule),
    "task/alias": task(True, no_rule),
    "task/alias_own_rule": task(True, the_rule),
    "task/alias_other_rule": task(True, another_rule),
    "task/plain_other_rule": task(False, another_rule),
    "task/every_rule": task(None, every_rule),
    "challenge/valid": challenge(known=0),
    "challenge/valid_and_unknown": challenge(known=3),
    "rubric/plain": rubric(alias=False),
    "rubric/alias": rubric(alias=True),
    "judge/verdict": judge(every=False),
    "judge/all_four": judge(every=True),
    "propose/one": propose(failed=1),
    "propose/three": propose(failed=3),
    "propose/passed": exactly("propose_known"),
    "generate/rules": exactly("generate"),
    "generate/known": exactly("generate_known"),
}
"""Score -> one of its cases."""
