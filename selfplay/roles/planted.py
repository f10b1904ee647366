"""Items of known verdict: rubrics on a real answer that a program can check, so that a judge's accuracy can be known.

A judge that is paid for agreeing with its own majority may drift as one; what a program knows (a word stands in the
answer or not, it has so many words) cannot drift with it. Not from the paper.
"""

from __future__ import annotations

import random
import re

from selfplay.types import Planted

RUBRICS = 4
"""Of one item; each is met or not met with even chance."""

ABSENT = ("zeppelin", "marmalade", "archipelago", "trombone", "quicksilver", "gondola", "hedgehog", "parsnip")
"""Words for rubrics on what does not stand in an answer; those that do are passed over."""


def plant(task: str, answer: str, seed: str) -> Planted | None:
    """Rubrics on ``answer`` with their verdicts, drawn from ``seed``; None for an answer of fewer than four words.

    >>> plant("Add.", "The sum is seven apples", seed="0") == plant("Add.", "The sum is seven apples", seed="0")
    True
    >>> plant("Add.", "7", seed="0") is None
    True
    """
    words = sorted({word.lower() for word in re.findall(r"\b[A-Za-z]{3,20}\b", answer)})
    strangers = [word for word in ABSENT if word not in answer.lower()]
    if len(words) < 4 or not strangers:
        return None
    rng = random.Random(seed)
    checks = [_check(kind, answer, words, strangers, rng) for kind in rng.sample(range(4), RUBRICS)]
    return Planted(task, tuple(rubric for rubric, _ in checks), answer, tuple(met for _, met in checks))


def _check(kind: int, answer: str, words: list[str], strangers: list[str], rng: random.Random) -> tuple[str, bool]:
    met = rng.random() < 0.5
    length = len(answer.split())
    match kind:
        case 0:
            return f'The answer contains the word "{rng.choice(words if met else strangers)}".', met
        case 1:
            return f'The answer does not contain the word "{rng.choice(strangers if met else words)}".', met
        case 2:
            limit = 2 * length if met else length // 2
            return f"The answer has at most {limit} words, counted between spaces.", met
        case _:
            limit = length // 2 if met else 2 * length
            return f"The answer has at least {limit} words, counted between spaces.", met
