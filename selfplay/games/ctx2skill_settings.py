"""The settings of Ctx2Skill (arXiv 2604.27660), which are the recipe's ``game`` keys, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from selfplay.games.settings import a_switch, at_least, one_of
from selfplay.roles.proposer import Band, check_band
from selfplay.roles.replay import Combine, Ties
from selfplay.roles.rubrics import By, Unanswered
from selfplay.roles.skills import Replacement
from selfplay.types import Context, Side

Learner = Literal["challenger", "reasoner", "judge"]
"""Agents that can be trained: the others are paid nothing."""

Split = Literal["train", "held_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Defaults are the paper's; where it says nothing, its release's.

    Raises:
        ValueError: a setting that cannot work; its text starts with the key.
    """

    rounds: int = 5  # N
    tasks: int = 5  # M, of one round
    tries: int = 3  # for replies that must be readable; an answer to a task has one
    answers: int = 1  # to one task (G); the first one steers the skills, all pay the weights
    unaided: int = 0  # tasks of each round answered as often without the skill, for the weights alone
    judgments: int = 1  # gradings of one answer (K); their majority counts
    rubric_votes: int = 1  # replies to the question for rubrics, where tasks come without; the most frequent counts
    verdict: By = "rubrics"
    unanswered: Unanswered = "leave_out"
    replacement: Replacement = "replace"
    most_skills: int | None = None  # entries of a set, the oldest go first; None = all
    evolves: tuple[Side, ...] = (
        "challenger",
        "reasoner",
    )  # whose skill changes; ["reasoner"] = frozen challenger
    merged: bool = False  # proposer and generator are one agent
    select: str | int = "product"  # replay by product or sum; last; or the number of a round
    no_skill: bool = False  # whether round 0, no skill, competes in the replay
    carry: bool = False  # a context that comes again goes on from its last visit; else it is mined anew
    visits: int | None = None  # most visits to one context, seeds beyond are not played; None = as many as seeds come
    ties: Ties = "random"
    closed_book: int = 0  # tasks of each round that are answered without the document too: do they need one?
    planted: int = 0  # items of known verdict for the judge in each round
    learns: tuple[Learner, ...] = ()  # agents whose turns are paid; none = frozen weights, as in the paper
    bonus: float = 0.5  # what the reasoner earns on top where every rubric passes
    band: Band = "triangle"  # which share of solved answers pays the challenger
    low: float = 0.2
    high: float = 0.8
    split: Split = "train"

    def __post_init__(self) -> None:
        if self.closed_book is False:  # which older recipes say
            object.__setattr__(self, "closed_book", 0)
        for key in ("merged", "no_skill", "carry"):
            a_switch(f"game.{key}", getattr(self, key))
        for key, least, why in (
            ("rounds", 1, "without one nothing is learned"),
            ("tasks", 1, "a round needs one"),
            ("tries", 1, "every agent is asked once"),
            ("answers", 1, "a task is answered"),
            ("judgments", 1, "an answer is judged"),
            ("rubric_votes", 1, "a task needs rubrics"),
            ("planted", 0, "0 is none"),
            ("closed_book", 0, "0 is none"),
            ("unaided", 0, "0 is none"),
        ):
            at_least(f"game.{key}", getattr(self, key), least, why)
        if self.most_skills is not None:
            at_least("game.most_skills", self.most_skills, 1, "null keeps all")
        if self.visits is not None:
            at_least("game.visits", self.visits, 1, "null sets no bound")
        choices = {"verdict": By, "unanswered": Unanswered, "replacement": Replacement, "ties": Ties, "split": Split}
        for key, literal in choices.items():
            one_of(f"game.{key}", getattr(self, key), literal)
        for key, literal in {"evolves": Side, "learns": Learner}.items():
            for value in getattr(self, key):
                one_of(f"game.{key}", value, literal)
        self._check_select()
        self._check_pay()

    @property
    def replays(self) -> bool:
        return self.select in get_args(Combine)

    @property
    def candidates(self) -> tuple[int, ...]:
        """The rounds whose skills compete on a first visit."""
        return self.candidates_of(0, 0)

    def candidates_of(self, start: int, origin: int) -> tuple[int, ...]:
        """The rounds whose skills compete on a visit that goes on after round ``start`` with the version of round
        ``origin``: that version among them.

        >>> Settings(rounds=2).candidates_of(start=4, origin=3)
        (3, 5, 6)
        """
        if not self.replays:
            return ()
        return (*[0] * self.no_skill, *[origin] * bool(origin), *range(start + 1, start + self.rounds + 1))

    def fixed_choice(self, start: int) -> int:
        """The round whose version is kept where none is replayed; rounds are counted within the visit."""
        place = self.rounds if self.select == "last" else int(self.select)
        return start + place if place else 0

    def rows(self, compact: bool) -> Mapping[str, int]:
        """Most turns of each role in one episode, every try used up."""
        challenges = self.tasks * (1 + self.rubric_votes) if compact else 1
        replayed = 2 * self.rounds * (1 + self.carry) * (len(self.candidates) + (self.carry and self.replays))
        answers = self.rounds * (
            (self.tasks + min(self.unaided, self.tasks)) * self.answers + min(self.closed_book, self.tasks)
        )
        answers += replayed
        planted = self.rounds * min(self.planted, self.tasks)
        writers = {
            f"{side}_{agent}": self.rounds * self.tries if self._writes(side, agent) else 0
            for side in ("reasoner", "challenger")
            for agent in ("proposer", "generator")
        }
        return {
            "challenger": self.rounds * challenges * self.tries,
            "reasoner": answers,
            "judge": (answers + planted) * self.judgments * self.tries,
        } | writers

    def check_domain(self, wording: str, contexts: Sequence[Context]) -> None:
        """Raises ValueError where these settings cannot be played on this domain."""
        if wording not in ("compact", "json"):
            raise ValueError(f"game.domain: its wording {wording!r} is unknown here; it must be compact or json.")
        if not contexts:
            raise ValueError(f"game.split={self.split}: this domain has no such contexts; choose another split.")
        if self.merged and wording == "compact":
            raise ValueError("game.merged=true: the compact wording has no prompt for it; set game.merged=false.")
        forbidden = next((context.key for context in contexts if not context.trainable), None)
        if self.learns and forbidden is not None:
            raise ValueError(
                f"game.learns={list(self.learns)}: the context {forbidden} is for benchmarking only and must not be "
                "learned from; set game.learns=[], or choose other contexts."
            )

    def _writes(self, side: Side, agent: str) -> bool:
        return side in self.evolves and not (self.merged and agent == "proposer")

    def _check_select(self) -> None:
        if isinstance(self.select, int) and not isinstance(self.select, bool):
            if not 0 <= self.select <= self.rounds:
                raise ValueError(f"game.select={self.select}: there are rounds 1 to {self.rounds} (0 is no skill).")
        elif self.select not in (*get_args(Combine), "last"):
            raise ValueError(f"game.select={self.select!r}: unknown; choose product, sum, last or a round's number.")

    def _check_pay(self) -> None:
        if self.bonus < 0:
            raise ValueError(f"game.bonus={self.bonus}: must be 0 or more; nothing here is paid less than 0.")
        groups = {"challenger": ("answers", 2, "a share of one answer is 0 or 1, which pays no task"),
                  "reasoner": ("answers", 2, "a group of one has no peers"),
                  "judge": ("judgments", 3, "with fewer a grading is its own majority")}  # fmt: skip
        for role in self.learns:
            key, least, why = groups[role]
            if getattr(self, key) < least:
                raise ValueError(
                    f"game.{key}={getattr(self, key)}: must be {least} or more where the {role} learns; {why}."
                )
        check_band(self.band, self.low, self.high, 1, max(2, self.answers))
