"""The judge compares answers pairwise; the answers are paid for winning, the judge for agreeing with the outcome.

Self-Examining RL (arXiv 2511.07922): R_A, the Copeland-style reward with the Length Control Module, and R_J, the
judge's self-consistency. Each of M opponents is met in K judgments, half of them in each order. Suffixes: ``_N`` the
answers to one request, ``_J`` judgments on them; an answer is named by its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from selfplay.types import Judgment

UNREADABLE = -1.0
"""R_J of a reply in which no verdict can be read."""


NOTHING: Mapping[tuple[int, int], float] = MappingProxyType({})


def length_weight(winner: int, loser: int, alpha: float | None = 0.2) -> Fraction:
    """What a win is worth to an answer of ``winner`` words against one of ``loser`` words.

    The Length Control Module: |loser| / |winner| where (1 - alpha) |loser| < |winner| < (1 + alpha) |loser|, and
    nothing otherwise; 1 without it (``alpha`` None). Under it an empty answer can win nothing.

    >>> [str(length_weight(winner, 10)) for winner in (8, 9, 10, 11, 12)]
    ['0', '10/9', '1', '10/11', '0']
    """
    if alpha is None:
        return Fraction(1)
    margin = Fraction(str(alpha))  # 0.2 is 1/5 here: rounding must not decide who is inside
    inside = (1 - margin) * loser < winner < (1 + margin) * loser
    return Fraction(loser, winner) if inside else Fraction(0)


def actor_rewards(
    words_N: Sequence[int],
    judgments_J: Sequence[Judgment],
    alpha: float | None = 0.2,
    expected: Mapping[tuple[int, int], float] = NOTHING,
) -> list[float]:
    """R_A of each answer: its wins by their weight, over all judgments that it stood in (M K of them in a full round).

    Where a schedule leaves judgments out, this is not the paper's any more: answers that met few or weak opponents are
    divided by less. What a schedule expects of the judgments left out can be counted in their place.

    Judgments that are unreadable or not kept by the length control stay in the denominator. A tie, where ties are
    allowed, is half a win to each side; the paper has none. Fractions are added exactly, so that equal sums are equal.

    Args:
        words_N: length of each answer in words.
        judgments_J: ``first`` and ``second`` are numbers of answers.
        alpha: see ``length_weight``.
        expected: (first, second) -> the share of a win that the first would get, in hundredths, for judgments that were
            not made; each counts as one judgment of which both sides have their share.

    >>> won = [Judgment(0, 1, "first"), Judgment(1, 0, "second"), Judgment(0, 1, "first"), Judgment(1, 0, "first")]
    >>> actor_rewards([10, 10], won), actor_rewards([10, 8], won), actor_rewards([10, 8], won, alpha=None)
    ([0.75, 0.25], [0.0, 0.0], [0.75, 0.25])
    >>> actor_rewards([10, 10], [Judgment(0, 1, "first")], expected={(1, 0): 0.3})
    [0.85, 0.15]
    """
    wins_N, stood_N = [Fraction(0)] * len(words_N), [0] * len(words_N)
    for judgment in judgments_J:
        first, second = int(judgment.first), int(judgment.second)
        for own, other in ((first, second), (second, first)):
            stood_N[own] += 1
            share = Fraction(judgment.winner == own) + Fraction(judgment.verdict == "tie") / 2
            wins_N[own] += share * length_weight(words_N[own], words_N[other], alpha) if share else 0
    for (first, second), share in expected.items():
        won = Fraction(round(100 * share), 100)  # finer than a schedule knows it, and equal beliefs would differ
        for own, other, part in ((first, second, won), (second, first, 1 - won)):
            stood_N[own] += 1
            wins_N[own] += part * length_weight(words_N[own], words_N[other], alpha) if part else 0
    return [float(wins / stood) if stood else 0.0 for wins, stood in zip(wins_N, stood_N, strict=True)]


def judge_reward(judgment: Judgment, rewards_N: Sequence[float]) -> float:
    """R_J: the sign of R_A(winner) - R_A(loser); 0 for a tie, -1 for a reply that cannot be read.

    ``rewards_N`` are R_A over all judgments, this one included; any measure of the answers may stand in their place.

    >>> [judge_reward(Judgment(0, 1, verdict), [0.75, 0.25]) for verdict in ("first", "second", "tie", None)]
    [1.0, -1.0, 0.0, -1.0]
    """
    if judgment.verdict is None:
        return UNREADABLE
    if judgment.winner is None or judgment.loser is None:
        return 0.0
    won, lost = rewards_N[int(judgment.winner)], rewards_N[int(judgment.loser)]
    return float((won > lost) - (won < lost))
