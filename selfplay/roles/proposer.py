"""The proposer asks; it is paid when its question is neither too easy nor too hard for the solver.

Self-Questioning Language Models (arXiv 2508.03682), reward R_P. Wording and reading of questions are the domain's.
"""

from __future__ import annotations

from typing import Literal, get_args

Band = Literal["paper", "release", "range", "triangle"]
"""Which agreement among the solver's answers pays the proposer; see ``calibration``."""


def calibration(votes: int, ballots: int, band: Band = "paper", low: float = 0.2, high: float = 0.8) -> float:
    """R_P: what a question earns when ``votes`` (c) of ``ballots`` (n) answers are the elected one.

    - ``paper``: 1 where 0 < c < n, the formula of arXiv 2508.03682.
    - ``release``: 1 where 1 < c < n, which is what the released code comes to.
    - ``range``: 1 where low <= c/n <= high.
    - ``triangle``: 4 p (1 - p) with p = c/n, which is 1 at p = 1/2 and 0 at both ends. Not from the paper.

    Whatever the band, c = 0 earns nothing: no answer could be read, or none was elected.

    Raises:
        ValueError: an unknown band.

    >>> [calibration(votes, 4) for votes in range(5)]
    [0.0, 1.0, 1.0, 1.0, 0.0]
    >>> [calibration(votes, 4, "release") for votes in range(5)]
    [0.0, 0.0, 1.0, 1.0, 0.0]
    >>> [calibration(votes, 4, "range", low=0.5, high=1.0) for votes in range(5)]
    [0.0, 0.0, 1.0, 1.0, 1.0]
    >>> [calibration(votes, 4, "triangle") for votes in range(5)]
    [0.0, 0.75, 1.0, 0.75, 0.0]
    """
    if votes == 0:
        return 0.0
    share = votes / ballots
    match band:
        case "paper":
            return float(votes < ballots)
        case "release":
            return float(1 < votes < ballots)
        case "range":
            return float(low <= share <= high)
        case "triangle":
            return 4 * share * (1 - share)
    raise ValueError(f"band={band!r} is unknown; choose paper, release, range or triangle.")


def check_band(band: Band, low: float, high: float, min_votes: int, ballots: int) -> None:
    """Raise ValueError for a band that is unknown, or that pays no outcome that a vote of ``ballots`` can have."""
    if band not in get_args(Band):
        raise ValueError(f"game.band={band!r}: unknown; choose one of {', '.join(get_args(Band))}.")
    if not 0 <= low <= high <= 1:
        raise ValueError(f"game.low={low}, game.high={high}: need 0 <= low <= high <= 1, e.g. 0.2 and 0.8.")
    if not any(calibration(votes, ballots, band, low, high) for votes in range(min_votes, ballots + 1)):
        raise ValueError(
            f"game.band={band}: pays no vote that {ballots} answers can give with game.min_votes={min_votes}; "
            "raise game.answers, or choose another band."
        )
