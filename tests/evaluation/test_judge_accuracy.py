"""The judge yardstick and self-preference with judges whose habits are known."""

import pytest

from selfplay.domains.open_ended import PromptFile, WordLists
from selfplay.evaluation.judge_accuracy import JudgeYardstick
from selfplay.evaluation.self_preference import SelfPreferenceYardstick
from selfplay.samplers.scripted import Scripted
from selfplay.types import Turn
from tests.noting import Noting

DOMAIN = WordLists(categories=["animals"])


def texts_of(prompt) -> tuple[str, str]:
    first, second = str(prompt).split(" : ")[1].split(" | ")
    return first, second


def quality(text: str) -> float:
    (request,) = DOMAIN.held_out_requests(1, 0)
    return DOMAIN.quality(request, text) or 0.0


def knows(prompt, k: int) -> str:
    first, second = texts_of(prompt)
    return "A" if quality(first) > quality(second) else "B"


def measure(judge, n: int = 40) -> dict[str, float]:
    found = JudgeYardstick(DOMAIN, n=n).measure(Scripted({"judge": judge}))
    return {metric.name: metric.value for metric in found.metrics}


def test_a_judge_that_knows():
    assert measure(knows) == {
        "yardstick/judge/accuracy": 1.0,
        "instrument/judge/order_flips": 0.0,
        "instrument/judge/first_share": 0.5,
        "instrument/judge/unreadable": 0.0,
    }


def test_a_judge_that_takes_the_first():
    assert measure(lambda prompt, k: "A") == {
        "yardstick/judge/accuracy": 0.5,
        "instrument/judge/order_flips": 1.0,
        "instrument/judge/first_share": 1.0,
        "instrument/judge/unreadable": 0.0,
    }


def test_a_judge_that_cannot_be_read_is_wrong():
    values = measure(lambda prompt, k: "perhaps")
    assert values == {"yardstick/judge/accuracy": 0.0, "instrument/judge/unreadable": 1.0}


def test_equal_scores_get_wilsons_interval_and_the_definition_says_what_was_done():
    found = JudgeYardstick(DOMAIN, n=40).measure(Scripted({"judge": knows}))
    accuracy = found.metrics[0]
    assert accuracy.low == pytest.approx(0.912, abs=0.001)
    assert "40 pairs" in accuracy.definition
    assert "both orders" in accuracy.definition


def test_pairs_are_the_same_for_the_same_seed_and_each_has_a_better_one():
    pairs, again, others = (WordLists().held_out_pairs(30, seed) for seed in (1, 1, 2))
    assert pairs == again != others
    domain = WordLists()
    for pair in pairs:
        assert (domain.quality(pair.request, pair.better) or 0) > (domain.quality(pair.request, pair.worse) or 0)


def test_a_domain_without_known_pairs_is_refused(tmp_path):
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "Hello"}')
    with pytest.raises(ValueError, match="knows no pair"):
        JudgeYardstick(PromptFile(str(tmp_path / "prompts.jsonl")))


BEFORE, NOW = ["cat owl", "dog red", "hen hen hen"], ["bee fox", "pig hat", "cow"]
"""Qualities 2, 0, -1 and 2, 0, 1: two equal pairs of equal length; the third has none."""


def preference(judge) -> dict[str, float]:
    yardstick = SelfPreferenceYardstick(DOMAIN, samples=3)
    before = yardstick.measure(Scripted({"actor": BEFORE, "judge": judge}))
    assert before.metrics == ()
    found = yardstick.measure(Scripted({"actor": NOW, "judge": judge}), before)
    return {metric.name: metric.value for metric in found.metrics}


@pytest.mark.parametrize(
    ("judge", "share"),
    [
        (lambda prompt, k: "A", 0.5),
        (lambda prompt, k: "A" if texts_of(prompt)[0] in NOW else "B", 1.0),
        (lambda prompt, k: "B" if texts_of(prompt)[0] in NOW else "A", 0.0),
        (lambda prompt, k: "perhaps", 0.5),
    ],
)
def test_preference_for_own_answers_of_equal_quality(judge, share):
    assert preference(judge) == {"instrument/own/preference": share}


def test_no_equal_pair_means_no_figure():
    yardstick = SelfPreferenceYardstick(DOMAIN, samples=2)
    before = yardstick.measure(Scripted({"actor": ["cat"], "judge": "A"}))
    assert yardstick.measure(Scripted({"actor": ["cat owl"], "judge": "A"}), before).metrics == ()


def test_a_scored_judge_is_measured_by_its_scores():
    """It learned the deciding token and no end: what it would write behind that is not looked at."""

    class Scoring(Noting):
        def choose(self, role, prompts_N, choices, n=1, *, temperature=None):
            self.chosen = (role, len(prompts_N), list(choices), n, temperature)
            return [[Turn(role, prompt, knows(prompt, 0))] for prompt in prompts_N]

    sampler = Scoring({"judge": ["A and so on"]})
    found = JudgeYardstick(DOMAIN, n=10, verdicts="scored").measure(sampler)
    assert sampler.chosen == ("judge", 20, ["A", "B"], 1, 1.0)
    assert sampler.calls == []
    assert found.metrics[0].value == 1.0
    assert "verdicts scored" in found.metrics[0].definition
    assert JudgeYardstick(DOMAIN, n=10).measure(sampler).metrics[0].value == 0.0


def test_the_judge_is_shown_what_the_game_shows():
    sampler = Noting({"judge": ["A"]})
    JudgeYardstick(DOMAIN, n=1, answer_chars=1).measure(sampler)
    ((_, prompts, _),) = sampler.calls
    assert prompts == ["judge animals : + | +"] * 2  # too long to be shown
