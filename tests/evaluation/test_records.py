"""Every answer a yardstick keeps: the records say what the metrics say."""

from __future__ import annotations

from statistics import fmean

import pytest

from selfplay.domains.arithmetic import Arithmetic
from selfplay.domains.contexts import RuleBooks
from selfplay.domains.open_ended import WordLists
from selfplay.evaluation.answers import AnswersYardstick
from selfplay.evaluation.contexts import ContextsYardstick
from selfplay.evaluation.records import Recorded
from selfplay.evaluation.yardsticks import ArithmeticYardstick
from selfplay.types import Turn


class Says:
    """Replies in turn, whoever asks."""

    def __init__(self, *texts: str) -> None:
        self.texts, self.said = texts, 0

    def begin(self, *key):
        self.said = 0

    def sample(self, role, prompts_N, n=1, *, temperature=None):
        return [[Turn(role, prompt, self._next()) for _ in range(n)] for prompt in prompts_N]

    def _next(self):
        self.said += 1
        return self.texts[self.said % len(self.texts)]

    score = choose = None


@pytest.mark.parametrize(
    ("yardstick", "sampler", "metric", "drawn"),
    [
        (ArithmeticYardstick(Arithmetic(digits=1), samples=4), Says(">3", ">7", ">9"), "arithmetic/pass@1", "requests"),
        (AnswersYardstick(WordLists(), samples=4), Says("cat owl", "red", "cat cat"), "answers/quality", "samples"),
        (ContextsYardstick(RuleBooks(n=3), tasks=5, samples=2), Says("bom swap"), "contexts/solved_no_skill", "strata"),
    ],
)
def test_the_mean_of_ones_own_answers_is_the_metric(yardstick, sampler, metric, drawn):
    measured = yardstick.measure(sampler)
    assert isinstance(measured, Recorded)
    records = measured.records
    assert records is not None
    assert records.drawn == drawn
    own = [answer for answer in records.answers if answer.own]
    (value,) = (found.value for found in measured.metrics if found.name == f"yardstick/{metric}")
    assert fmean(answer.score for answer in own) == pytest.approx(value)
    assert len({(answer.request, answer.sample) for answer in own}) == len(own)
    assert all(answer.text in sampler.texts and answer.prompt for answer in own)


def test_a_policy_with_skills_plays_with_them_and_the_other_arms_are_controls():
    domain = RuleBooks(n=2)
    skills = {domain.contexts("train")[0].key: "bom swap"}
    yardstick = ContextsYardstick(domain, skills, tasks=3, arms=["selected", "no_skill"])
    records = yardstick.measure(Says("bom")).records
    assert records is not None
    assert yardstick.texts == len(records.answers) == 2 * 2 * 3
    assert {(answer.condition, answer.own) for answer in records.answers} == {("skill", True), ("none", False)}


def test_an_unknown_arm_is_refused():
    with pytest.raises(ValueError, match="arms: 'skill' is unknown; choose among selected, no_skill"):
        ContextsYardstick(RuleBooks(n=1), arms=["skill"])
