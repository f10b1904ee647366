"""Alarms: what a run can notice about itself without labels, window by window, before the held-out curve shows it.

An alarm warns once when its condition begins and again only after the condition has ended in between. The numbers
behind it go into the log in every window under ``guard/<name>``. Alarms never change the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from selfplay.guards.drift import Drift
from selfplay.types import Episode

ENOUGH_QUESTIONS = 8
"""With fewer elected answers than this a repeated one says nothing."""

CHECKER_TROUBLES = ("hung", "died", "raised", "skipped")
"""How a line of the note ``checker`` begins."""


class Alarms:
    """
    Args:
        barren_windows: warn after this many windows in a row in which no proposal was admitted.
        saturated: warn at this mean vote share, if elected answers repeat as well.
        one_answer: the elected answers repeat when one of them is this share of all, or more. Consensus on one answer
            to every question passes the vote; different questions have different answers.
        cut_off: warn when this share of a role's replies hits the token limit. Turns without a reply (``Turn.failure``)
            are counted as ``guard/failed_<role>``, in windows that have any.
        drift: settings of the canary of open-ended games, by name (``selfplay.guards.drift.Drift``).

    Raises:
        ValueError: a count below 1 or a share outside (0, 1].
    """

    def __init__(
        self,
        barren_windows: int = 3,
        saturated: float = 0.95,
        one_answer: float = 0.5,
        cut_off: float = 0.5,
        drift: Mapping[str, Any] | None = None,
    ) -> None:
        if barren_windows < 1:
            raise ValueError(f"guards.alarms.barren_windows={barren_windows}: must be at least 1.")
        for key, share in (("saturated", saturated), ("one_answer", one_answer), ("cut_off", cut_off)):
            if not 0 < share <= 1:
                raise ValueError(f"guards.alarms.{key}={share}: must be above 0 and at most 1, e.g. 0.5.")
        self.barren_windows = barren_windows
        self.saturated = saturated
        self.one_answer = one_answer
        self.cut_off = cut_off
        self._drift = Drift(**(drift or {}))
        self._barren = 0
        self._raised: set[str] = set()

    def check(self, episodes: Sequence[Episode]) -> tuple[dict[str, float], list[str]]:
        """Look at one window of all processes' episodes.

        Returns:
            ``guard/<name>`` values, and one plain line for each alarm that begins in this window. What a game does not
            report (a fact such as ``admitted``, ``vote_share`` or ``formed``, a note ``elected`` or ``checker``) is not
            watched.
        """
        values: dict[str, float] = {}
        lines: dict[str, str] = {}
        self._watch_admission(episodes, values, lines)
        self._watch_consensus(episodes, values, lines)
        self._watch_length(episodes, values, lines)
        self._watch_checkers(episodes, values, lines)
        self._drift.watch(episodes, values, lines)
        begun = [line for name, line in lines.items() if name not in self._raised]
        self._raised = set(lines)
        return values, begun

    def state_dict(self) -> dict[str, Any]:
        return {"barren": self._barren, "raised": sorted(self._raised), "drift": self._drift.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._barren = state["barren"]
        self._raised = set(state["raised"])
        if "drift" in state:  # a checkpoint from before there was a canary
            self._drift.load_state_dict(state["drift"])

    def _watch_admission(self, episodes: Sequence[Episode], values: dict[str, float], lines: dict[str, str]) -> None:
        admitted = [episode.facts["admitted"] for episode in episodes if "admitted" in episode.facts]
        if not admitted:
            return
        self._barren = 0 if sum(admitted) else self._barren + 1
        values["guard/barren_windows"] = float(self._barren)
        if self._barren >= self.barren_windows:
            lines["barren"] = (
                f"no proposal was admitted in {self._barren} windows in a row, so nothing is learned; "
                "game/rejected_* tells why"
            )

    def _watch_consensus(self, episodes: Sequence[Episode], values: dict[str, float], lines: dict[str, str]) -> None:
        shares = [episode.facts["vote_share"] for episode in episodes if "vote_share" in episode.facts]
        elected = Counter(answer for episode in episodes for answer in episode.notes.get("elected", "").split())
        if not shares or elected.total() < ENOUGH_QUESTIONS:
            return
        share = sum(shares) / len(shares)
        answer, times = elected.most_common(1)[0]
        values["guard/one_answer"] = times / elected.total()
        if share >= self.saturated and values["guard/one_answer"] >= self.one_answer:
            lines["one_answer"] = (
                f"the answers agree at {share:.2f} and {times} of {elected.total()} questions have the answer "
                f"{answer[:20]}: a collapse to one answer, which the vote cannot see"
            )

    def _watch_length(self, episodes: Sequence[Episode], values: dict[str, float], lines: dict[str, str]) -> None:
        """Replies alone: a turn with a ``failure`` hit no limit of the role's, and is counted by itself."""
        turns = [turn for episode in episodes for turn in episode.turns]
        failed = Counter(turn.role for turn in turns if turn.failure)
        values |= {f"guard/failed_{role}": float(times) for role, times in sorted(failed.items())}
        stopped_by_role: dict[str, list[bool]] = {}
        for turn in turns:
            if not turn.failure:
                stopped_by_role.setdefault(turn.role, []).append(turn.stopped)
        for role, stopped in sorted(stopped_by_role.items()):
            share = stopped.count(False) / len(stopped)
            values[f"guard/cut_off_{role}"] = share
            if share >= self.cut_off:
                lines[f"cut_off {role}"] = (
                    f"{share:.0%} of the {role}'s replies hit the token limit; raise sampler.max_new_tokens"
                )

    def _watch_checkers(self, episodes: Sequence[Episode], values: dict[str, float], lines: dict[str, str]) -> None:
        """Questions that a domain with a deadline could not tell (``selfplay.domains.deadline``), one line each."""
        notes = [episode.notes["checker"] for episode in episodes if "checker" in episode.notes]
        troubles = [line for note in notes for line in note.splitlines()]
        if notes:
            kinds = Counter(line.partition(" ")[0] for line in troubles)
            values |= {f"guard/checker_{kind}": float(kinds[kind]) for kind in CHECKER_TROUBLES}
        if troubles:
            lines["checker"] = (
                f"the checker could not tell {len(troubles)} times in this window, which count as unknown; the first: "
                f"{troubles[0]}"
            )
