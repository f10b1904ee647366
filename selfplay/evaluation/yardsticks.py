"""Yardsticks: what a policy can do on held-out problems, measured by ground truth and never paid for.

    problems_N --sampler, once at T, once greedy--> answers_N_G --truth--> right counts --> metrics with intervals

Suffixes: ``_N`` problems, ``_G`` samples of one problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from selfplay.evaluation.duels import Duel
from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.records import SHARE, Answer, Records
from selfplay.evaluation.statistics import mean_interval, pass_at_k, plurality
from selfplay.types import Domain, Problem, Sampler, Turn, prompt_text


@dataclass(frozen=True)
class Measurement:
    """What a yardstick saw, kept whole so that a duel needs no new samples."""

    problems_N: tuple[Problem, ...]
    answers_N_G: tuple[tuple[str | None, ...], ...]  # in the domain's normal form; None = unreadable
    greedy_N: tuple[str | None, ...]
    right_N: tuple[int, ...]  # right ones among the samples of each problem, e.g. 5 of 8
    samples: int  # the length of _G, e.g. 8
    metrics: tuple[Metric, ...]
    records: Records | None = None  # of the samples, not of the greedy answers


@dataclass(frozen=True)
class _Scored:
    """One problem with its four scores, each in [0, 1]."""

    level: int
    scores: dict[str, float]  # {"pass@1": 0.625, "greedy": 1.0, "maj@8": 1.0, "pass@8": 1.0}


class ArithmeticYardstick:
    """pass@1, greedy, maj@k and pass@k on held-out problems, overall and for each operand length.

    Each problem counts the same in the overall number: one-digit sums are few (about six are held out), and counting
    each operand length the same would hand a third of the number to those six.

    Args:
        domain: gives the held-out problems and the truth.
        per_level: problems of each operand length; a length with fewer gives all it has.
        samples: answers sampled for each problem.
        seed: picks the problems, seeds the sampling and the bootstrap; the same at every measurement of a run.
        temperature: of the samples.
        role: who answers.

    Raises:
        ValueError: a domain without problems, none of them held out, fewer than two samples, a temperature of zero, or
            a problem whose truth is unknown.
    """

    def __init__(
        self,
        domain: Domain,
        per_level: int = 40,
        samples: int = 8,
        seed: int = 0,
        temperature: float = 1.0,
        role: str = "solver",
    ) -> None:
        if per_level < 1:
            raise ValueError(f"per_level={per_level} must be at least 1: problems measured of each operand length.")
        if samples < 2:
            raise ValueError(f"samples={samples} must be at least 2: a majority of one is no majority. Try 8.")
        if temperature <= 0:
            raise ValueError(f"temperature={temperature} must be above 0; greedy is measured besides.")
        if not hasattr(domain, "held_out_problems"):
            raise ValueError(
                f"domain={type(domain).__name__} has no problems with known answers to measure on; choose "
                "evaluation=none, or domain=arithmetic."
            )
        self.domain, self.samples, self.seed, self.temperature, self.role = domain, samples, seed, temperature, role
        self.roles: Sequence[str] = (role,)
        levels = domain.held_out_problems(per_level, seed)
        self.problems: list[Problem] = [problem for level in sorted(levels) for problem in levels[level]]
        if not self.problems:
            raise ValueError("the domain holds out no problem, so there is nothing to measure; raise domain.digits.")
        for problem in self.problems:
            if domain.is_right(problem, problem.truth) is not True:
                raise ValueError(f"held-out problem {problem.text!r} has no known truth; a yardstick needs one.")

    @property
    def texts(self) -> int:
        """How many one measurement samples."""
        return len(self.problems) * (self.samples + 1)

    def measure(
        self, sampler: Sampler, before: Measurement | None = None, problems: Sequence[Problem] | None = None
    ) -> Measurement:
        """Two calls of ``sampler.sample``, whatever the problems; call it on every rank or on none.

        Every measurement starts from the same random key, so that two of them differ by the policy alone.

        Args:
            before: the frozen base's measurement, to duel with.
            problems: instead of all of ``self.problems``.
        """
        problems_N = tuple(self.problems if problems is None else problems)
        prompts_N = [self.domain.solve_prompt(problem) for problem in problems_N]
        sampler.begin("yardstick", "arithmetic", self.seed)
        turns_N_G = sampler.sample(self.role, prompts_N, n=self.samples, temperature=self.temperature)
        greedy_N_1 = sampler.sample(self.role, prompts_N, n=1, temperature=0.0)
        answers_N_G = tuple(tuple(self.domain.read_answer(turn.text) for turn in turns_G) for turns_G in turns_N_G)
        greedy_N = tuple(self.domain.read_answer(turn.text) for (turn,) in greedy_N_1)
        right_N = tuple(
            sum(self._is_right(problem, answer) for answer in answers_G)
            for problem, answers_G in zip(problems_N, answers_N_G, strict=True)
        )
        scored_N = [
            _Scored(problem.level, self._scores(problem, answers_G, greedy))
            for problem, answers_G, greedy in zip(problems_N, answers_N_G, greedy_N, strict=True)
        ]
        metrics, records = tuple(self._metrics(scored_N)), self._records(problems_N, turns_N_G, answers_N_G)
        measured = Measurement(problems_N, answers_N_G, greedy_N, right_N, self.samples, metrics, records)
        if before is None:
            return measured
        return replace(measured, metrics=(*measured.metrics, *Duel.against("base", before).fight(measured)))

    def _records(
        self,
        problems_N: Sequence[Problem],
        turns_N_G: Sequence[Sequence[Turn]],
        answers_N_G: Sequence[Sequence[str | None]],
    ) -> Records:
        answers = [
            Answer(
                request=problem.key,
                stratum=f"{problem.level} digit{'s' if problem.level > 1 else ''}",
                sample=sample,
                score=float(self._is_right(problem, answer)),
                prompt=prompt_text(turn.prompt),
                text=turn.text,
            )
            for problem, turns_G, answers_G in zip(problems_N, turns_N_G, answers_N_G, strict=True)
            for sample, (turn, answer) in enumerate(zip(turns_G, answers_G, strict=True))
        ]
        meaning = f"{self._meanings()['pass@1']}; {len(problems_N)} held-out problems, each counting the same"
        return Records(tuple(answers), "requests", SHARE, meaning, (0.0, 1.0))

    def _is_right(self, problem: Problem, answer: str | None) -> bool:
        return self.domain.is_right(problem, answer) is True

    def _scores(self, problem: Problem, answers_G: Sequence[str | None], greedy: str | None) -> dict[str, float]:
        right = sum(self._is_right(problem, answer) for answer in answers_G)
        return {
            "pass@1": pass_at_k(self.samples, right, 1),
            "greedy": float(self._is_right(problem, greedy)),
            f"maj@{self.samples}": float(self._is_right(problem, plurality(answers_G))),
            f"pass@{self.samples}": pass_at_k(self.samples, right, self.samples),
        }

    def _metrics(self, scored_N: Sequence[_Scored]) -> Iterator[Metric]:
        """Overall first, then each operand length."""
        if scored_N:
            yield from self._means("", "all operand lengths, each problem counting the same", scored_N)
        for level in sorted({scored.level for scored in scored_N}):
            which = f"longest operand of {level} digit{'s' if level > 1 else ''}"
            yield from self._means(f"/digits_{level}", which, [s for s in scored_N if s.level == level])

    def _means(self, suffix: str, which: str, scored_N: Sequence[_Scored]) -> Iterator[Metric]:
        for score, meaning in self._meanings().items():
            values_N = [scored.scores[score] for scored in scored_N]
            low, high = mean_interval(values_N, self.seed)
            definition = (
                f"{meaning}; {len(values_N)} held-out problems, {which}; 95 % interval: bootstrap over problems "
                "(Wilson where every problem scored the same)"
            )
            name = f"yardstick/arithmetic/{score}{suffix}"
            yield Metric(name, sum(values_N) / len(values_N), low, high, definition)

    def _meanings(self) -> dict[str, str]:
        n, at = self.samples, f"temperature {self.temperature:g}"
        return {
            "pass@1": f"mean share of right answers among n={n} samples at {at} (k=1)",
            "greedy": "share of problems answered rightly by greedy decoding (temperature 0, k=n=1)",
            f"maj@{n}": f"share of problems whose most frequent answer among n={n} samples at {at} is right (a tie "
            "goes to the answer met first; an unreadable answer never wins)",
            f"pass@{n}": f"share of problems with a right answer among n={n} samples at {at} (k={n})",
        }
