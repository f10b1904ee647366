"""The answers yardstick by hand, its duel against a naive count, and the coverage of its intervals by simulation."""

from itertools import product
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.domains.open_ended import PromptFile, WordLists
from selfplay.evaluation.answers import Answered, AnswersYardstick, duel
from selfplay.evaluation.statistics import stratified_interval, stratified_win_rates
from tests.evaluation.fakes import Replies

DOMAIN = WordLists(categories=["animals", "tools"])

SAID = {
    "list animals": ["cat owl", "cat cat", "cat red", "1+2 cat"],  # qualities 2 0 0 0
    "list tools": ["saw", "saw axe rake", "", "hat"],  # 1 3 0 -1
}


def measured(said=None, before: Answered | None = None) -> tuple[Answered, dict[str, float]]:
    sampler = Replies(said or SAID, {})
    found = AnswersYardstick(DOMAIN, samples=4, seed=3).measure(sampler, before)
    assert sampler.calls == [("begin", "yardstick", "answers", 3), ("actor", 2, 4, 1.0)]
    return found, {metric.name: metric.value for metric in found.metrics}


def test_every_figure_by_hand():
    _, values = measured()
    assert values == pytest.approx(
        {
            "yardstick/answers/quality": (2 / 4 + 3 / 4) / 2,
            "instrument/answers/format": 6 / 8,  # "1+2 cat" and the empty one are no lists
            "instrument/answers/on_topic": 6 / 8,  # the empty one and "hat" are not
            "instrument/answers/words": (2 + 2 + 2 + 2 + 1 + 3 + 0 + 1) / 8,
            "instrument/answers/distinct_1": (4 / 8 + 4 / 5) / 2,
            "instrument/answers/distinct_2": (4 / 4 + 2 / 2) / 2,
        }
    )


def test_the_duel_counts_every_pairing_and_weighs_requests_alike():
    before, _ = measured()
    better = {"list animals": ["cat owl hen", "cat", "cat", "red"], "list tools": ["saw axe", "saw", "hat", "hat hat"]}
    _, values = measured(better, before)
    naive = []
    for prompt in SAID:
        request = next(r for r in DOMAIN.held_out_requests(9, 0) if r.prompt == prompt)
        now, then = ([DOMAIN.quality(request, text) for text in side[prompt]] for side in (better, SAID))
        naive.append(fmean((one > other) + (one == other) / 2 for one, other in product(now, then)))
    assert values["duel/initial/win_rate"] == pytest.approx(fmean(naive))
    assert 0 < values["duel/initial/ties"] < 1


def test_against_itself_nobody_wins():
    before, _ = measured()
    now, values = measured(before=before)
    assert values["duel/initial/win_rate"] == 0.5
    rate = next(metric for metric in now.metrics if metric.name == "duel/initial/win_rate")
    assert rate.low < 0.5 < rate.high
    assert "n=4 samples" in rate.definition
    assert "bootstrap" in rate.definition


def test_a_domain_without_quality_is_refused(tmp_path):
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "Hello"}')
    with pytest.raises(ValueError, match="knows no quality"):
        AnswersYardstick(PromptFile(str(tmp_path / "prompts.jsonl")))


@pytest.mark.parametrize("setting", [{"samples": 1}, {"requests": 0}, {"temperature": 0.0}])
def test_a_setting_that_cannot_work_is_refused(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        AnswersYardstick(DOMAIN, **setting)


QUALITIES = st.lists(st.integers(-3, 6), min_size=1, max_size=7)


@given(st.lists(st.tuples(QUALITIES, QUALITIES), min_size=1, max_size=3))
def test_win_rates_equal_a_naive_count(strata):
    ones, others = zip(*strata, strict=True)
    rate, low, high, ties = stratified_win_rates(ones, others, resamples=50)
    pairs = [list(product(one, other)) for one, other in strata]
    assert rate == pytest.approx(fmean(fmean((a > b) + (a == b) / 2 for a, b in side) for side in pairs))
    assert ties == pytest.approx(fmean(fmean(a == b for a, b in side) for side in pairs))
    assert 0 <= low <= high <= 1


def test_the_intervals_cover():
    """Of 400 simulated measurements about 95 % hold the truth; the bounds are four standard errors away."""
    rng = np.random.default_rng(0)
    shares = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.1, 0.1, 0.8]])
    other = np.array([[0.4, 0.3, 0.3], [0.5, 0.3, 0.2], [0.3, 0.3, 0.4]])
    rates = [sum(p * q * ((a > b) + (a == b) / 2) for (a, p), (b, q) in product(enumerate(s), enumerate(o)))
             for s, o in zip(shares, other, strict=True)]  # fmt: skip
    mean = fmean(float((row * np.arange(3)).sum()) for row in shares)
    held_rate = held_mean = 0
    for trial in range(400):
        now, then = ([rng.choice(3, size=32, p=row) for row in rows] for rows in (shares, other))
        _, low, high, _ = stratified_win_rates(now, then, seed=trial, resamples=400)
        held_rate += low <= fmean(rates) <= high
        low, high = stratified_interval(now, seed=trial, resamples=400)
        held_mean += low <= mean <= high
    assert 0.905 < held_rate / 400 < 0.99
    assert 0.905 < held_mean / 400 < 0.99


def test_an_actor_collapsed_to_one_quality_has_no_certain_win_rate():
    (win, _) = duel([[3.0] * 32], [[1.0] * 32], "here", seed=0)
    assert win.value == 1.0
    assert 0.85 < (win.low or 0) < 0.95
