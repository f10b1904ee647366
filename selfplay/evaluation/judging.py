"""The judge yardstick: how often a role names the better of two answers of which that is known, in both orders.

    pairs_N --both orders--> prompts --sampler--> replies --read--> judgments --> accuracy, order flips, bias

A judge that is paid for agreeing with itself is not paid for being right: this is where one sees the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.pairwise import accuracy, compare_orders, first_share
from selfplay.evaluation.statistics import mean_interval
from selfplay.roles.judge_prompt import Wording, judge_prompt
from selfplay.roles.verdicts import read_verdict
from selfplay.types import Judgment, Pair, Sampler

BETTER, WORSE = "better", "worse"


class PairSource(Protocol):
    """Whatever knows pairs: an open-ended domain, or a file of them (``domains.judged_pairs.PairFile``)."""

    wording: str

    def held_out_pairs(self, n: int, seed: int) -> list[Pair]: ...


@dataclass(frozen=True)
class Judged:
    """What the yardstick saw: the two judgments of each pair, and what they come to."""

    judgments: tuple[Judgment, ...]
    metrics: tuple[Metric, ...]


class Bench:
    """A judge at work: asks a sampler's role about two texts and reads what it says."""

    def __init__(self, wording: Wording, role: str = "judge", temperature: float = 1.0) -> None:
        self.ask, self.read = partial(judge_prompt, wording=wording), partial(read_verdict, wording=wording)
        self.role, self.temperature = role, temperature

    def both_orders(self, sampler: Sampler, contests: Sequence[tuple[str, str, str]]) -> list[Judgment]:
        """Two judgments of each contest (request, one, other), named 0 and 1; ``item`` is the contest's number."""
        shown = [(request, *texts) for request, one, other in contests for texts in ((one, other), (other, one))]
        replies = sampler.sample(self.role, [self.ask(*texts) for texts in shown], n=1, temperature=self.temperature)
        return [
            Judgment(number % 2, 1 - number % 2, self.read(reply.text), item=str(number // 2))
            for number, (reply,) in enumerate(replies)
        ]


class JudgeYardstick:
    """Accuracy of the judge on pairs whose better answer is known, and what its errors depend on.

    Args:
        pairs: where they come from; a source with fewer than ``n`` gives all it has.
        n: how many.
        seed: picks the pairs and seeds the sampling; the same at every measurement of a run.
        temperature: of the verdicts.
        role: who judges.

    Raises:
        ValueError: a number out of range, or a source without pairs.
    """

    def __init__(
        self, pairs: PairSource, n: int = 200, seed: int = 0, temperature: float = 1.0, role: str = "judge"
    ) -> None:
        if n < 1 or temperature < 0:
            raise ValueError(f"n={n} pairs must be at least 1 and temperature={temperature} 0 or above.")
        self.pairs: list[Pair] = pairs.held_out_pairs(n, seed)
        if not self.pairs:
            raise ValueError(
                "the domain knows no pair of which one answer is better, so a judge cannot be measured on it; leave "
                "this yardstick out of evaluation.yardsticks, or give it a file of pairs."
            )
        self.bench = Bench(pairs.wording, role, temperature)  # type: ignore[arg-type]  # a Wording, as domains check
        self.seed = seed

    @property
    def texts(self) -> int:
        """How many one measurement samples."""
        return 2 * len(self.pairs)

    def measure(self, sampler: Sampler, before: Judged | None = None) -> Judged:
        """One call of ``sampler.sample``; call it on every rank or on none. ``before`` is not needed."""
        sampler.begin("yardstick", "judge", self.seed)
        contests = [(pair.request.shown, pair.better, pair.worse) for pair in self.pairs]
        names = (BETTER, WORSE)
        judgments = [
            Judgment(names[int(j.first)], names[int(j.second)], j.verdict, j.item)
            for j in self.bench.both_orders(sampler, contests)
        ]
        return Judged(tuple(judgments), tuple(self._metrics(judgments)))

    def _metrics(self, judgments: Sequence[Judgment]) -> Iterator[Metric]:
        setting = (
            f"{len(self.pairs)} pairs of known different quality, each judged once in both orders at temperature "
            f"{self.bench.temperature:g}"
        )
        rights = [
            float(accuracy(judgments[number : number + 2], {judgments[number].item: BETTER}) or 0.0)
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
