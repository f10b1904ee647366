"""The synthetic text that the small base is made from: one function a skill, each returns one example.

    propose addition        -> 347+85
    solve 347+85            -> >432                              (direct)
    solve 347+85            -> 7+5+0=12,4+8+1=13,3+0+1=04>432    (worked: right to left, fixed width)
    list animals            -> cat owl red
    judge animals : cat owl | red cat cat -> A

Every answer written here is true. Sums that `selfplay.domains.arithmetic` holds out occur in no example of any skill.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from selfplay.domains.arithmetic import COMPACT, canonical, is_held_out
from selfplay.domains.world import WORLD, quality, random_list
from selfplay.small_base.examples import Example

TOPIC = "addition"
OPERAND_DIGITS = 3
"""The longest operand that the base has seen, and the fixed width of the worked solution."""

LONGEST_LIST = 6
ON_TOPIC_SHARE = 0.64
"""Of the words in a list example: mediocre on purpose, so that self-play on lists has something to gain."""

GARBAGE_SHARE = 0.15
"""Of judged pairs one side is no list at all: a judge that never saw such text prefers it (seen as reward hacking)."""

GARBAGE_QUALITY = -LONGEST_LIST - 1


Skill = Callable[[random.Random], Example]

_SUM = re.compile(r"(?<![\d+])(\d+)\+(\d+)(?![\d+])")


def draw(skill: str, rng: random.Random) -> Example:
    """One example of a skill, refused if any sum in it is held out."""
    example = SKILLS[skill](rng)
    for key in sums_in(f"{example.prompt} {example.reply}"):
        assert not is_held_out(key), example
    return example


def sums_in(text: str) -> list[str]:
    """Keys of the sums of two operands; a worked column, digit + digit + carry, is a sum of three and none of them.

    >>> sums_in("solve 85+27 5+7+0=12,8+2+1=11>112")
    ['27+85']
    """
    return [canonical([int(first), int(second)], ["+"]) for first, second in _SUM.findall(text)]


def addition(rng: random.Random) -> tuple[int, int]:
    """Two operands of independent length, 1 to 3 digits, whose sum is not held out."""
    while True:
        first, second = _operand(rng), _operand(rng)
        if not is_held_out(canonical([first, second], ["+"])):
            return first, second


def _operand(rng: random.Random) -> int:
    digits = rng.randint(1, OPERAND_DIGITS)
    return rng.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits)


def worked(first: int, second: int, width: int = OPERAND_DIGITS) -> str:
    """Column by column from the right: digit + digit + carry = two digits; then the sum.

    >>> worked(347, 85)
    '7+5+0=12,4+8+1=13,3+0+1=04>432'
    """
    columns, carry = [], 0
    for place in range(width):
        one, other = first // 10**place % 10, second // 10**place % 10
        columns.append(f"{one}+{other}+{carry}={one + other + carry:02d}")
        carry = (one + other + carry) // 10
    return f"{','.join(columns)}>{first + second}"


def propose(rng: random.Random) -> Example:
    first, second = addition(rng)
    return Example(COMPACT.propose.format(topic=TOPIC), f"{first}+{second}")


def solve_direct(rng: random.Random) -> Example:
    first, second = addition(rng)
    return Example(COMPACT.solve.format(problem=f"{first}+{second}"), f">{first + second}")


def solve_worked(rng: random.Random) -> Example:
    first, second = addition(rng)
    return Example(COMPACT.solve.format(problem=f"{first}+{second}"), worked(first, second))


def list_words(rng: random.Random) -> Example:
    category = rng.choice(list(WORLD))
    return Example(f"list {category}", " ".join(random_list(rng, category, ON_TOPIC_SHARE)))


def judge(rng: random.Random) -> Example:
    """Two lists of different quality, and the letter of the better one."""
    category = rng.choice(list(WORLD))
    (first, first_quality), (second, second_quality) = judged_pair(rng, category)
    return Example(judge_prompt(category, first, second), "A" if first_quality > second_quality else "B")


def judged_pair(rng: random.Random, category: str) -> tuple[tuple[str, int], tuple[str, int]]:
    """Two texts of different quality, each with its quality."""
    while True:
        first, second = _judged_text(rng, category), _judged_text(rng, category)
        if first[1] != second[1]:
            return first, second


def judge_prompt(category: str, first: str, second: str) -> str:
    return f"judge {category} : {first} | {second}"


def _judged_text(rng: random.Random, category: str) -> tuple[str, int]:
    """A list of any quality, or garbage, with its quality; garbage loses to every list."""
    if rng.random() < GARBAGE_SHARE / 2:
        return _garbage(rng, category), GARBAGE_QUALITY
    words = random_list(rng, category, on_topic=rng.random())
    if rng.random() < 0.5:  # few repeats: lists as good as self-play will write them
        words = list(dict.fromkeys(words))
    return " ".join(words), quality(category, words)


def _garbage(rng: random.Random, category: str) -> str:
    """What an actor may try instead of a list: a sum, loose letters, words of the prompts."""
    kind = rng.randrange(3)
    if kind == 0:
        first, second = addition(rng)
        return rng.choice((f"{first}+{second}", f">{first}", worked(first, second)))
    if kind == 1:
        return " ".join(rng.choice("abcdefghijklmnopqrstuvwxyz,:|>+") for _ in range(rng.randint(1, LONGEST_LIST)))
    return " ".join(rng.choice((category, *WORLD, "list", "judge", "solve")) for _ in range(rng.randint(1, 4)))


SKILLS: dict[str, Skill] = {
    "propose": propose,
    "solve_direct": solve_direct,
    "solve_worked": solve_worked,
    "list": list_words,
    "judge": judge,
}
"""What a recipe's phases mix, by name. A further base adds its skills here."""
