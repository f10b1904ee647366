"""The judge yardstick: how often a role names the better of two answers of which that is known, in both orders.

    pairs_N --both orders--> showings --SampledJudge--> judgments --> accuracy, order flips, bias

A judge that is paid for agreeing with itself is not paid for being right: this is where one sees the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from selfplay.evaluation.judges import SampledJudge, Showing
from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.pairwise import accuracy, compare_orders, first_share
from selfplay.evaluation.statistics import mean_interval
from selfplay.roles.judge_prompt import Longest, Wording, judge_prompt
from selfplay.roles.verdicts import Verdicts, read_verdict, verdict_choices
from selfplay.types import Judgment, Pair, Request, Sampler

ONE, OTHER = "one", "other"
"""The two sides of a contest, whatever the order of showing."""


class PairSource(Protocol):
    """Whatever knows pairs: an open-ended domain, or a file of them (``domains.judged_pairs.PairFile``)."""

    wording: str

    def held_out_pairs(self, n: int, seed: int) -> list[Pair]: ...


@dataclass(frozen=True)
class Judged:
    """What the yardstick saw: the two judgments of each pair, and what they come to."""

    judgments: tuple[Judgment, ...]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Bench:
    """How a role is asked to judge, as in the game: the wording, and how verdicts are had.

    ``temperature`` is of the verdicts; ``longest`` bounds what is shown. No ties; the final verdict counts.
    """

    wording: Wording
    role: str = "judge"
    temperature: float = 1.0
    verdicts: Verdicts = "sampled"
    longest: Longest = field(default_factory=Longest)

    def both_orders(
        self, sampler: Sampler, contests: Sequence[tuple[Request, str, str]], key: Sequence[int | str]
    ) -> list[Judgment]:
        """Two judgments of each contest (request, one, other), one after the other; ``item`` is its number. One call
        of the sampler, which begins at ``key``."""
        judge = SampledJudge(
            sampler,
            self.role,
            lambda request, one, other: judge_prompt(request.shown, one, other, self.wording, longest=self.longest),
            lambda reply: read_verdict(reply, wording=self.wording),
            key,
            self.temperature,
            verdict_choices(self.wording) if self.verdicts == "scored" else None,
            self.role,
        )
        return judge.judge(
            [
                showing
                for number, (request, one, other) in enumerate(contests)
                for showing in (
                    Showing(request, ONE, OTHER, one, other, str(number)),
                    Showing(request, OTHER, ONE, other, one, str(number)),
                )
            ]
        )


class JudgeYardstick:
    """Accuracy of the judge on pairs whose better answer is known, and what its errors depend on.

    Args:
        pairs: where they come from; a source with fewer than ``n`` gives all it has.
        n: how many.
        verdicts: as ``game.verdicts``: a judge that learned to be scored may write anything behind its verdict.
        request_chars, answer_chars: as in the game.
        seed: picks the pairs and seeds the sampling; the same at every measurement of a run.
        temperature: of the verdicts.
        role: who judges.

    Raises:
        ValueError: a number out of range, or a source without pairs.
    """

    def __init__(
        self,
        pairs: PairSource,
        n: int = 200,
        verdicts: Verdicts = "sampled",
        request_chars: int = 4000,
        answer_chars: int = 6000,
        seed: int = 0,
        temperature: float = 1.0,
        role: str = "judge",
    ) -> None:
        if n < 1 or temperature < 0:
            raise ValueError(f"n={n} pairs must be at least 1 and temperature={temperature} 0 or above.")
        self.pairs: list[Pair] = pairs.held_out_pairs(n, seed)
        if not self.pairs:
            raise ValueError(
                "the domain knows no pair of which one answer is better, so a judge cannot be measured on it; leave "
                "this yardstick out of evaluation.yardsticks, or give it a file of pairs."
            )
        longest = Longest(request_chars, answer_chars)
        self.bench = Bench(pairs.wording, role, temperature, verdicts, longest)  # type: ignore[arg-type]  # a Wording
        self.roles: Sequence[str] = (role,)
        self.seed = seed

    @property
    def texts(self) -> int:
        """How many one measurement samples."""
        return 2 * len(self.pairs)

    def measure(self, sampler: Sampler, before: Judged | None = None) -> Judged:
        """One call of the sampler; call it on every rank or on none. ``before`` is not needed."""
        contests = [(pair.request, pair.better, pair.worse) for pair in self.pairs]
        judgments = self.bench.both_orders(sampler, contests, ("yardstick", "judge", self.seed))
        return Judged(tuple(judgments), tuple(self._metrics(judgments)))

    def _metrics(self, judgments: Sequence[Judgment]) -> Iterator[Metric]:
        setting = (
            f"{len(self.pairs)} pairs of known different quality, each judged once in both orders at temperature "
            f"{self.bench.temperature:g}, verdicts {self.bench.verdicts}"
        )
        rights = [
            float(accuracy(judgments[number : number + 2], {judgments[number].item: ONE}) or 0.0)
            for number in range(0, len(judgments), 2)
        ]
        low, high = mean_interval(rights, self.seed)
        definition = (
            f"share of judgments that name the better answer, a tie half, an unreadable one wrong; {setting}; 95 % "
            "interval: bootstrap over pairs (Wilson where all pairs scored the same)"
        )
        yield Metric("yardstick/judge/accuracy", sum(rights) / len(rights), low, high, definition)
        figures = {
            "order_flips": (compare_orders(judgments).flips, "share of readable pairs that the order alone decided"),
            "first_share": (first_share(judgments), "share of verdicts for whom the judge saw first; 0.5 = no bias"),
            "unreadable": (sum(j.verdict is None for j in judgments) / len(judgments), "share of unreadable verdicts"),
        }
        for name, (value, meaning) in figures.items():
            if value is not None:
                yield Metric(f"instrument/judge/{name}", value, definition=f"{meaning}; {setting}")
