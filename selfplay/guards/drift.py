"""The canary of open-ended games: does the actor leave what the judge was ever shown, while the judge still approves?

A judge that meets a kind of text for the first time may prefer it; an actor paid by that judge then writes nothing
else, and the rewards do not show it. What shows it without a label: the share of answers that have the form asked for,
the share that are about what was asked (where the domain can tell), and their length, each against the run's beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from selfplay.types import Episode

FALLING = {
    "formed": "have the form asked for",
    "on_topic": "are about what was asked",
}
"""Facts of an episode that must not fall, and what they say of the answers."""

LENGTH = "answer_words"


class Drift:
    """Compares the latest windows with the first ones of the run. A game that reports none of the facts is not watched.

    Args:
        windows: how many at the beginning make the measure, and how many of the latest are held against it.
        fall: warn when a share has fallen by more than this, e.g. from 0.97 to below 0.87.
        longer: warn when answers have become so many times as long.

    Raises:
        ValueError: a number out of range.
    """

    def __init__(self, windows: int = 5, fall: float = 0.1, longer: float = 3.0) -> None:
        if windows < 1:
            raise ValueError(f"guards.alarms.drift.windows={windows}: must be at least 1.")
        if not 0 < fall < 1:
            raise ValueError(f"guards.alarms.drift.fall={fall}: must be above 0 and below 1, e.g. 0.1.")
        if longer <= 1:
            raise ValueError(f"guards.alarms.drift.longer={longer}: must be above 1, e.g. 3.0.")
        self.windows, self.fall, self.longer = windows, fall, longer
        self._first: dict[str, list[float]] = {}  # of each fact, the first windows' means
        self._latest: dict[str, list[float]] = {}

    def watch(self, episodes: Sequence[Episode], values: dict[str, float], lines: dict[str, str]) -> None:
        """Add ``guard/<fact>`` (mean of the latest windows) and the lines of alarms that hold in this window."""
        for fact in (*FALLING, LENGTH):
            found = [episode.facts[fact] for episode in episodes if fact in episode.facts]
            if not found:
                continue
            first, latest = self._first.setdefault(fact, []), self._latest.setdefault(fact, [])
            if len(first) < self.windows:
                first.append(fmean(found))
            latest.append(fmean(found))
            del latest[: -self.windows]
            values[f"guard/{fact}"] = fmean(latest)
            if len(first) == self.windows:
                self._compare(fact, fmean(first), fmean(latest), lines)

    def state_dict(self) -> dict[str, Any]:
        return {"first": self._first, "latest": self._latest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._first = {fact: list(values) for fact, values in state["first"].items()}
        self._latest = {fact: list(values) for fact, values in state["latest"].items()}

    def _compare(self, fact: str, first: float, latest: float, lines: dict[str, str]) -> None:
        if fact in FALLING and latest < first - self.fall:
            lines[f"drift {fact}"] = (
                f"canary: {latest:.0%} of the actor's answers {FALLING[fact]}, down from {first:.0%} at the start; it "
                "may be writing what the judge never saw: read game/quality or the episodes, raise learner.kl"
            )
        if fact == LENGTH and first and latest > self.longer * first:
            lines["drift length"] = (
                f"canary: the actor's answers have {latest:.0f} words, {latest / first:.1f} times as many as at the "
                "start; set game.length_control"
            )
