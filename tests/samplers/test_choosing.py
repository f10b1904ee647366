"""Drawing one of given replies: the probabilities are the model's, renormalised, and one forward gives them all."""

# pyright: reportArgumentType=false, reportOptionalSubscript=false, reportOptionalIterable=false
# A chosen turn of a model always has ids and log-probabilities; their types allow None for turns that were written.
from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from selfplay.policy import PROJECTIONS, Policy
from selfplay.samplers import choosing
from selfplay.samplers.choosing import parting
from selfplay.samplers.hf import HFSampler
from tests.samplers.conftest import ROLES
from tests.samplers.test_hf import PROMPTS, TARGETS, learner_logprobs
from tests.test_policy import moved

BOXES = ["x{1}", "x{2}", "x{0}"]


@pytest.mark.parametrize("architecture", ["llama", "qwen3", "mistral", "lfm2"])
@pytest.mark.parametrize(("merge", "rows"), [("always", 512), ("never", 512), ("always", 2)])
def test_the_probabilities_are_those_of_the_scores(bases, architecture, merge, rows):
    """After what the choices share, in one token: the scores of the deciding tokens, renormalised, are the same."""
    policy = moved(Policy.build(bases[architecture], ROLES, targets=TARGETS.get(architecture, PROJECTIONS)))
    sampler = HFSampler(policy, 8, merge=merge, rows=rows)
    for choices, shared in ((["A", "B"], ""), (BOXES, "x{")):
        heads = [choice[: len(shared) + 1] for choice in choices]
        scores_N_C = torch.tensor(sampler.score("solver", PROMPTS, heads), dtype=torch.float64)
        expected_N_C = torch.log_softmax(scores_N_C, -1).tolist()  # what they share is the same for all
        turns_N_G = sampler.choose("solver", PROMPTS, choices, 6)
        for prompt, expected_C, turns_G in zip(PROMPTS, expected_N_C, turns_N_G, strict=True):
            for turn in turns_G:
                assert (turn.role, turn.prompt, turn.stopped, len(turn.text_ids)) == ("solver", prompt, True, 1)
                assert turn.logprobs == pytest.approx([expected_C[choices.index(turn.text)]], abs=1e-4)
                whole = policy.tokenizer.decode([*turn.prompt_ids, *turn.text_ids])
                assert whole.endswith("<|assistant|>" + turn.text[: len(shared) + 1])


def test_draws_follow_the_probabilities(policy):
    turns = HFSampler(policy, 1).choose("solver", ["a"], ["1", "2", "3"], 4000)[0]
    shares = {turn.text: math.exp(turn.logprobs[0]) for turn in turns}
    assert sum(shares.values()) == pytest.approx(1)
    for text, times in Counter(turn.text for turn in turns).items():
        mean = 4000 * shares[text]
        assert abs(times - mean) < 4.5 * mean**0.5


def test_temperature_flattens_and_zero_takes_the_likeliest(policy):
    sampler = HFSampler(policy, 1)
    plain = {turn.text: turn.logprobs[0] for turn in sampler.choose("solver", ["a"], ["1", "2"], 200)[0]}
    warm = {t.text: t.logprobs[0] for t in sampler.choose("solver", ["a"], ["1", "2"], 200, temperature=2)[0]}
    assert warm["1"] - warm["2"] == pytest.approx((plain["1"] - plain["2"]) / 2, abs=1e-4)
    greedy = sampler.choose("solver", ["a"], ["1", "2"], 3, temperature=0)[0]
    assert [turn.text for turn in greedy] == [max(plain, key=lambda text: plain[text])] * 3
    assert greedy[0].logprobs == pytest.approx([max(plain.values())])


def test_a_draw_does_not_depend_on_its_batch_and_begin_decides(policy):
    def said(rows: int, key: int = 1) -> list[list[str]]:
        sampler = HFSampler(policy, 1, rows=rows)
        sampler.begin(key)
        return [[t.text for t in turns_G] for turns_G in sampler.choose("solver", PROMPTS, ["1", "2"], 20)]

    together = said(512)
    assert said(1) == said(3) == together
    assert said(512, key=2) != together


def test_every_prompt_goes_through_the_model_once(policy, monkeypatch):
    sampler = HFSampler(policy, 1, merge="never")
    seen: list[torch.Size] = []
    forward = policy.base.forward

    def noting(input_ids, past_key_values=None, logits_to_keep=0, position_ids=None, **words):
        seen.append(input_ids.shape)
        return forward(input_ids=input_ids, logits_to_keep=logits_to_keep, position_ids=position_ids, **words)

    monkeypatch.setattr(policy.base, "forward", noting)
    sampler.choose("solver", ["a", "b", "a"], BOXES, 50)
    assert seen == [torch.Size([2, 3 + 2])]  # the two distinct prompts, and "x{" behind each
    seen.clear()
    sampler.choose("solver", ["a", "a" * 40, "b", "b" * 39], ["A", "B"], 50)
    assert seen == [torch.Size([2, 3]), torch.Size([2, 42])], "alike in length, so that little is padded"


def test_what_trains_and_global_randomness_are_left_alone(policy):
    policy.model.train()
    policy.wear("proposer")
    before, state = policy.base_digest(), torch.get_rng_state()
    HFSampler(policy, 8, merge="never").choose("solver", PROMPTS, ["1", "2"], 3)
    assert (policy.worn, policy.base_digest()) == ("proposer", before)
    assert all(module.training for module in policy.model.modules())
    assert torch.equal(torch.get_rng_state(), state)


def test_the_learner_sees_the_deciding_token_and_what_the_others_would_have_had(policy):
    """Its own log-probability is lower by the log of the mass on all choices: nothing was sampled outside them."""
    turns = HFSampler(policy, 1).choose("solver", ["a"], BOXES, 60)[0]
    by_text = {turn.text: turn for turn in turns}
    assert set(by_text) == set(BOXES)
    policy.wear("solver")
    own = {text: learner_logprobs(policy, turn.prompt_ids, turn.text_ids).item() for text, turn in by_text.items()}
    mass = math.log(sum(math.exp(nats) for nats in own.values()))
    assert mass < -0.1
    for text, turn in by_text.items():
        assert turn.logprobs == pytest.approx([own[text] - mass], abs=1e-4)


def test_a_rank_without_prompts_goes_through_the_model_as_often_as_the_others(policy, monkeypatch):
    """ZeRO-3: a rank that makes one call fewer hangs the job."""
    sampler = HFSampler(policy, 1, merge="never")
    others_left = iter([True, True, False])
    calls: list[int] = []
    monkeypatch.setattr(policy, "any_rank", lambda mine: mine or next(others_left))
    score = choosing.choice_logprobs
    monkeypatch.setattr("selfplay.samplers.hf.choice_logprobs", lambda *w: calls.append(len(w[1])) or score(*w))
    assert sampler.choose("solver", [], ["1", "2"], 3) == []
    assert calls == [1, 1]


def test_nothing_asked_is_nothing_said(policy):
    assert HFSampler(policy, 8).choose("solver", [], ["1", "2"], 3) == []


@pytest.mark.parametrize(
    ("choices", "ids", "fault"),
    [
        (["1"], [[5]], "give two or more"),
        ([], [], "give two or more"),
        (["1", "1"], [[5], [5]], "part at the same token"),
        (["1", "12"], [[5], [5, 6]], "part at the same token"),
        (["1", ""], [[5], []], "part at the same token"),
        (["12", "13", "2"], [[5, 6], [5, 7], [6]], "part at the same token"),
    ],
)
def test_choices_that_cannot_be_told_apart_at_one_token(choices, ids, fault):
    with pytest.raises(ValueError, match=fault):
        parting(choices, ids)


def test_bad_calls_are_named(policy):
    sampler = HFSampler(policy, 8)
    with pytest.raises(ValueError, match="n=0 samples"):
        sampler.choose("solver", ["a"], ["1", "2"], 0)
    with pytest.raises(ValueError, match=r"temperature=-1"):
        sampler.choose("solver", ["a"], ["1", "2"], temperature=-1)
