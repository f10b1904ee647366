"""Rule books as contexts: the built-in subject of Ctx2Skill, on which the base `contexts` can play every role.

A document of six lines says what six made-up words do to a list of words (`selfplay/domains/rule_books.py`). Skills
are true or false there, rubrics can be checked by a machine, and the truth is known, for measuring. For documents of
one's own see `selfplay/domains/documents.py`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import lru_cache

from selfplay.domains import rule_books as world
from selfplay.domains import rule_wording as wording
from selfplay.types import Challenge, Context, Grading, Planted, Prompt, Proposal, Side, Skill, Trace

SPLITS = ("train", "held_out")
MOST_RUBRICS = 8
RULES = ("rules", "What the operators of this rule book do.")
KNOWN = ("known-keys", "Operators that are mastered: ask for others.")
"""Name and description of a skill of the reasoner and of the challenger."""


class RuleBooks:
    """Contexts of the built-in world, in the compact wording; two documents never share a context.

    Args:
        n: contexts of each split.
        skill_lines: most lines of a skill; of a longer one the last ones are kept, so that later rounds push out what
            earlier ones found. None keeps all.

    Raises:
        ValueError: a number below 1.

    >>> domain = RuleBooks(n=1)
    >>> (context,) = domain.contexts("train")
    >>> context.key, context.document.splitlines()[:2]
    ('rules-0000', ['bom swap', 'bix front'])
    """

    wording = "compact"

    def __init__(self, n: int = 40, skill_lines: int | None = None) -> None:
        if n < 1:
            raise ValueError(f"domain.n={n} must be at least 1: contexts of each split.")
        if skill_lines is not None and skill_lines < 1:
            raise ValueError(f"domain.skill_lines={skill_lines} must be at least 1, or null for no bound.")
        self.n, self.skill_lines = n, skill_lines

    def contexts(self, split: str) -> list[Context]:
        """
        Raises:
            ValueError: an unknown split.
        """
        if split not in SPLITS:
            raise ValueError(f"game.split={split}: is unknown; choose one of {', '.join(SPLITS)}.")
        return list(_contexts(self.n, split == "held_out"))

    def challenge_prompt(self, context: Context, skill: str, number: int) -> Prompt:
        return wording.challenge(context.document, skill)

    def rubric_prompt(self, context: Context, task: str) -> Prompt | None:
        return wording.rubric(context.document, task)

    def reason_prompt(self, context: Context, skill: str, task: str) -> Prompt:
        return wording.reason(context.document, skill, task)

    def judge_prompt(self, task: str, rubrics: Sequence[str], answer: str) -> Prompt:
        return wording.judge(rubrics, answer)

    def propose_prompt(
        self,
        context: Context,
        traces: Sequence[Trace],
        skill: str,
        side: Side = "reasoner",
        overview: Sequence[str] = (),
    ) -> Prompt:
        """Of the traces the compact wording shows the tasks' keys, each once."""
        keys = list(dict.fromkeys(asked[0] for trace in traces if (asked := world.read_task(trace.task))))
        return wording.propose(context.document, keys, "failed" if side == "reasoner" else "passed")

    def merged_prompt(
        self,
        context: Context,
        traces: Sequence[Trace],
        skill: str,
        side: Side = "reasoner",
        overview: Sequence[str] = (),
    ) -> Prompt:
        """
        Raises:
            ValueError: always; the base was never taught to propose and write in one reply.
        """
        raise ValueError("game.merged=true: the compact wording has no prompt for it; set game.merged=false.")

    def generate_prompt(self, proposal: str, skill: str, side: Side = "reasoner") -> Prompt:
        return wording.generate(proposal, skill)

    def read_task(self, context: Context, text: str) -> list[Challenge] | None:
        """A key of the document and a list of words that is not kept for measuring."""
        asked = world.read_task(text)
        if asked is None or asked[0] not in world.read_book(context.document) or world.is_held_out_list(asked[1]):
            return None
        return [Challenge(f"{asked[0]} {' '.join(asked[1])}")]

    def read_rubrics(self, text: str) -> tuple[str, ...] | None:
        """
        >>> RuleBooks().read_rubrics("mip zap reverse : pig dog cat > names reverse ; starts pig")
        ('names reverse', 'starts pig')
        """
        rubrics = wording.read_rubrics(text)
        known = all(world.passes(rubric, "") is not None for rubric in rubrics)
        return tuple(rubrics) if known and 0 < len(rubrics) <= MOST_RUBRICS else None

    def read_verdicts(self, text: str) -> Grading | None:
        """
        >>> RuleBooks().read_verdicts("names reverse yes ; starts cat no").statuses
        (True, False)
        """
        statuses = wording.read_verdicts(text)
        return Grading(tuple(statuses), rationale=text) if statuses else None

    def read_proposal(self, text: str) -> Proposal | None:
        """Ways from keys to operations (``mip zap reverse``), or keys alone."""
        lines = wording.read_lines(text)
        words = {word for line in lines for word in line.split()}
        started = all(line.split()[0] in world.KEYS for line in lines)
        return Proposal("\n".join(lines)) if lines and started and words <= _NAMES else None

    def read_skill(self, text: str) -> Skill | None:
        """Lines of rules, or of keys alone; of two on one key the later counts.

        >>> RuleBooks().read_skill("mip reverse ; tor first ; mip last").body
        'tor first\\nmip last'
        """
        lines = [line.split() for line in wording.read_lines(text)]
        widths = {len(line) for line in lines}
        if widths not in ({1}, {2}) or any(line[0] not in world.KEYS or not _NAMES.issuperset(line) for line in lines):
            return None
        last = {line[0]: number for number, line in enumerate(lines)}
        kept = [" ".join(line) for number, line in enumerate(lines) if last[line[0]] == number]
        bound = len(kept) if self.skill_lines is None else self.skill_lines
        return Skill(*(KNOWN if widths == {1} else RULES), body="\n".join(kept[-bound:]))

    def plant(self, task: str, answer: str, seed: str) -> Planted | None:
        """The answer as it is, with the rubrics of the operation that it names or, as often, of any."""
        asked, said = world.read_task(task), world.read_answer(answer)
        if asked is None:
            return None
        rng = random.Random(f"plant {seed}")
        operation = rng.choice(list(world.OPERATIONS))
        if said is not None and said[0] in world.OPERATIONS and rng.random() < 0.5:
            operation = said[0]
        rubrics = tuple(world.rubrics_for(operation, asked[1]))
        return Planted(task, rubrics, answer, tuple(bool(world.passes(rubric, answer)) for rubric in rubrics))

    def truth(self, context: Context, task: str, answer: str) -> bool | None:
        """Whether operation and words are right; None for what is no task of this document."""
        right = world.answer_to(world.read_book(context.document), task)
        return None if right is None else world.read_answer(answer) == world.read_answer(right)

    def held_out_tasks(self, context: Context, n: int, seed: int) -> list[str]:
        """``n`` tasks on lists that are kept for measuring, the document's keys in turn."""
        keys = list(world.read_book(context.document))
        rng = random.Random(f"held-out tasks {context.key} {seed}")
        rng.shuffle(keys)
        return [f"{keys[number % len(keys)]} {' '.join(world.random_words(rng, held_out=True))}" for number in range(n)]

    def true_skill(self, context: Context) -> str | None:
        """What every key of the document does."""
        return world.true_rules(world.read_book(context.document))

    def random_rule(self, context: Context, seed: int) -> str | None:
        """One true rule of the document: what a skill is worth that was chosen without looking at failures."""
        book = world.read_book(context.document)
        return world.true_rules(book, [random.Random(f"random rule {context.key} {seed}").choice(list(book))])

    def random_rules(self, context: Context, seed: int, like: str) -> str | None:
        """As many true rules as the skill ``like`` has lines: what is left of its gain is the choice of the keys."""
        book = world.read_book(context.document)
        number = min(len(wording.read_lines(wording.one_line(like))), len(book))
        return world.true_rules(book, random.Random(f"random rules {context.key} {seed}").sample(list(book), number))


_NAMES = frozenset((*world.KEYS, *world.OPERATIONS))


@lru_cache(maxsize=8)
def _contexts(n: int, held_out: bool) -> tuple[Context, ...]:
    found: list[Context] = []
    for number, book in _books():
        if world.is_held_out_book(book) == held_out:
            found.append(Context(f"rules-{number:04d}", "", world.book_text(book)))
        if len(found) == n:
            break
    return tuple(found)


def _books() -> Iterable[tuple[int, dict[str, str]]]:
    number = 0
    while True:
        yield number, world.random_book(random.Random(f"rule book {number}"))
        number += 1
