"""The batch layout and the loss against values worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch.nn import functional

from selfplay.small_base import training
from selfplay.small_base.corpus import Example
from selfplay.small_base.recipes import RECIPES, Architecture, Phase
from selfplay.small_base.tokens import make_tokenizer

RECIPE = dataclasses.replace(
    RECIPES["small"],
    architecture=Architecture(hidden=16, layers=1, heads=2, intermediate=16),
    phases=(Phase(100, {"propose": 1.0}), Phase(50, {"list": 1.0})),
    warmup_steps=10,
    final_share=0.05,
    prompt_weight=0.1,
    length_power=0.5,
)
TOKENIZER = make_tokenizer(RECIPE.words)
EXAMPLES = [Example("solve 1+2", ">3"), Example("judge tools : saw | axe axe", "A")]


def test_replies_weigh_by_length_prompts_little_and_padding_nothing() -> None:
    ids_R_T, weights_R_T = training.encode(TOKENIZER, EXAMPLES, RECIPE)
    first = TOKENIZER("<|user|>solve 1+2<|assistant|>>3<eos>")["input_ids"]
    assert ids_R_T[0].tolist() == first + [TOKENIZER.pad_token_id] * (ids_R_T.shape[1] - len(first))
    share = 3**-0.5  # > 3 <eos>
    expected = [share * 0.1] * 7 + [share] * 3 + [0.0] * (ids_R_T.shape[1] - 10)
    assert weights_R_T[0].tolist() == pytest.approx(expected)
    assert weights_R_T[1, -2:].tolist() == pytest.approx([2**-0.5] * 2)  # A <eos>


def test_padding_changes_no_loss_and_the_mean_is_weighted() -> None:
    torch.manual_seed(0)
    model = training.make_model(RECIPE, TOKENIZER)
    both = training.weighted_loss(model, *training.encode(TOKENIZER, EXAMPLES, RECIPE))
    total, mass = 0.0, 0.0
    for example in EXAMPLES:  # one row a batch: no padding
        ids_1_T, weights_1_T = training.encode(TOKENIZER, [example], RECIPE)
        logits = model(input_ids=ids_1_T).logits[0, :-1].detach()
        losses = functional.cross_entropy(logits, ids_1_T[0, 1:], reduction="none")
        total += float((losses * weights_1_T[0, 1:]).sum())
        mass += float(weights_1_T[0, 1:].sum())
    assert both.item() == pytest.approx(total / mass, abs=1e-5)


def test_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    assert training.rate_at(RECIPE, 0) == pytest.approx(0.1)
    assert training.rate_at(RECIPE, 9) == pytest.approx(1.0)
    assert training.rate_at(RECIPE, 80) == pytest.approx(0.05 + 0.95 * 0.5)
    assert training.rate_at(RECIPE, 150) == pytest.approx(RECIPE.final_share)
    assert all(math.isfinite(training.rate_at(RECIPE, step)) for step in range(150))


def test_phases_follow_one_another() -> None:
    steps = list(training.batches(RECIPE))
    assert [len(examples) for examples in steps] == [64] * 150
    assert {example.prompt for example in steps[99]} == {"propose addition"}
    assert all(example.prompt.startswith("list ") for example in steps[100])
