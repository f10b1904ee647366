"""The transformers sampler: right tokens, right log-probabilities, and no trace left in what trains."""

# pyright: reportArgumentType=false, reportCallIssue=false, reportOptionalSubscript=false
# A sampled turn always has ids and log-probabilities; their types allow None for turns that were written.
from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch

from selfplay.policy import PROJECTIONS, Policy
from selfplay.samplers import decode
from selfplay.samplers.hf import HFSampler
from selfplay.types import Raw, Turn
from tests.samplers.conftest import ROLES
from tests.test_policy import moved
from tests.tiny import tiny_base

TARGETS = {"lfm2": ["q_proj", "in_proj"]}
PROMPTS = ["solve 1+2", "a", "solve 12345+67", "a", [{"role": "user", "content": "list"}]]


def early(policy: Policy) -> Policy:
    """The policy with some 6 % of the vocabulary as stop ids, so that rows end at very different places."""
    policy.stop_ids = tuple(range(1, 7))
    return policy


def ids_of(turns_N_G: list[list[Turn]]) -> list[list[list[int]]]:
    return [[turn.text_ids or [] for turn in turns_G] for turns_G in turns_N_G]


@torch.no_grad()
def learner_logprobs(policy: Policy, prompt_ids: list[int], text_ids: list[int], temperature: float = 1.0):
    """What one plain forward pass over the whole row says of the text's tokens, under the role worn."""
    logits_T_V = policy.model(input_ids=torch.tensor([prompt_ids + text_ids])).logits[0, len(prompt_ids) - 1 : -1]
    return torch.log_softmax(logits_T_V / temperature, -1).gather(-1, torch.tensor(text_ids)[:, None]).squeeze(-1)


@pytest.mark.parametrize("architecture", ["llama", "qwen3", "mistral", "lfm2"])
@pytest.mark.parametrize("merge", ["always", "never"])
def test_logprobs_are_the_learners(bases, architecture, merge):
    policy = early(moved(Policy.build(bases[architecture], ROLES, targets=TARGETS.get(architecture, PROJECTIONS))))
    sampler = HFSampler(policy, 20, merge=merge)
    for role in ROLES:
        turns = [turn for turns_G in sampler.sample(role, PROMPTS, 4) for turn in turns_G]
        policy.wear(role)
        assert len({len(turn.text_ids) for turn in turns}) > 3
        for turn in turns:
            expected = learner_logprobs(policy, turn.prompt_ids, turn.text_ids)
            torch.testing.assert_close(torch.tensor(turn.logprobs), expected, atol=1e-4, rtol=0)


def test_temperature_is_in_the_logprobs(policy):
    (turn,) = HFSampler(policy, 10, temperature=0.7).sample("solver", ["a"])[0]
    policy.wear("solver")
    expected = learner_logprobs(policy, turn.prompt_ids, turn.text_ids, 0.7)
    torch.testing.assert_close(torch.tensor(turn.logprobs), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("merge", ["always", "never"])
def test_greedy_says_what_generate_says(policy, merge):
    sampler = HFSampler(policy, 16, merge=merge)
    turns_N_G = sampler.sample("solver", PROMPTS, temperature=0)
    policy.wear("solver")
    policy.model.eval()
    for (turn,) in turns_N_G:
        ids = torch.tensor([turn.prompt_ids])
        said = policy.model.generate(input_ids=ids, do_sample=False, max_new_tokens=16)[0, ids.shape[1] :]
        assert turn.text_ids == said.tolist()


def test_samples_follow_the_distribution(policy):
    turns = HFSampler(policy, 1).sample("solver", ["a"], 4000)[0]
    counts = Counter(turn.text_ids[0] for turn in turns if turn.text_ids)
    expected = {turn.text_ids[0]: 4000 * 2.718281828 ** turn.logprobs[0] for turn in turns if turn.text_ids}
    frequent = {token: mean for token, mean in expected.items() if mean > 50}
    assert len(frequent) > 5
    for token, mean in frequent.items():
        assert abs(counts[token] - mean) < 4.5 * mean**0.5, (token, counts[token], mean)


def test_a_draw_by_hand():
    """Shares 1/2, 0, 1/4, 1/4 end at .5, .5, .75, 1; a token without share is never drawn, not even on its border."""
    logits = torch.tensor([0.5, 0.0, 0.25, 0.25]).log().expand(6, 4)
    uniforms = torch.tensor([0.0, 0.499, 0.5, 0.749, 0.75, 0.999], dtype=torch.float64)[:, None]
    tokens, logprobs = decode.Draw(1.0, uniforms)(logits, torch.arange(6), 0)
    assert tokens.tolist() == [0, 0, 2, 2, 3, 3]
    assert logprobs.exp().tolist() == pytest.approx([0.5, 0.5, 0.25, 0.25, 0.25, 0.25])


def test_order_shape_and_texts(policy):
    turns_N_G = HFSampler(early(policy), 12).sample("solver", PROMPTS, 3)
    assert [len(turns_G) for turns_G in turns_N_G] == [3] * 5
    for prompt, turns_G in zip(PROMPTS, turns_N_G, strict=True):
        assert [turn.prompt for turn in turns_G] == [prompt] * 3
        assert all(turn.role == "solver" for turn in turns_G)
        assert all(len(turn.text_ids) == len(turn.logprobs) <= 12 for turn in turns_G)
        assert len({tuple(turn.text_ids) for turn in turns_G}) > 1
    assert turns_N_G[1][0].prompt_ids == turns_N_G[3][0].prompt_ids


def test_the_end_token_is_in_the_ids_and_not_in_the_text(policy):
    policy.stop_ids = (policy.tokenizer.eos_token_id,)
    turns = HFSampler(policy, 200).sample("solver", ["a"], 64)[0]
    ended = [turn for turn in turns if turn.stopped]
    cut = [turn for turn in turns if not turn.stopped]
    assert ended
    assert cut
    for turn in ended:
        assert turn.text_ids[-1] == policy.tokenizer.eos_token_id
        assert policy.tokenizer.eos_token_id not in turn.text_ids[:-1]
    assert all(len(turn.text_ids) == 200 for turn in cut)
    assert not any("<eos>" in turn.text or "<pad>" in turn.text for turn in turns)


# ---- randomness -----------------------------------------------------------------------------------------------------


def test_begin_decides_all_randomness(policy):
    sampler = HFSampler(policy, 12)
    sampler.begin(7, 3, 0)
    first, second = (ids_of(sampler.sample("solver", PROMPTS, 2)) for _ in range(2))
    sampler.begin(7, 3, 0)
    sampler.sample("proposer", PROMPTS, 5)  # another role's draws are its own
    assert ids_of(sampler.sample("solver", PROMPTS, 2)) == first
    assert first != second
    sampler.begin(7, 4, 0)
    assert ids_of(sampler.sample("solver", PROMPTS, 2)) != first


@pytest.mark.parametrize("merge", ["always", "never"])
def test_a_row_does_not_depend_on_its_batch(policy, monkeypatch, merge):
    def said(rows: int) -> list[list[list[int]]]:
        sampler = HFSampler(early(policy), 30, merge=merge, rows=rows)
        sampler.begin(1)
        return ids_of(sampler.sample("solver", PROMPTS, 6))

    together = said(512)
    assert said(4) == together
    assert said(1) == together
    monkeypatch.setattr(decode, "DROP_SHARE", 0)  # never drop a row
    assert said(512) == together


def test_global_randomness_is_left_alone(policy):
    sampler = HFSampler(policy, 8)
    torch.manual_seed(11)
    expected = torch.rand(4)
    torch.manual_seed(11)
    sampler.begin(0)
    sampler.sample("solver", PROMPTS, 2)
    sampler.score("solver", PROMPTS, ["1"])
    assert torch.equal(torch.rand(4), expected)


# ---- what trains is left as it was ----------------------------------------------------------------------------------


@pytest.mark.parametrize("merge", ["always", "never"])
def test_training_state_is_left_alone(policy, merge):
    policy.model.train()
    policy.base.model.layers[1].eval()  # mixed on purpose
    policy.wear("proposer")
    policy.model(input_ids=torch.tensor([[5, 6, 7]]), labels=torch.tensor([[5, 6, 7]])).loss.backward()

    def state() -> dict[str, Any]:
        return {
            "modes": [module.training for module in policy.model.modules()],
            "learning": [p.requires_grad for p in policy.model.parameters()],
            "gradients": [None if p.grad is None else p.grad.sum().item() for p in policy.model.parameters()],
            "values": [p.sum().item() for p in policy.model.parameters()],
            "base": policy.base_digest(),
            "worn": policy.worn,
        }

    before = state()
    sampler = HFSampler(policy, 8, merge=merge)
    sampler.sample("solver", PROMPTS, 2)
    sampler.score("solver", PROMPTS, ["1", "22"])
    assert state() == before


def test_the_adapter_on_model_is_restored_after_an_error(policy, monkeypatch):
    def broken(*_: Any) -> None:
        raise RuntimeError("out of memory")

    policy.wear("proposer")
    policy.model.train()
    monkeypatch.setattr("selfplay.samplers.hf.decode", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        HFSampler(policy, 8, merge="never").sample("solver", PROMPTS)
    assert policy.worn == "proposer"
    assert all(module.training for module in policy.model.modules())


def test_the_copy_holds_no_gradient_and_no_adapter(policy):
    sampler = HFSampler(policy, 8, merge="always")
    assert sampler.shadow is not None
    copy = sampler.shadow.model("solver")
    assert not any(p.requires_grad or p.grad is not None for p in copy.parameters())
    assert not any(module.training for module in copy.modules())
    assert not any("lora" in name for name, _ in copy.named_parameters())
    assert copy.lm_head.weight is copy.model.embed_tokens.weight  # tied in the base
    shared = {p.data_ptr() for p in policy.model.parameters()} & {p.data_ptr() for p in copy.parameters()}
    assert not shared


@pytest.mark.parametrize("merge", ["always", "never"])
def test_new_weights_are_taken_up(policy, merge):
    sampler = HFSampler(policy, 12, merge=merge)
    before = ids_of(sampler.sample("solver", PROMPTS, temperature=0))
    moved(policy, seed=5)  # says so: policy.advance()
    after = ids_of(sampler.sample("solver", PROMPTS, temperature=0))
    assert after == ids_of(HFSampler(policy, 12, merge=merge).sample("solver", PROMPTS, temperature=0))
    assert after != before


def test_begin_takes_up_weights_that_nobody_announced(policy):
    sampler = HFSampler(policy, 12)
    before = ids_of(sampler.sample("solver", PROMPTS, temperature=0))
    for _, parameter in policy.parameters_of("solver"):
        parameter.data = parameter.data.flip(0)
    assert ids_of(sampler.sample("solver", PROMPTS, temperature=0)) == before
    sampler.begin(1)
    assert ids_of(sampler.sample("solver", PROMPTS, temperature=0)) != before


def test_bare_plays_the_base(policy, bases):
    untrained = Policy.build(bases["llama"], ROLES, adapters="none")
    expected = ids_of(HFSampler(untrained, 12).sample("solver", PROMPTS, temperature=0))
    for merge in ("always", "never"):
        assert (
            ids_of(HFSampler(policy, 12, merge=merge, bare=True).sample("solver", PROMPTS, temperature=0)) == expected
        )
    assert ids_of(HFSampler(policy, 12).sample("solver", PROMPTS, temperature=0)) != expected


# ---- prompts --------------------------------------------------------------------------------------------------------


def test_chat_and_raw_prompts(policy):
    talk = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3"}]
    turns_N_G = HFSampler(policy, 1).sample("solver", ["1+2", talk, Raw("1+2"), Raw("<|user|>")])
    texts = [policy.tokenizer.decode(turns_G[0].prompt_ids) for turns_G in turns_N_G]
    assert texts == ["<|user|>1+2<|assistant|>", "<|user|>1<|assistant|>2<|user|>3<|assistant|>", "1+2", "<|user|>"]


def test_over_long_prompts_lose_their_beginning(policy):
    sampler = HFSampler(policy, 6, max_prompt_tokens=4)
    turn = sampler.sample("solver", ["0123456789"])[0][0]
    assert policy.tokenizer.decode(turn.prompt_ids) == "789<|assistant|>"
    turn = HFSampler(policy, 6).sample("solver", ["7" * 10_000])[0][0]
    assert len(turn.prompt_ids) == 256 - 6  # the base's window less the reply


def test_over_long_prompts_lose_their_middle_where_that_is_asked_for(policy):
    sampler = HFSampler(policy, 6, max_prompt_tokens=7, truncate="middle")
    turns_N_G = sampler.sample("solver", ["0123456789", "12345"])
    texts = [policy.tokenizer.decode(turns_G[0].prompt_ids) for turns_G in turns_N_G]
    assert texts == ["<|user|>01789<|assistant|>", "<|user|>12345<|assistant|>"]  # seven tokens are not too many


def test_prompts_of_any_text_are_played(policy):
    prompts = ["", "\x00\n\t", "🦆" * 9, "<|assistant|><eos>", Raw("")]
    turns_N_G = HFSampler(policy, 4).sample("solver", prompts, 2)
    assert all(len(turn.text_ids) >= 1 for turns_G in turns_N_G for turn in turns_G)


@pytest.mark.parametrize("merge", ["always", "never"])
def test_no_prompts_no_forward_pass(policy, monkeypatch, merge):
    sampler = HFSampler(policy, 4, merge=merge)
    monkeypatch.setattr("selfplay.samplers.hf.decode", None)
    monkeypatch.setattr("selfplay.samplers.hf.score_choices", None)
    assert sampler.sample("solver", [], 4) == []
    assert sampler.score("solver", [], ["1"]) == []


@pytest.mark.parametrize("merge", ["always", "never"])
def test_under_zero3_a_rank_that_is_done_keeps_step_with_the_others(policy, merge):
    """Every forward pass gathers weights from all ranks there: here the others have two batches of 9 tokens to play."""
    early(policy)
    expected = [HFSampler(policy, 9, merge=merge).sample("solver", prompts) for prompts in (["a"], [])]
    passes: list[int] = []
    policy.base.register_forward_hook(lambda *_: passes.append(1))
    for prompts, turns_N_G in zip((["a"], []), expected, strict=True):
        asked = iter([True] + [True] * 8 + [True] + [True] * 8 + [False])
        policy.any_rank = lambda busy, asked=asked: busy | next(asked)
        assert HFSampler(policy, 9, merge=merge).sample("solver", prompts) == turns_N_G
        assert len(passes) == (18 if merge == "never" else 0)  # a merged copy needs nobody
        assert next(asked, None) is (None if merge == "never" else True)
        passes.clear()


def test_limits_by_role(policy):
    policy.stop_ids = (0,)
    sampler = HFSampler(policy, {"proposer": 3, "solver": 9})
    assert len(sampler.sample("proposer", ["a"])[0][0].text_ids) <= 3
    assert len(sampler.sample("solver", ["a"])[0][0].text_ids) <= 9
    with pytest.raises(ValueError, match="no entry for the role 'solver'"):
        HFSampler(policy, {"proposer": 3}).sample("solver", ["a"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"merge": "sometimes"}, "sampler.merge='sometimes' is unknown"),
        ({"rows": 0}, "sampler.rows=0 must be 1 or more"),
        ({"max_prompt_tokens": 0}, "sampler.max_prompt_tokens=0 must be"),
        ({"truncate": "end"}, "sampler.truncate='end' is unknown; choose one of start, middle"),
        ({"temperature": -1.0}, "temperature=-1.0 must be 0"),
        ({"temperature": float("nan")}, "temperature=nan must be 0"),
        ({"max_new_tokens": 0}, "sampler.max_new_tokens=0 for solver"),
        ({"max_new_tokens": 256}, "fills the base's window of 256"),
        ({"n": 0}, "n=0 samples"),
        ({"role": "judge"}, "role 'judge' is unknown"),
    ],
)
def test_a_wrong_setting_is_named(policy, words, message):
    role, n = words.pop("role", "solver"), words.pop("n", 1)
    with pytest.raises(ValueError, match=message):
        HFSampler(policy, **words).sample(role, ["a"], n)


def test_a_base_without_a_cache_is_refused(tmp_path):
    """Mamba takes its state under another name and swallows ours: it would be sampled without its past."""
    policy = Policy.build(str(tiny_base(tmp_path / "mamba", "mamba")), ROLES, targets=["in_proj"])
    with pytest.raises(ValueError, match="is a mamba model without a key-value cache"):
        HFSampler(policy, 4)


def test_the_copy_pays_attention_as_the_base_does(bases):
    policy = Policy.build(bases["llama"], ROLES, attention="eager")
    sampler = HFSampler(policy, 4, merge="always")
    assert sampler.shadow is not None
    assert sampler.shadow.model(None).config._attn_implementation == "eager"


def test_a_base_without_chat_template_is_named(policy):
    policy.tokenizer.chat_template = None
    sampler = HFSampler(policy, 2)
    assert sampler.sample("solver", [Raw("1+2")])
    with pytest.raises(ValueError, match="has no chat template"):
        sampler.sample("solver", ["1+2"])


# ---- scoring --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("architecture", ["llama", "qwen3", "mistral", "lfm2"])
@pytest.mark.parametrize(("merge", "rows"), [("always", 512), ("never", 512), ("always", 2)])
def test_scores_are_sums_of_logprobs(bases, architecture, merge, rows):
    policy = moved(Policy.build(bases[architecture], ROLES, targets=TARGETS.get(architecture, PROJECTIONS)))
    choices = ["1", "12", "", "abcdefghijkl"]
    scores_N = HFSampler(policy, 8, merge=merge, rows=rows).score("solver", PROMPTS, choices)
    turns_N_G = HFSampler(policy, 1).sample("solver", PROMPTS)
    policy.wear("solver")
    for (turn,), scores in zip(turns_N_G, scores_N, strict=True):
        for choice, score in zip(choices, scores, strict=True):
            ids = policy.tokenizer(choice, add_special_tokens=False)["input_ids"]
            expected = learner_logprobs(policy, turn.prompt_ids or [], ids).sum().item() if ids else 0.0
            assert score == pytest.approx(expected, abs=1e-4)


def test_a_sampled_texts_score_is_the_sum_of_its_logprobs(policy):
    policy.stop_ids = (0,)  # text and ids agree: no special token in the text
    sampler = HFSampler(policy, 5)
    turn = next(t for t in sampler.sample("solver", ["a"], 50)[0] if min(t.text_ids) >= 4)
    assert sampler.score("solver", ["a"], [turn.text])[0][0] == pytest.approx(sum(turn.logprobs), abs=1e-4)
    assert sampler.score("solver", ["a", "b"], []) == [[], []]
