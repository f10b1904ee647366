"""The answers yardstick: how good a role's answers to open-ended requests are, by a quality that no reward reads.

    requests_N --sampler, G times--> answers_N_G --domain--> qualities_N_G --> mean quality, and a duel with the initial
                                                                               policy's answers to the same requests

For domains that know the quality of an answer, such as the built-in lists; prompts of a file have none, and there
``selfplay duel`` asks a judge. Suffixes: ``_N`` requests, ``_G`` samples of one request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.records import Answer, Records
from selfplay.evaluation.statistics import stratified_interval, stratified_win_rates, wilson
from selfplay.evaluation.texts import distinct_n
from selfplay.types import OpenDomain, Request, Sampler, prompt_text


@dataclass(frozen=True)
class Answered:
    """What the yardstick saw, kept whole so that a duel needs no new samples."""

    requests_N: tuple[Request, ...]
    texts_N_G: tuple[tuple[str, ...], ...]
    qualities_N_G: tuple[tuple[float, ...], ...]
    metrics: tuple[Metric, ...]
    records: Records | None = None


class AnswersYardstick:
    """Mean hidden quality, and the win rate against the initial policy by that quality.

    Args:
        domain: gives the requests and knows the quality.
        requests: most requests; a domain with fewer gives all it has.
        samples: answers to each.
        seed: picks the requests, seeds the sampling and the bootstrap; the same at every measurement of a run.
        temperature: of the samples.
        role: who answers.

    Raises:
        ValueError: a number out of range, or a domain that does not know the quality of its answers.
    """

    def __init__(
        self,
        domain: OpenDomain,
        requests: int = 100,
        samples: int = 32,
        seed: int = 0,
        temperature: float = 1.0,
        role: str = "actor",
    ) -> None:
        if requests < 1 or samples < 2:
            raise ValueError(f"requests={requests} must be at least 1 and samples={samples} at least 2.")
        if temperature <= 0:
            raise ValueError(f"temperature={temperature} must be above 0: answers to one request must differ.")
        self.domain, self.samples, self.seed, self.temperature, self.role = domain, samples, seed, temperature, role
        if not domain.knows_quality:
            raise ValueError(
                "the domain knows no quality of answers, so this yardstick cannot measure; leave it out of "
                "evaluation.yardsticks and compare policies with `selfplay duel`."
            )
        self.roles: Sequence[str] = (role,)
        self.requests: list[Request] = domain.held_out_requests(requests, seed)

    @property
    def texts(self) -> int:
        """How many one measurement samples."""
        return len(self.requests) * self.samples

    def measure(self, sampler: Sampler, before: Answered | None = None) -> Answered:
        """One call of ``sampler.sample``; call it on every rank or on none.

        Args:
            before: the initial policy's measurement, to duel with.
        """
        prompts_N = [request.prompt for request in self.requests]
        sampler.begin("yardstick", "answers", self.seed)
        turns_N_G = sampler.sample(self.role, prompts_N, n=self.samples, temperature=self.temperature)
        texts_N_G = tuple(tuple(turn.text for turn in turns_G) for turns_G in turns_N_G)
        qualities_N_G = tuple(
            tuple(float(self.domain.quality(request, text) or 0.0) for text in texts_G)
            for request, texts_G in zip(self.requests, texts_N_G, strict=True)
        )
        metrics = [*self._quality(qualities_N_G), *self._form(texts_N_G)]
        if before is not None:
            metrics += duel(qualities_N_G, before.qualities_N_G, self._setting(), self.seed)
        records = self._records(texts_N_G, qualities_N_G)
        return Answered(tuple(self.requests), texts_N_G, qualities_N_G, tuple(metrics), records)

    def _records(self, texts_N_G: Sequence[Sequence[str]], qualities_N_G: Sequence[Sequence[float]]) -> Records:
        """Each request is a stratum of its own: a domain's requests are taken as they are, only answers are drawn."""
        answers = []
        for number, request in enumerate(self.requests):
            name = f"{number}: {request.about or request.shown}"  # two requests may be about the same
            for sample, (text, quality) in enumerate(zip(texts_N_G[number], qualities_N_G[number], strict=True)):
                answers.append(Answer(name, name, sample, quality, prompt_text(request.prompt), text))
        meaning = f"mean hidden quality of the answers; {self._setting()}"
        return Records(tuple(answers), "samples", "hidden quality", meaning)

    def _setting(self) -> str:
        return f"{len(self.requests)} requests, n={self.samples} samples of each at temperature {self.temperature:g}"

    def _quality(self, qualities_N_G: Sequence[Sequence[float]]) -> Iterator[Metric]:
        means = np.array([fmean(qualities_G) for qualities_G in qualities_N_G])
        low, high = stratified_interval(qualities_N_G, self.seed)
        definition = (
            f"mean hidden quality of the answers; {self._setting()}; 95 % interval: bootstrap over the samples of each "
            "request"
        )
        yield Metric("yardstick/answers/quality", float(means.mean()), low, high, definition)

    def _form(self, texts_N_G: Sequence[Sequence[str]]) -> Iterator[Metric]:
        """What an actor may drift into while the judge approves: off form, off topic, long, all alike."""
        pairs = [(request, text) for request, texts_G in zip(self.requests, texts_N_G, strict=True) for text in texts_G]
        formed = [self.domain.is_well_formed(request, text) for request, text in pairs]
        on_topic = [self.domain.is_on_topic(request, text) for request, text in pairs]
        known = [topical for topical in on_topic if topical is not None]
        words = [len(text.split()) for _, text in pairs]
        figures: dict[str, tuple[float | None, str]] = {
            "format": (fmean(formed), "share of answers that have the form asked for"),
            "on_topic": (fmean(known) if known else None, "share of answers that are about what was asked"),
            "words": (fmean(words), "mean words of an answer"),
            "distinct_1": (_mean_distinct(texts_N_G, 1), "different words / words of a request's answers, mean"),
            "distinct_2": (
                _mean_distinct(texts_N_G, 2),
                "the same of pairs of words",
            ),
        }
        for name, (value, meaning) in figures.items():
            if value is not None:
                yield Metric(f"instrument/answers/{name}", value, definition=f"{meaning}; {self._setting()}")


def duel(
    qualities_N_G: Sequence[Sequence[float]], before_N_G: Sequence[Sequence[float]], setting: str, seed: int
) -> list[Metric]:
    """Every answer against every answer of the initial policy to the same request: the better quality wins."""
    rate, low, high, tied = stratified_win_rates(qualities_N_G, before_N_G, seed)
    if low == high:  # each request's answers are all equally good: a bootstrap knows no other world
        samples = sum(map(len, qualities_N_G))
        low, high = wilson(rate * samples, samples)
    setting = f"by hidden quality against the initial policy's answers to the same requests; {setting} and side"
    definition = (
        f"(wins + half the ties) / pairings {setting}, every pairing of samples counted, requests weigh the same; 95 % "
        "interval: bootstrap over the samples of each request, both sides (Wilson over samples where it has no width)"
    )
    return [
        Metric("duel/initial/win_rate", rate, low, high, definition),
        Metric("duel/initial/ties", tied, definition=f"share of pairings of equal quality, {setting}"),
    ]


def _mean_distinct(texts_N_G: Sequence[Sequence[str]], n: int) -> float | None:
    shares = [share for texts_G in texts_N_G if (share := distinct_n(texts_G, n)) is not None]
    return fmean(shares) if shares else None
