"""Metrics in words: titles of panels, axes, units, and what a name means where no definition was recorded."""

from __future__ import annotations

from selfplay.tracking.curves import SHARES, axis_label
from selfplay.tracking.summary import ROOMS

PARTS = {
    "majority": "paid for agreeing with the majority",
    "calibration": "paid for asking what is neither certain nor hopeless",
    "copeland": "paid for the pairwise comparisons won; its mean is near 0.5 by construction",
    "consistency": "paid for verdicts that agree with the overall order",
    "random": "control arm: pay drawn at random",
    "truth": "control arm: paid for being right",
    "format": "control arm: paid for the form alone",
}
"""Reward parts by name; any other is shown by its name alone."""

OPPONENTS = {"base": "the base", "initial": "the initial policy"}

FACTS = {
    "vote_share": "share of votes for the elected answer",
    "vote_accuracy": "elected answers that are right",
    "answer_accuracy": "answers that are right",
    "judge_accuracy": "judgments that are right",
    "true_solve_rate": "tasks truly solved",
    "solve_rate": "tasks solved, as the judge sees it",
    "order_flips": "verdicts that turn with the order",
    "intransitive_triads": "circular triads",
    "first_share": "verdicts for the answer shown first",
}

GUARDS = {
    "barren_windows": "windows in a row without an admitted task",
    "one_answer": "share of the most frequent elected answer",
    "formed": "answers in the form asked for",
    "on_topic": "answers about what was asked",
    "answer_words": "words in an answer",
}


def title_of(metric: str) -> str:
    """What a panel is headed with.

    >>> title_of("yardstick/arithmetic/pass@1"), title_of("duel/base/win_rate"), title_of("guard/cut_off_solver")
    ('arithmetic: pass@1', 'win rate against the base', 'solver: replies cut off at the token limit')
    """
    room, _, rest = metric.partition("/")
    parts = rest.split("/")
    if room == "duel" and parts[-1] == "win_rate":
        return f"win rate against {OPPONENTS.get(parts[0], parts[0].replace('_', ' '))}"
    if room == "reward":
        return f"{parts[0]}: {parts[1].replace('_', ' ')}"
    if room == "guard":
        return _guard_title(rest)
    if room == "game":
        return FACTS.get(rest, rest.replace("_", " "))
    return ": ".join(part.replace("_", " ") for part in parts)


def _guard_title(name: str) -> str:
    for start, text in (
        ("cut_off_", "replies cut off at the token limit"),
        ("failed_", "calls that brought no reply"),
    ):
        if name.startswith(start):
            return f"{name.removeprefix(start)}: {text}"
    if name.startswith("checker_"):
        return f"checker {name.removeprefix('checker_')}"
    return GUARDS.get(name, name.replace("_", " "))


def axis_of(metric: str) -> str:
    """What the numbers of an axis are."""
    room = metric.split("/")[0]
    if room == "reward":
        return "mean pay"
    if room in ("yardstick", "duel", "instrument"):
        return axis_label(metric)
    return ""


def is_share(metric: str) -> bool:
    """Whether the numbers lie between 0 and 1 and a difference of them is told in points.

    >>> [is_share(name) for name in ("yardstick/arithmetic/pass@1", "duel/base/win_rate", "yardstick/answers/quality")]
    [True, True, False]
    """
    return axis_of(metric) in SHARES


def meaning_of(metric: str, recorded: str = "") -> str:
    """The recorded definition, else what its room says, with the part's own words in front."""
    if recorded:
        return recorded
    room, _, rest = metric.partition("/")
    own = PARTS.get(rest.split("/")[-1], "") if room == "reward" else ""
    return "; ".join(text for text in (own, ROOMS.get(room, "")) if text)


def slug(name: str) -> str:
    """A name as part of a file name.

    >>> slug("yardstick/arithmetic/pass@1"), slug("sqlm_small, random reward")
    ('yardstick-arithmetic-pass-1', 'sqlm_small-random-reward')
    """
    kept = "".join(sign if sign.isalnum() or sign in "_." else " " for sign in name)
    return "-".join(kept.split())
