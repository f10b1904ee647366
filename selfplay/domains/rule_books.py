"""A world of rule books: what a document says, what its tasks ask, which rubrics an answer passes.

    mip zap        an alias: mip does what zap does                      task    mip cat dog pig
    zap reverse    a plain rule: zap reverses a list of words            answer  mip reverse : pig dog cat
    ...            six lines, three of either kind, in any order         skill   mip reverse

A rule book is a document of six lines; each gives a key and what it stands for. A task is a key and a list of words;
its answer restates the key, names the operation and gives the resulting words. A rubric is a short sentence that a
machine can check against an answer alone: ``names reverse``, ``starts pig``, ``ends cat``, ``counts 3``. Documents and
lists of words are held out by hash: nothing that is trained may see them.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence

from selfplay.domains.world import WORLD

_KEYS = "mip zap tor bix lud kem pof gan sul dez rin vok hap jot wem cug fal nep tib yad quo zem lir bom"
KEYS: tuple[str, ...] = tuple(_KEYS.split())
"""What a line of a rule book is about; they mean nothing outside a document."""

OPERATIONS: dict[str, Callable[[list[str]], list[str]]] = {
    "keep": lambda words: words,
    "reverse": lambda words: words[::-1],
    "first": lambda words: words[:1],
    "last": lambda words: words[-1:],
    "rest": lambda words: words[1:],
    "front": lambda words: words[:-1],
    "turn": lambda words: words[1:] + words[:1],
    "swap": lambda words: words[1::-1] + words[2:],
}
"""Any two of them differ on every list of three or four different words."""

WORDS: tuple[str, ...] = tuple(word for name in ("animals", "colours", "fruits", "tools") for word in WORLD[name])
LIST_LENGTHS = (3, 4)
PLAIN = ALIASES = 3
HELD_OUT_SHARE = 0.15

Book = Mapping[str, str]
"""A rule book: key -> another key or an operation, in the document's order: ``{"mip": "zap", "zap": "reverse"}``."""


def random_book(rng: random.Random) -> dict[str, str]:
    """Three plain rules with operations of their own, three aliases of them, lines in any order."""
    keys = rng.sample(KEYS, PLAIN + ALIASES)
    plain, aliases = keys[:PLAIN], keys[PLAIN:]
    lines = list(zip(plain, rng.sample(sorted(OPERATIONS), PLAIN), strict=True))
    lines += [(key, rng.choice(plain)) for key in aliases]
    rng.shuffle(lines)
    return dict(lines)


def book_text(book: Book) -> str:
    """One line a rule.

    >>> book_text({"mip": "zap", "zap": "reverse"})
    'mip zap\\nzap reverse'
    """
    return "\n".join(f"{key} {value}" for key, value in book.items())


def read_book(text: str) -> dict[str, str]:
    """Lines of a key and what it stands for; other lines say nothing here.

    >>> read_book("mip zap\\nzap reverse\\nand so on")
    {'mip': 'zap', 'zap': 'reverse'}
    """
    pairs = [line.split() for line in text.splitlines()]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[0] in KEYS}


def operation_of(book: Book, key: str) -> str | None:
    """The operation that a key comes down to, aliases followed; None where the book does not say or runs in a circle.

    >>> operation_of({"mip": "zap", "zap": "reverse"}, "mip")
    'reverse'
    """
    for _ in range(len(book)):
        value = book.get(key)
        if value is None or value in OPERATIONS:
            return value
        key = value
    return None


def chain(book: Book, key: str) -> str:
    """The way from a key to its operation, as a proposal writes it down: ``mip zap reverse``."""
    value = book[key]
    return f"{key} {value}" if value in OPERATIONS else f"{key} {chain(book, value)}"


def true_rules(book: Book, keys: Sequence[str] | None = None) -> str:
    """The rule text that answers tasks on these keys (all, if None) without a look at the document.

    >>> true_rules({"mip": "zap", "zap": "reverse"}, ["mip"])
    'mip reverse'
    """
    return "\n".join(f"{key} {operation_of(book, key)}" for key in (book if keys is None else keys))


def random_words(rng: random.Random, held_out: bool = False) -> list[str]:
    """Three or four different words, of the held-out lists or of the others."""
    while True:
        words = rng.sample(WORDS, rng.choice(LIST_LENGTHS))
        if is_held_out_list(words) == held_out:
            return words


def read_task(text: str) -> tuple[str, list[str]] | None:
    """Key and words of a task; None where the text is no task. Never raises.

    >>> read_task("mip cat dog pig")
    ('mip', ['cat', 'dog', 'pig'])
    """
    key, *words = text.split() or [""]
    is_list = len(words) in LIST_LENGTHS and len(set(words)) == len(words) and set(words) <= set(WORDS)
    return (key, words) if key in KEYS and is_list else None


def answer_to(book: Book, task: str) -> str | None:
    """The right answer; None for what is no task of this book.

    >>> answer_to({"mip": "zap", "zap": "reverse"}, "mip cat dog pig")
    'mip reverse : pig dog cat'
    """
    asked = read_task(task)
    operation = asked and operation_of(book, asked[0])
    return answer_by(operation, *asked) if asked and operation else None


def answer_by(operation: str, key: str, words: Sequence[str]) -> str:
    return f"{key} {operation} : {' '.join(OPERATIONS[operation](list(words)))}"


def read_answer(text: str) -> tuple[str, list[str]] | None:
    """The operation that an answer names and the words that it gives; None where nothing can be read. Never raises.

    >>> read_answer("mip reverse : pig dog cat"), read_answer("pig dog cat")
    (('reverse', ['pig', 'dog', 'cat']), None)
    """
    head, colon, tail = text.partition(":")
    named, words = head.split(), tail.split()
    return (named[-1], words) if colon and named and words else None


def rubrics_for(operation: str, words: Sequence[str]) -> list[str]:
    """What the answer must do, given the operation and the task's words.

    >>> rubrics_for("reverse", ["cat", "dog", "pig"])
    ['names reverse', 'starts pig', 'ends cat', 'counts 3']
    """
    result = OPERATIONS[operation](list(words))
    return [f"names {operation}", f"starts {result[0]}", f"ends {result[-1]}", f"counts {len(result)}"]


def passes(rubric: str, answer: str) -> bool | None:
    """Whether an answer passes a rubric; None for a sentence that is no rubric of this world. Never raises.

    >>> passes("ends cat", "mip reverse : pig dog cat"), passes("counts 3", "mip first : pig"), passes("is nice", "")
    (True, False, None)
    """
    verb, _, what = rubric.partition(" ")
    if verb not in VERBS or not what or " " in what:
        return None
    return what == finding(verb, answer) != NOTHING


VERBS = ("names", "starts", "ends", "counts")
"""What a rubric looks at: the operation named, the first word, the last word, the number of words."""


def finding(verb: str, answer: str) -> str:
    """What an answer has where rubrics of this verb look; ``none`` where nothing can be read, or too many words.

    >>> finding("counts", "mip reverse : pig dog cat"), finding("names", "pig dog")
    ('3', 'none')
    """
    said = read_answer(answer)
    if said is None:
        return NOTHING
    operation, words = said
    counted = str(len(words)) if len(words) <= max(LIST_LENGTHS) else NOTHING
    return {"names": operation, "starts": words[0], "ends": words[-1], "counts": counted}[verb]


NOTHING = "none"


def is_held_out_list(words: Sequence[str]) -> bool:
    """Whether this list of words, in this order, is kept for measuring."""
    return _share(f"list {' '.join(words)}") < HELD_OUT_SHARE


def is_held_out_book(book: Book) -> bool:
    """Whether a document with these lines, in whatever order, is kept for measuring."""
    return _share(f"book {sorted(book.items())}") < HELD_OUT_SHARE


def _share(text: str) -> float:
    """A number in [0, 1) that follows from the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big") / 2**64
