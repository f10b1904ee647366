"""Arithmetic: sums to propose and solve, with a ground truth that is used for measuring only.

Two wordings. ``compact`` is the language of the small base (`selfplay/small_base`); ``tagged`` is plain English with
``<think>`` and ``<answer>`` tags for instruction-tuned models, after the prompts of SQLM (arXiv 2508.03682, sections
3 and A; the words are ours, the tags are the interface).

    >>> domain = Arithmetic()
    >>> domain.read_problem("85+27")
    Problem(text='85+27', key='27+85', level=2, truth='112')
    >>> domain.read_answer("5+7+0=12,8+2+1=11>112")
    '112'
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from selfplay.domains.held_out import held_out
from selfplay.types import Problem, Prompt

HELD_OUT_SHARE = 0.15
"""Share of all problems, at every difficulty, that are kept for yardsticks: base training and self-play skip them."""

MAX_OPERAND_DIGITS = 12
"""Longer operands are not read as a problem; keeps every integer here small whatever a model writes."""

MAX_OPERANDS = 8
"""A longer chain of operands is not read as a problem."""

MAX_ANSWER_DIGITS = 40
"""A longer answer is unreadable rather than parsed (Python refuses integers of over 4300 digits)."""


@dataclass(frozen=True)
class Wording:
    """How a role is asked and how its reply is read."""

    propose: str  # holds {topic}
    solve: str  # holds {problem}
    answer: re.Pattern[str]  # one group; the LAST match counts
    whole_reply_is_problem: bool  # compact: the reply is the sum and nothing else


COMPACT = Wording(
    propose="propose {topic}",
    solve="solve {problem}",
    answer=re.compile(r">([0-9]+)$"),
    whole_reply_is_problem=True,
)

TAGGED = Wording(
    propose=(
        "Write one problem about {topic}. Use whole numbers of up to three digits, and choose numbers that look "
        "random and unlike one another. State the problem only; do not solve it."
    ),
    solve=(
        "Work through the problem step by step inside <think> </think>, then give the final integer alone inside "
        "<answer> </answer>.\n\n{problem}"
    ),
    answer=re.compile(r"<answer>\s*([+-]?[0-9][0-9,]*)\s*</answer>"),
    whole_reply_is_problem=False,
)

WORDINGS = {"compact": COMPACT, "tagged": TAGGED}

# [0-9], since \d also matches the digits of other scripts, which no yardstick holds and no base was shown.
_OPERAND = rf"(?<![0-9.,])[0-9]{{1,{MAX_OPERAND_DIGITS}}}(?![0-9]|[.,][0-9])"
_SIGN = r"(?:[-+*x×−]|\\times\b|\\cdot\b)"
_EXPRESSION = re.compile(rf"{_OPERAND}(?:\s*{_SIGN}\s*{_OPERAND})+")
_OPERATOR_OF = {"+": "+", "-": "-", "−": "-", **dict.fromkeys(("*", "x", "×", "\\times", "\\cdot"), "*")}

# What makes an expression only part of the question: an operator with something on its far side, a bracket (LaTeX's
# \( \) aside), a sign of its own, a decimal point, or the solution behind "=". Markdown's ** and bullets do not.
_BEFORE = re.compile(rf"(?:[0-9)]\s*(?:{_SIGN}|[/^÷%])\s*|[-−]|[/^÷]\s*|(?<!\\)\(\s*)$")
_AFTER = re.compile(rf"\s*(?:(?:{_SIGN}\s*)+[0-9(]|[/^÷%)]|\.[0-9]|=\s*[-+−]?[0-9])")


class Arithmetic:
    """Sums, differences and products of whole numbers.

    Args:
        operators: which of ``+ - *`` a problem may use, e.g. ``"+"``.
        digits: operand lengths that the yardstick covers, 1 to this.
        wording: ``"compact"`` or ``"tagged"``.

    Raises:
        ValueError: an unknown wording or operator, or digits outside 1 to 12.
    """

    def __init__(self, operators: str = "+", digits: int = 3, wording: str = "compact") -> None:
        if wording not in WORDINGS:
            raise ValueError(f"domain.wording={wording!r} is unknown; choose one of {', '.join(WORDINGS)}.")
        if not operators or set(operators) - set("+-*"):
            raise ValueError(f"domain.operators={operators!r} must be made of + - *, e.g. '+'.")
        if not 1 <= digits <= MAX_OPERAND_DIGITS:
            raise ValueError(f"domain.digits={digits} must be between 1 and {MAX_OPERAND_DIGITS}.")
        self.operators = operators
        self.digits = digits
        self.wording = WORDINGS[wording]

    def propose_prompt(self, topic: str) -> Prompt:
        return self.wording.propose.format(topic=topic)

    def solve_prompt(self, problem: Problem) -> Prompt:
        return self.wording.solve.format(problem=problem.text)

    def read_problem(self, text: str) -> Problem | None:
        """The one expression in the text, or None.

        None too where its value would not be the problem's: several expressions, more than 8 operands, brackets,
        division or powers beside it, an operator outside ``operators``, or the solution given away (``3+4 = 7``).
        Compact problems are shown without leading zeros, which would make a short sum look long.

        >>> Arithmetic(operators="*", wording="tagged").read_problem("What is 12 x 34?")
        Problem(text='What is 12 x 34?', key='12*34', level=2, truth='408')
        >>> Arithmetic(operators="+*", wording="tagged").read_problem("What is (3 + 4) * 5?") is None
        True
        """
        text = text.strip()
        found = self._only_expression(text)
        if found is None:
            return None
        operands = re.findall(r"[0-9]+", found)
        operators = [_OPERATOR_OF[sign] for sign in re.findall(_SIGN, found)]
        if set(operators) - set(self.operators) or len(operands) > MAX_OPERANDS:
            return None
        numbers = [int(operand) for operand in operands]
        return Problem(
            text=_spelled(numbers, operators) if self.wording.whole_reply_is_problem else text,
            key=canonical(numbers, operators),
            level=max(len(str(number)) for number in numbers),
            truth=str(evaluate(numbers, operators)),
        )

    def read_answer(self, text: str) -> str | None:
        """The last answer in the text as a plain integer without leading zeros, or None.

        >>> Arithmetic(wording="tagged").read_answer("<answer>7</answer> no, <answer> 1,024 </answer>")
        '1024'
        >>> Arithmetic().read_answer("no idea") is None
        True
        """
        found = self.wording.answer.findall(text)
        if not found:
            return None
        digits = found[-1].replace(",", "").lstrip("+")
        if len(digits) > MAX_ANSWER_DIGITS:
            return None
        return str(int(digits))

    def is_right(self, problem: Problem, answer: str | None) -> bool | None:
        return None if problem.truth is None else answer == problem.truth

    def is_held_out(self, problem: Problem) -> bool:
        return is_held_out(problem.key)

    def held_out_problems(self, per_level: int, seed: int) -> dict[int, list[Problem]]:
        """Level by level; a level with fewer held-out problems than asked for gives all it has."""
        rng = random.Random(f"held-out {seed}")
        return {level: self._held_out_at(level, per_level, rng) for level in range(1, self.digits + 1)}

    def random_problem(self, rng: random.Random, level: int) -> Problem:
        """Two operands, the longer of exactly ``level`` digits, the other of any length up to it."""
        first = rng.randrange(10 ** (level - 1) if level > 1 else 0, 10**level)
        other_level = rng.randint(1, level)
        second = rng.randrange(10 ** (other_level - 1) if other_level > 1 else 0, 10**other_level)
        operands = [first, second] if rng.random() < 0.5 else [second, first]
        expression = f"{operands[0]}{rng.choice(self.operators)}{operands[1]}"
        problem = self.read_problem(expression)
        assert problem is not None, expression
        return problem

    def _only_expression(self, text: str) -> str | None:
        if self.wording.whole_reply_is_problem:
            return text if _EXPRESSION.fullmatch(text) else None
        matches = list(_EXPRESSION.finditer(text))
        if len(matches) != 1:
            return None
        start, end = matches[0].span()
        part_of_more = _BEFORE.search(text[max(0, start - 20) : start]) or _AFTER.match(text, end)
        return None if part_of_more else matches[0].group()

    def _held_out_at(self, level: int, count: int, rng: random.Random) -> list[Problem]:
        found: dict[str, Problem] = {}
        for _ in range(200 * count):  # small levels run dry long before this
            problem = self.random_problem(rng, level)
            if self.is_held_out(problem):
                found.setdefault(problem.key, problem)
            if len(found) == count:
                break
        return list(found.values())


def is_held_out(key: str, share: float = HELD_OUT_SHARE) -> bool:
    """Whether the problem with this key is held out: a hash of the key alone, so every process and run agrees."""
    return held_out(key, share)


def canonical(numbers: Sequence[int], operators: Sequence[str]) -> str:
    """One key for all spellings of a problem; operands are sorted where the order does not matter.

    >>> canonical([85, 27], ["+"]), canonical([85, 27], ["-"])
    ('27+85', '85-27')
    """
    if len(set(operators)) == 1 and operators[0] in "+*":
        return operators[0].join(str(number) for number in sorted(numbers))
    return _spelled(numbers, operators)


def _spelled(numbers: Sequence[int], operators: Sequence[str]) -> str:
    return "".join(f"{number}{operator}" for number, operator in zip(numbers, [*operators, ""], strict=True))


def evaluate(numbers: Sequence[int], operators: Sequence[str]) -> int:
    """The value, products first, then left to right.

    >>> evaluate([2, 3, 4], ["+", "*"])
    14
    """
    terms = [numbers[0]]
    for operator, number in zip(operators, numbers[1:], strict=True):
        if operator == "*":
            terms[-1] *= number
        else:
            terms.append(number if operator == "+" else -number)
    return sum(terms)
