"""Cross-time Replay over pairs (adapter checkpoint, skill version): which weights with which skills.

    probes of the run --every adapter, with the skills of every step--> answers --frozen judge--> scores --> best pair

Ctx2Skill (arXiv 2604.27660) replays skill versions under one frozen model. Where weights learn as well a version is
worth something under certain weights only, so pairs compete: the score of a pair is the same Laplace product as within
a visit (`roles/replay.py`), averaged over contexts, and of equal pairs the earliest wins. All pairs answer the same
probes and one judge, the frozen base, grades them all: neither a trained judge nor the truth has a say.
Suffix: ``_C`` contexts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from selfplay.roles.replay import Combine, Probe, tally
from selfplay.roles.rubrics import By, is_solved
from selfplay.roles.verdicts import judged_text
from selfplay.types import Context, ContextDomain, Grading, Sampler, Turn


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Windows after which the adapters were saved and the skills chosen; 0 = the bare base, no skill."""

    adapters: int
    skills: int


@dataclass(frozen=True)
class Probes:
    """What is replayed, and how it is counted."""

    domain: ContextDomain
    contexts_C: Sequence[Context]
    probes_C: Sequence[Sequence[Probe]]
    by: By = "rubrics"
    combine: Combine = "product"
    seed: int = 0

    def answers(self, reasoner: Sampler, skills_C: Sequence[str]) -> list[list[str | None]]:
        """Each context's answers to its probes, None where none came; all from the same random key."""
        prompts = [
            self.domain.reason_prompt(context, skill, probe.task)
            for context, skill, probes in zip(self.contexts_C, skills_C, self.probes_C, strict=True)
            for probe in probes
        ]
        reasoner.begin("replay", self.seed)
        turns = iter(reasoner.sample("reasoner", prompts))
        return [[_said(next(turns)[0]) for _ in probes] for probes in self.probes_C]

    def score(self, judge: Sampler, answers_C: Sequence[Sequence[str | None]]) -> float:
        """Mean over contexts of the product of both Laplace shares; an answer or a verdict that never came is not
        counted."""
        asked = [
            (probe, answer)
            for probes, answers in zip(self.probes_C, answers_C, strict=True)
            for probe, answer in zip(probes, answers, strict=True)
        ]
        prompts = [self.domain.judge_prompt(probe.task, probe.rubrics, answer or "") for probe, answer in asked]
        judge.begin("replay", self.seed)
        said = judge.sample("judge", prompts)
        outcomes = iter(
            None if answer is None or turn.failure else self._outcome(probe, self.domain.read_verdicts(turn.text))
            for (probe, answer), (turn,) in zip(asked, said, strict=True)
        )
        return fmean(
            tally([probe.kind for probe in probes], [next(outcomes) for _ in probes]).score(self.combine)
            for probes in self.probes_C
        )

    def _outcome(self, probe: Probe, grading: Grading | None) -> bool | None:
        matches = grading is not None and len(grading.statuses) == len(probe.rubrics)
        return is_solved(grading, self.by) if grading is not None and matches else None


def best_pair(scores: Mapping[Pair, float], no_skill: bool = False) -> Pair:
    """The highest score; of several the earliest adapters, then the earliest skills.

    Args:
        no_skill: whether pairs without a skill compete, which the paper does not let them: a hard probe is a task that
            failed with a skill, so no skill has an edge there that it has nowhere else.

    >>> scores = {Pair(10, 10): 0.8, Pair(10, 0): 0.8, Pair(20, 20): 0.7}
    >>> best_pair(scores), best_pair(scores, no_skill=True)
    (Pair(adapters=10, skills=10), Pair(adapters=10, skills=0))
    """
    return max(sorted(pair for pair in scores if pair.skills or no_skill), key=lambda pair: scores[pair])


def _said(turn: Turn) -> str | None:
    return None if turn.failure else judged_text(turn.text)
