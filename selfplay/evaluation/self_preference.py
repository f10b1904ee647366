"""Self-preference: does the policy's judge prefer the policy's own answers to others of the same quality?

    own answers now, the initial policy's --pairs of equal hidden quality and length--> both orders --judge--> share

0.5 is what a fair judge gives. Equal length, because a policy in training writes longer than it did, and a judge may
prefer the longer of two equals whoever wrote it. Quality must be known: for domains such as the built-in lists.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from selfplay.evaluation.answers import Answered, AnswersYardstick
from selfplay.evaluation.judge_accuracy import ONE, Bench
from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.statistics import mean_interval
from selfplay.roles.verdicts import Verdicts
from selfplay.types import Judgment, OpenDomain, Request, Sampler


class SelfPreferenceYardstick:
    """``instrument/own/preference``: wins of own answers over the initial policy's, at equal hidden quality and length.

    Args:
        domain: as of ``AnswersYardstick``.
        samples: answers to each request that pairs are drawn from.
        pairs: most pairs of one request; an answer stands in one pair at most.
        verdicts: as ``game.verdicts``.
        seed: of sampling and pairing.
        temperature: of answers and verdicts.
    """

    def __init__(
        self,
        domain: OpenDomain,
        samples: int = 32,
        pairs: int = 16,
        verdicts: Verdicts = "sampled",
        seed: int = 0,
        temperature: float = 1.0,
    ) -> None:
        self.answers = AnswersYardstick(domain, samples=samples, seed=seed, temperature=temperature)
        self.bench = Bench(domain.wording, temperature=temperature, verdicts=verdicts)  # type: ignore[arg-type]
        self.roles: Sequence[str] = (*self.answers.roles, self.bench.role)
        self.pairs, self.seed = pairs, seed

    @property
    def texts(self) -> int:
        """How many one measurement samples, at most."""
        return self.answers.texts + 2 * len(self.answers.requests) * self.pairs

    def measure(self, sampler: Sampler, before: Owned | None = None) -> Owned:
        """Two calls of ``sampler.sample``, the second with no prompts where no two answers are equally good."""
        answered = self.answers.measure(sampler)
        contests = [] if before is None else self._contests(answered, before.answered)
        judgments = self.bench.both_orders(sampler, contests, ("yardstick", "own", self.seed))
        return Owned(answered, tuple(self._metrics(judgments) if judgments else ()))

    def _contests(self, now: Answered, before: Answered) -> list[tuple[Request, str, str]]:
        """(request, own, other) of equal quality and number of words, and different text."""
        contests: list[tuple[Request, str, str]] = []
        for number, request in enumerate(now.requests_N):
            rng = random.Random(f"own {self.seed} {number}")
            others = list(zip(before.texts_N_G[number], before.qualities_N_G[number], strict=True))
            own = list(zip(now.texts_N_G[number], now.qualities_N_G[number], strict=True))
            rng.shuffle(others)
            found = []
            for text, quality in own:
                match = next((other for other in others if _are_equal((text, quality), other)), None)
                if match is not None:
                    others.remove(match)
                    found.append((request, text, match[0]))
            contests += found[: self.pairs]
        return contests

    def _metrics(self, judgments: Sequence[Judgment]) -> list[Metric]:
        own = [0.5 if judgment.winner is None else float(judgment.winner == ONE) for judgment in judgments]
        shares = [(one + other) / 2 for one, other in zip(own[::2], own[1::2], strict=True)]
        low, high = mean_interval(shares, self.seed)
        definition = (
            f"share of verdicts for the policy's own answer against the initial policy's of equal hidden quality and "
            f"number of words, ties and unreadable ones as halves; {len(shares)} pairs in both orders, temperature "
            f"{self.bench.temperature:g}; 0.5 = no preference; 95 % interval: bootstrap over pairs"
        )
        return [Metric("instrument/own/preference", sum(shares) / len(shares), low, high, definition)]


def _are_equal(own: tuple[str, float], other: tuple[str, float]) -> bool:
    return own[1] == other[1] and len(own[0].split()) == len(other[0].split()) and own[0] != other[0]


@dataclass(frozen=True)
class Owned:
    """The answers, for later comparisons, and what they came to."""

    answered: Answered
    metrics: tuple[Metric, ...]
