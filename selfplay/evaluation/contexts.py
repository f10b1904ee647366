"""The contexts yardstick: what a skill is worth on held-out tasks of its context, beside no skill and controls.

    contexts x tasks --sampler, once an arm--> answers --truth--> shares solved, paired gains, bootstrap over contexts

Suffixes: ``_C`` contexts, ``_N`` all tasks of all contexts, ``_G`` samples of one task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from selfplay.evaluation.metrics import Metric
from selfplay.evaluation.records import SHARE, Answer, Records
from selfplay.evaluation.statistics import bootstrap_mean, mean_interval
from selfplay.types import Context, ContextDomain, Sampler, Turn, prompt_text

ARMS = {
    "no_skill": "without a skill",
    "true_skill": "with the true rules of the whole document as the skill",
    "random_rule": "with one random true rule of the same document as the skill (control)",
    "random_rules": "with as many random true rules of the same document as its selected skill has (control)",
    "other_context": "with the skill of another context (control)",
}
"""What the selected skill is measured beside; ``yardstick/contexts/solved_<arm>``."""

SELECTED = "selected"
"""The arm with the selected skill, as ``arms`` names it."""

CONDITIONS = {"solved": "skill", "solved_no_skill": "none", "solved_true_skill": "true rules"}
"""What the records call an arm; an arm's own name otherwise."""

CONTROLS = ("random_rule", "random_rules", "other_context")


@dataclass(frozen=True)
class Solved:
    """What the yardstick saw: the share of answers that are right, by arm and context."""

    contexts_C: tuple[Context, ...]
    shares: dict[str, tuple[float, ...]]  # {"solved": (0.75, 1.0), "solved_no_skill": (0.5, 0.75)}: each (C,)
    metrics: tuple[Metric, ...]
    records: Records | None = None


class ContextsYardstick:
    """Share of held-out tasks solved with the selected skill, without, with the true one, and with controls.

    Args:
        domain: gives contexts, held-out tasks, the truth, true skills and random rules.
        skills: context key -> the text of its selected skill; a context without an entry gets none. It is read anew at
            each measurement, so a mapping that a game fills may be handed in, as a run of Ctx2Skill does. None leaves
            out what needs skills.
        split: whose contexts.
        contexts: most contexts, the first ones.
        tasks: held-out tasks of each.
        samples: answers to each task.
        seed: picks tasks and random rules, seeds the sampling and the bootstrap.
        temperature: of the answers.
        role: who answers.
        arms: which of ``selected`` and ``ARMS`` are measured, as far as there are skills for them; None = all.

    Raises:
        ValueError: a number out of range, an unknown arm, or a domain that does not know the truth.
    """

    def __init__(
        self,
        domain: ContextDomain,
        skills: Mapping[str, str] | None = None,
        split: str = "train",
        contexts: int = 40,
        tasks: int = 36,
        samples: int = 1,
        seed: int = 0,
        temperature: float = 1.0,
        role: str = "reasoner",
        arms: Sequence[str] | None = None,
    ) -> None:
        for arm in arms or ():
            if arm not in (SELECTED, *ARMS):
                raise ValueError(f"arms: {arm!r} is unknown; choose among {', '.join((SELECTED, *ARMS))}.")
        self.wished = None if arms is None else {"solved" if arm == SELECTED else f"solved_{arm}" for arm in arms}
        for name, value in (("contexts", contexts), ("tasks", tasks), ("samples", samples)):
            if value < 1:
                raise ValueError(f"{name}={value} must be at least 1.")
        if temperature < 0:
            raise ValueError(f"temperature={temperature} must not be below 0.")
        self.domain, self.skills, self.samples, self.seed = domain, skills, samples, seed
        self.temperature, self.role = temperature, role
        self.contexts = domain.contexts(split)[:contexts]
        self.tasks_C = [domain.held_out_tasks(context, tasks, seed) for context in self.contexts]
        self.split = split
        self.roles: Sequence[str] = (role,)
        for context, tasks_of in zip(self.contexts, self.tasks_C, strict=True):
            if not tasks_of or domain.truth(context, tasks_of[0], "") is None:
                raise ValueError(
                    f"context {context.key!r} has no held-out task whose truth is known, so this yardstick cannot "
                    "measure; leave it out of evaluation.yardsticks."
                )

    @property
    def texts(self) -> int:
        """How many one measurement samples."""
        return len(self._arms()) * sum(map(len, self.tasks_C)) * self.samples

    def measure(self, sampler: Sampler, before: Solved | None = None) -> Solved:
        """One call of ``sampler.sample`` an arm; call it on every rank or on none.

        Every arm starts from the same random key, so that two arms differ by the skill alone.

        Args:
            before: not used; every arm is measured against the same policy without a skill.
        """
        answers = {arm: self._answers(sampler, skills_C, arm) for arm, skills_C in self._arms().items()}
        shares = {arm: self._shares(answers_N) for arm, answers_N in answers.items()}
        return Solved(tuple(self.contexts), shares, tuple(self._metrics(shares)), self._records(answers))

    def _arms(self) -> dict[str, list[str]]:
        """The skill of each context, by arm; an arm that the domain or the caller has no skills for is left out."""
        arms: dict[str, list[str | None]] = {"solved_no_skill": ["" for _ in self.contexts]}
        arms["solved_true_skill"] = [self.domain.true_skill(context) for context in self.contexts]
        arms["solved_random_rule"] = [self.domain.random_rule(context, self.seed) for context in self.contexts]
        if self.skills is not None:
            mined = [self.skills.get(context.key, "") for context in self.contexts]
            arms["solved"] = [*mined]
            arms["solved_random_rules"] = [
                self.domain.random_rules(context, self.seed, skill)
                for context, skill in zip(self.contexts, mined, strict=True)
            ]
            if len(self.contexts) > 1:
                arms["solved_other_context"] = [*mined[1:], mined[0]]
        return {
            arm: [skill for skill in skills_C if skill is not None]
            for arm, skills_C in arms.items()
            if None not in skills_C and (self.wished is None or arm in self.wished)
        }

    def _answers(self, sampler: Sampler, skills_C: Sequence[str], arm: str) -> list[Answer]:
        """All answers of an arm, context by context."""
        prompts_N = [
            self.domain.reason_prompt(context, skill, task)
            for context, skill, tasks in zip(self.contexts, skills_C, self.tasks_C, strict=True)
            for task in tasks
        ]
        sampler.begin("yardstick", "contexts", self.seed)
        turns_N_G = iter(sampler.sample(self.role, prompts_N, n=self.samples, temperature=self.temperature))
        return [
            self._answer(context, f"{place}: {task}", task, sample, turn, arm)
            for context, tasks in zip(self.contexts, self.tasks_C, strict=True)
            for place, task in enumerate(tasks)
            for sample, turn in enumerate(next(turns_N_G))
        ]

    def _answer(self, context: Context, name: str, task: str, sample: int, turn: Turn, arm: str) -> Answer:
        return Answer(
            request=f"{context.key}/{name}",
            stratum=context.key,
            sample=sample,
            score=float(self.domain.truth(context, task, turn.text) is True),
            prompt=prompt_text(turn.prompt),
            text=turn.text,
            condition=CONDITIONS.get(arm, arm.removeprefix("solved_")),
            own=arm == ("solved" if self.skills is not None else "solved_no_skill"),
        )

    def _shares(self, answers_N: Sequence[Answer]) -> tuple[float, ...]:
        """The share of right answers in each context, (C,)."""
        scores: dict[str, list[float]] = {context.key: [] for context in self.contexts}
        for answer in answers_N:
            scores[answer.stratum].append(answer.score)
        return tuple(fmean(scores[context.key]) for context in self.contexts)

    def _records(self, answers: Mapping[str, Sequence[Answer]]) -> Records:
        meaning = (
            "share of right answers, with the selected skill of each context where the policy has mined some, without "
            f"a skill otherwise; {self._asked()}"
        )
        return Records(tuple(one for arm in answers.values() for one in arm), "strata", SHARE, meaning, (0.0, 1.0))

    def _metrics(self, shares: Mapping[str, Sequence[float]]) -> Iterator[Metric]:
        meanings = {"solved": "with the selected skill of the context, none where none was selected"}
        meanings |= {f"solved_{arm}": meaning for arm, meaning in ARMS.items()}
        for arm, values_C in shares.items():
            low, high = mean_interval(values_C, self.seed)
            definition = f"share of right answers {meanings[arm]}; {self._setting()} (Wilson where all are alike)"
            yield Metric(f"yardstick/contexts/{arm}", fmean(values_C), low, high, definition)
        for other in ("no_skill", *CONTROLS):
            if "solved" in shares and f"solved_{other}" in shares:
                pairs = zip(shares["solved"], shares[f"solved_{other}"], strict=True)
                gains_C = [with_skill - without for with_skill, without in pairs]
                low, high = bootstrap_mean(gains_C, self.seed)
                definition = (
                    f"share solved with the selected skill minus share {ARMS[other]}; {self._setting()}, paired"
                )
                yield Metric(f"yardstick/contexts/gain_over_{other}", fmean(gains_C), low, high, definition)

    def _setting(self) -> str:
        return f"{self._asked()}; 95 % interval: bootstrap over contexts"

    def _asked(self) -> str:
        tasks = sum(map(len, self.tasks_C))
        return (
            f"{tasks} held-out tasks of {len(self.contexts)} contexts ({self.split}), n={self.samples} samples of each "
            f"at temperature {self.temperature:g}"
        )
