"""Bradley-Terry: a strength for each contestant, so that a beats b with probability s_a / (s_a + s_b).

Maximum likelihood by the minorise-maximise iteration of Hunter (2004, "MM algorithms for generalized Bradley-Terry
models", equation 3); ties count as half a win to each side. No torch, no numpy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from selfplay.evaluation.pairwise import Wins
from selfplay.types import Contestant


def bradley_terry(
    wins: Wins, prior: float = 0.0, tolerance: float = 1e-10, most_rounds: int = 100_000
) -> dict[Contestant, float]:
    """Strengths with a geometric mean of 1.

    Args:
        wins: as ``win_matrix`` gives them.
        prior: wins added to both sides of every pair; 0 is plain maximum likelihood, 0.5 draws strengths together and
            gives a number where somebody won or lost everything.
        tolerance: largest change of a log-strength in the last round.
        most_rounds: more than this are refused; the matrix is then close to one without a maximum.

    Raises:
        ValueError: fewer than two contestants, a negative prior, no convergence, or a likelihood without a maximum:
            contestants split into two camps of which the one never beats the other.

    >>> strengths = bradley_terry({"x": {"y": 3}, "y": {"x": 1}})
    >>> round(strengths["x"] / strengths["y"], 6)
    3.0
    """
    if len(wins) < 2 or prior < 0:
        raise ValueError(f"Bradley-Terry needs two contestants and a prior from 0, not {len(wins)} and {prior}.")
    won = {a: {b: row.get(b, 0.0) + prior for b in wins if b != a} for a, row in wins.items()}
    _refuse_camps(won)
    total = {a: sum(row.values()) for a, row in won.items()}
    strengths: dict[Contestant, float] = dict.fromkeys(won, 1.0)
    for _ in range(most_rounds):
        shares = {a: sum((won[a][b] + won[b][a]) / (strengths[a] + strengths[b]) for b in won if b != a) for a in won}
        renewed = _centred({a: total[a] / shares[a] for a in won})
        moved = max(abs(math.log(renewed[a] / strengths[a])) for a in won)
        strengths = renewed
        if moved < tolerance:
            return strengths
    raise ValueError(f"Bradley-Terry did not settle in {most_rounds} rounds; give a prior, e.g. 0.5.")


def beats(strengths: dict[Contestant, float], one: Contestant, other: Contestant) -> float:
    """The probability that ``one`` beats ``other``.

    >>> beats({"x": 3.0, "y": 1.0}, "x", "y")
    0.75
    """
    return strengths[one] / (strengths[one] + strengths[other])


def _centred(strengths: dict[Contestant, float]) -> dict[Contestant, float]:
    mean = math.fsum(math.log(strength) for strength in strengths.values()) / len(strengths)
    return {name: strength / math.exp(mean) for name, strength in strengths.items()}


def _refuse_camps(won: Wins) -> None:
    """Everybody must be reachable from anybody by wins, in both directions."""
    start = next(iter(won))
    below = _reached(start, {a: [b for b, times in row.items() if times] for a, row in won.items()})
    above = _reached(start, {a: [b for b in won if b != a and won[b][a]] for a in won})
    for camp in (below, above):
        if len(camp) < len(won):
            inside, outside = (", ".join(sorted(map(str, side))) for side in (camp, set(won) - camp))
            raise ValueError(
                f"Bradley-Terry has no maximum: between ({inside}) and ({outside}) one side won everything or nothing; "
                "give a prior, e.g. 0.5."
            )


def _reached(start: Contestant, edges: dict[Contestant, list[Contestant]]) -> set[Contestant]:
    reached, waiting = {start}, [start]
    while waiting:
        new: Iterable[Contestant] = set(edges[waiting.pop()]) - reached
        reached.update(new)
        waiting.extend(new)
    return reached
