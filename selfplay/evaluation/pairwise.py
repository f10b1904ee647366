"""Judgments of pairs, counted: who won, whether the order of showing decided, whether the outcomes fit together.

    judgments_J --win_matrix--> wins --copeland, triads, bradley_terry--> one number for each contestant, or for all

Pure functions on `selfplay.types.Judgment`. A tie is half a win to each side; what cannot be read counts for nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from selfplay.types import Contestant, Judgment

Wins = dict[Contestant, dict[Contestant, float]]
"""``wins[a][b]``: judgments in which a beat b, ties as halves. Everybody has a row; pairs that never met hold 0."""


@dataclass(frozen=True, slots=True)
class Orders:
    """Pairings of a judgment in one order with one of the same pair and item in the other order."""

    same: int  # both name the same winner, or both a tie
    to_first: int  # each names whom it saw first: a flip
    to_second: int  # each names whom it saw second: a flip
    half: int  # one names a winner, the other a tie
    unread: int  # at least one of them cannot be read

    @property
    def readable(self) -> int:
        return self.same + self.to_first + self.to_second + self.half

    @property
    def consistency(self) -> float | None:
        """Position consistency: the share of readable pairings that agree; None where there is none."""
        return self.same / self.readable if self.readable else None

    @property
    def flips(self) -> float | None:
        """The share of readable pairings in which the order alone decided; None where there is none."""
        return (self.to_first + self.to_second) / self.readable if self.readable else None


def compare_orders(judgments_J: Sequence[Judgment]) -> Orders:
    """Every judgment of a pair in one order against every one in the other order; a pair shown one way only counts 0.

    >>> compare_orders([Judgment("x", "y", "first"), Judgment("y", "x", "first"), Judgment("y", "x", "second")])
    Orders(same=1, to_first=1, to_second=0, half=0, unread=0)
    """
    verdicts: dict[tuple[str, Contestant, Contestant], Counter[str]] = {}
    for j in judgments_J:
        verdicts.setdefault((j.item, j.first, j.second), Counter())[j.verdict or "unread"] += 1
    same = to_first = to_second = half = unread = 0
    met: set[tuple[str, Contestant, Contestant]] = set()
    for (item, first, second), one in verdicts.items():
        if (item, second, first) in met or (item, second, first) not in verdicts:
            continue
        met.add((item, first, second))
        other = verdicts[item, second, first]
        decided, other_decided = one["first"] + one["second"], other["first"] + other["second"]
        same += one["first"] * other["second"] + one["second"] * other["first"] + one["tie"] * other["tie"]
        to_first += one["first"] * other["first"]
        to_second += one["second"] * other["second"]
        half += one["tie"] * other_decided + decided * other["tie"]
        unread += one.total() * other.total() - (decided + one["tie"]) * (other_decided + other["tie"])
    return Orders(same, to_first, to_second, half, unread)


def first_share(judgments_J: Sequence[Judgment]) -> float | None:
    """Of the judgments that name a winner, the share that name whom the judge saw first; 0.5 knows no order.

    >>> first_share([Judgment(0, 1, "first"), Judgment(1, 0, "first"), Judgment(1, 0, "tie"), Judgment(1, 0, None)])
    1.0
    """
    counts = Counter(judgment.verdict for judgment in judgments_J)
    decided = counts["first"] + counts["second"]
    return counts["first"] / decided if decided else None


def win_matrix(judgments_J: Sequence[Judgment]) -> Wins:
    """Wins of each contestant over each other one, over all items and both orders.

    >>> win_matrix([Judgment("x", "y", "first"), Judgment("y", "x", "tie"), Judgment("y", "x", None)])
    {'x': {'y': 1.5}, 'y': {'x': 0.5}}
    """
    names = dict.fromkeys(name for judgment in judgments_J for name in (judgment.first, judgment.second))
    wins: Wins = {name: {other: 0.0 for other in names if other != name} for name in names}
    for judgment in judgments_J:
        if judgment.verdict == "tie":
            wins[judgment.first][judgment.second] += 0.5
            wins[judgment.second][judgment.first] += 0.5
        elif judgment.winner is not None and judgment.loser is not None:
            wins[judgment.winner][judgment.loser] += 1.0
    return wins


def win_rates(wins: Wins) -> dict[Contestant, float]:
    """(Wins + half the ties) / judgments that could be read, both orders together; whoever has none is left out.

    >>> win_rates({"x": {"y": 1.5}, "y": {"x": 0.5}, "z": {"x": 0.0}})
    {'x': 0.75, 'y': 0.25}
    """
    met = {name: sum(row.values()) + sum(wins[other].get(name, 0.0) for other in row) for name, row in wins.items()}
    return {name: sum(row.values()) / met[name] for name, row in wins.items() if met[name]}


def copeland(wins: Wins) -> dict[Contestant, float]:
    """Copeland's score: pairs that a contestant wins by more judgments than it loses, drawn pairs as halves.

    A pair of which no judgment could be read counts for neither. (R_A of arXiv 2511.07922 sums judgments instead.)

    >>> copeland({"x": {"y": 3, "z": 1}, "y": {"x": 1, "z": 2}, "z": {"x": 3, "y": 2}})
    {'x': 1.0, 'y': 0.5, 'z': 1.5}
    """
    scores = dict.fromkeys(wins, 0.0)
    for one, other in combinations(wins, 2):
        won, lost = wins[one][other], wins[other][one]
        if won or lost:
            share = 0.5 if won == lost else float(won > lost)
            scores[one] += share
            scores[other] += 1 - share
    return scores


@dataclass(frozen=True, slots=True)
class Triads:
    """Groups of three contestants."""

    total: int
    decided: int  # all three pairs have a majority
    cycles: int  # each beats one and loses to the other: no order of the three fits

    @property
    def intransitive(self) -> float | None:
        """The share of decided triads that are cycles; None where none is decided. Chance alone gives 1/4."""
        return self.cycles / self.decided if self.decided else None


def triads(wins: Wins) -> Triads:
    """Counts over every three contestants, by the majority of their judgments.

    >>> triads({"x": {"y": 1, "z": 0}, "y": {"x": 0, "z": 1}, "z": {"x": 1, "y": 0}})
    Triads(total=1, decided=1, cycles=1)
    """
    total = decided = cycles = 0
    for three in combinations(wins, 3):
        total += 1
        won = [sum(wins[one][other] > wins[other][one] for other in three if other != one) for one in three]
        if sum(won) == 3:
            decided += 1
            cycles += won == [1, 1, 1]
    return Triads(total, decided, cycles)


def accuracy(judgments_J: Sequence[Judgment], better: Mapping[str, Contestant]) -> float | None:
    """Share of judgments that name the better contestant; a tie is half right, an unreadable one wrong.

    Args:
        better: item -> the better contestant; judgments on other items are left out.

    >>> accuracy([Judgment(1, 2, "first", "q"), Judgment(2, 1, "tie", "q")], {"q": 1})
    0.75
    """
    known = [judgment for judgment in judgments_J if judgment.item in better]
    right = sum((j.verdict == "tie") / 2 + (j.winner == better[j.item] and j.verdict != "tie") for j in known)
    return right / len(known) if known else None
