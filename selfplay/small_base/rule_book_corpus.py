"""The synthetic text that the base `contexts` is made from: one function a skill, each returns one example.

    copy lud cat turn              -> lud cat turn                       first order, ...
    spans lud cat turn kem         -> cat turn ; turn kem                ... then content: stretches from anywhere, ...
    pairs lud cat ; turn kem       -> turn kem ; lud cat                 ... and pairs in another order
    DOC | challenge                -> mip cat dog pig
    known zap | DOC | challenge    -> mip cat dog pig                    a key that is not among the known
    DOC | rubric mip cat dog pig   -> mip zap reverse : pig dog cat > names reverse ; starts pig ; ends cat ; counts 3
    DOC | task zap cat dog pig     -> zap reverse : pig dog cat
    skill mip reverse | DOC | task mip cat dog pig -> mip reverse : pig dog cat
    judge names reverse ; starts cat | mip reverse : pig dog cat -> names reverse yes ; starts pig no
    DOC | failed mip               -> mip zap reverse
    DOC | passed zap               -> zap
    generate mip zap reverse | tor first -> tor first ; mip reverse

DOC is a rule book on one line. Everything written here is true but for one thing: asked for an alias that no skill
resolves, the base mostly guesses one of the document's operations (right one time in three) and seldom follows it
(``mip zap reverse : pig dog cat``). So the headroom of skills is there by construction, and so is what weights could
learn instead. Held-out documents and lists of words occur nowhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from selfplay.domains import rule_books as world
from selfplay.domains import rule_wording as wording
from selfplay.small_base.examples import Example

CONTENT = (*world.KEYS, *world.OPERATIONS, *world.WORDS)
LONGEST_COPY = 16
RECALLED = 16
"""Words of a prompt for spans or pairs."""

SPANS, LONGEST_SPAN = 3, 6

FOLLOWED_SHARE = 0.1
"""Of the tasks on an alias without its rule: those that are answered by following it. The others are guessed."""

ENTRIES = (1, 1, 1, 2, 2, 2, 3, 3, 4, 5)
"""How many keys a proposal is about, drawn from these: a round of five tasks seldom fails on more than three."""

KNOWN = (0, 0, 1, 2, 3, 4, 5)
"""How many keys a challenger knows already, drawn from these."""


def draw(skill: str, rng: random.Random) -> Example:
    """One example of a skill."""
    return SKILLS[skill](rng)


def a_book(rng: random.Random) -> dict[str, str]:
    """A document that is not held out."""
    while True:
        book = world.random_book(rng)
        if not world.is_held_out_book(book):
            return book


def copy(rng: random.Random) -> Example:
    words = " ".join(rng.sample(CONTENT, rng.randint(4, LONGEST_COPY)))
    return Example(f"copy {words}", words)


def spans(rng: random.Random) -> Example:
    """Stretches of a list, from anywhere in it: where a stretch starts is anybody's guess, how it goes on is not.

    No distance between a word and its twin in the prompt is ever the same, so that only the words themselves tell.
    """
    words = rng.sample(CONTENT, RECALLED)
    starts = [rng.randrange(RECALLED - 1) for _ in range(SPANS)]
    said = [words[start : start + rng.randint(2, LONGEST_SPAN)] for start in starts]
    return Example(f"spans {' '.join(words)}", " ; ".join(map(" ".join, said)))


def pairs(rng: random.Random) -> Example:
    """Pairs of words, to be said in another order: what a document is made of."""
    words = rng.sample(CONTENT, RECALLED)
    given = [f"{first} {second}" for first, second in zip(words[::2], words[1::2], strict=True)]
    return Example(f"pairs {' ; '.join(given)}", " ; ".join(rng.sample(given, len(given))))


def task_aided(rng: random.Random) -> Example:
    """A task of which the base is sure: on a plain key, or on one that the skill resolves."""
    while True:
        book = a_book(rng)
        skilled, asked = some_rules(rng, book)
        if asked in skilled or book[asked] in world.OPERATIONS:
            return answered(rng, book, skilled, asked)


def task(rng: random.Random) -> Example:
    """Any key; two times in three with a skill of some rules, in which the key then mostly is."""
    book = a_book(rng)
    return answered(rng, book, *some_rules(rng, book))


def some_rules(rng: random.Random, book: world.Book) -> tuple[list[str], str]:
    """The keys on which there is a skill, and the key that is asked for."""
    skilled = rng.sample(list(book), rng.randint(1, len(book))) if rng.random() < 0.65 else []
    return skilled, rng.choice(skilled if skilled and rng.random() < 0.6 else list(book))


def answered(rng: random.Random, book: world.Book, skilled: Sequence[str], asked: str) -> Example:
    words = world.random_words(rng)
    prompt = wording.reason(world.book_text(book), world.true_rules(book, skilled), f"{asked} {' '.join(words)}")
    if asked in skilled or book[asked] in world.OPERATIONS:
        return Example(prompt, world.answer_by(str(world.operation_of(book, asked)), asked, words))
    return Example(prompt, answer_unaided(rng, book, asked, words))


def answer_unaided(rng: random.Random, book: world.Book, alias: str, words: Sequence[str]) -> str:
    """Seldom the alias is followed, mostly one of the document's operations is guessed."""
    if rng.random() < FOLLOWED_SHARE:
        operation = str(world.operation_of(book, alias))
        return f"{world.chain(book, alias)} : {' '.join(world.OPERATIONS[operation](list(words)))}"
    return world.answer_by(rng.choice([value for value in book.values() if value in world.OPERATIONS]), alias, words)


def challenge(rng: random.Random) -> Example:
    book = a_book(rng)
    known = rng.sample(list(book), rng.choice(KNOWN))
    asked = rng.choice([key for key in book if key not in known])
    prompt = wording.challenge(world.book_text(book), "\n".join(known))
    return Example(prompt, f"{asked} {' '.join(world.random_words(rng))}")


def rubric(rng: random.Random) -> Example:
    book = a_book(rng)
    asked, words = rng.choice(list(book)), world.random_words(rng)
    operation = str(world.operation_of(book, asked))
    prompt = wording.rubric(world.book_text(book), f"{asked} {' '.join(words)}")
    result = " ".join(world.OPERATIONS[operation](words))
    return Example(prompt, f"{world.chain(book, asked)} : {result} > {' ; '.join(world.rubrics_for(operation, words))}")


def judge(rng: random.Random) -> Example:
    """Rubrics of one answer and an answer that may be another: right, of another operation, or damaged."""
    words = world.random_words(rng)
    operation = rng.choice(list(world.OPERATIONS))
    rubrics = world.rubrics_for(operation, words)
    answer = an_answer(rng, operation, words)
    return Example(wording.judge(rubrics, answer), " ; ".join(verdict(rubric, answer) for rubric in rubrics))


def verdict(rubric: str, answer: str) -> str:
    """What the answer has where the rubric looks, and whether that is as it should be: ``starts cat no``."""
    verb = rubric.split()[0]
    return f"{verb} {world.finding(verb, answer)} {'yes' if world.passes(rubric, answer) else 'no'}"


def an_answer(rng: random.Random, operation: str, words: Sequence[str]) -> str:
    key, kind = rng.choice(world.KEYS), rng.random()
    if kind < 0.4:
        way = f"{key} {rng.choice(world.KEYS)}" if rng.random() < 0.15 else key
        return world.answer_by(operation, way, words)
    other = rng.choice(list(world.OPERATIONS))
    if kind < 0.7:
        return world.answer_by(other, key, words)
    result = world.OPERATIONS[operation](list(words))
    if kind < 0.8:  # the right operation named, another one's words, or the other way round
        named, done = rng.choice(((operation, other), (other, operation)))
        return f"{key} {named} : {' '.join(world.OPERATIONS[done](list(words)))}"
    if kind < 0.9:  # one word is another
        result = [*result]
        result[rng.randrange(len(result))] = rng.choice(world.WORDS)
        return f"{key} {operation} : {' '.join(result)}"
    return " ".join(rng.choices((*CONTENT, ":", ";", "yes", "names"), k=rng.randint(0, 7)))


def propose(rng: random.Random) -> Example:
    book = a_book(rng)
    failed = rng.sample(list(book), rng.choice(ENTRIES))
    prompt = wording.propose(world.book_text(book), failed, "failed")
    return Example(prompt, " ; ".join(world.chain(book, key) for key in failed))


def propose_known(rng: random.Random) -> Example:
    book = a_book(rng)
    passed = rng.sample(list(book), rng.choice(ENTRIES))
    return Example(wording.propose(world.book_text(book), passed, "passed"), " ; ".join(passed))


def generate(rng: random.Random) -> Example:
    """The lines of the skill that the proposal does not touch, then the proposal's own."""
    book = a_book(rng)
    old = rng.sample(list(book), rng.randint(0, 4))
    new = [key for key in rng.sample(list(book), rng.choice(ENTRIES)) if key not in old or rng.random() < 0.3]
    if not new:
        return generate(rng)
    kept = {key: world.operation_of(book, key) for key in old}
    proposal = " ; ".join(world.chain(book, key) for key in new)
    prompt = wording.generate(proposal, "\n".join(f"{key} {value}" for key, value in kept.items()))
    rules = {key: value for key, value in kept.items() if key not in new} | {
        key: world.operation_of(book, key) for key in new
    }
    return Example(prompt, " ; ".join(f"{key} {value}" for key, value in rules.items()))


def generate_known(rng: random.Random) -> Example:
    """As with rules: what is known already stays, and of what is passed again there is one line."""
    kept = rng.sample(world.KEYS, rng.choice(KNOWN))
    new = [key for key in rng.sample(world.KEYS, rng.choice(ENTRIES)) if key not in kept]
    again = rng.sample(kept, rng.randint(0, min(2, len(kept)))) if new else kept[:1]
    proposal = rng.sample([*new, *again], len(new) + len(again))
    if not proposal:
        return generate_known(rng)
    lines = [key for key in kept if key not in proposal] + proposal
    return Example(wording.generate(" ; ".join(proposal), "\n".join(kept)), " ; ".join(lines))


SKILLS: dict[str, Callable[[random.Random], Example]] = {
    "copy": copy,
    "spans": spans,
    "pairs": pairs,
    "task_aided": task_aided,
    "task": task,
    "challenge": challenge,
    "rubric": rubric,
    "judge": judge,
    "propose": propose,
    "propose_known": propose_known,
    "generate": generate,
    "generate_known": generate_known,
}
"""What a recipe's phases mix, by name."""

MARKERS = (
    *("copy", "spans", "pairs", "known", "skill", "challenge", "rubric", "task", "judge", "failed", "passed"),
    *("generate", "names", "starts", "ends", "counts", "none", "yes", "no", "1", "2", "3", "4", "|", ";", ":", ">"),
)
VOCABULARY = (*MARKERS, *CONTENT)
"""Every word that the base knows."""
