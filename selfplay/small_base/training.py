"""Supervised training of a small base from random weights.

    recipe --corpus--> examples --tokenizer--> batches (R, T) --weighted cross-entropy, AdamW--> model

Suffixes: ``_R`` rows (examples), ``_T`` tokens of the longest of them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from selfplay.small_base.corpora import CORPORA
from selfplay.small_base.examples import Example
from selfplay.small_base.recipes import Recipe
from selfplay.small_base.tokens import SPECIAL

Watch = Callable[[int, float], None]
"""Told the number of steps done and the loss after each step."""


def train(recipe: Recipe, watch: Watch) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """The trained model and its tokenizer; the same for the same recipe, versions and number of threads.

    The caller's random state is left alone.
    """
    tokenizer = CORPORA[recipe.corpus].make_tokenizer(recipe.words)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = make_model(recipe, tokenizer)
    for weight in model.parameters():
        if weight.dim() > 1:  # the gains of the norms stay 1
            weight.data.mul_(recipe.initial_scale)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay, fused=True
    )
    model.train()
    for step, examples_R in enumerate(batches(recipe)):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate_at(recipe, step)
        loss = weighted_loss(model, *encode(tokenizer, examples_R, recipe))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        watch(step + 1, loss.item())
    return model.eval(), tokenizer


def make_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    shape = recipe.architecture
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.positions,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=SPECIAL.index("<eos>"),
        pad_token_id=SPECIAL.index("<pad>"),
    )
    config._attn_implementation = "eager"  # a little faster than sdpa at this size; not saved with the model
    return LlamaForCausalLM(config)


def batches(recipe: Recipe) -> Iterator[list[Example]]:
    """The examples of every step, phase by phase: what a base has seen is what this yields."""
    rng, draw = random.Random(f"small base {recipe.seed}"), CORPORA[recipe.corpus].draw
    for phase in recipe.phases:
        skills, shares = list(phase.mixture), list(phase.mixture.values())
        for _ in range(phase.steps):
            yield [draw(skill, rng) for skill in rng.choices(skills, shares, k=phase.rows)]


def rate_at(recipe: Recipe, step: int) -> float:
    """The learning rate at a step as a share of its peak: a linear warm-up, then a cosine."""
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    done = (step - recipe.warmup_steps) / max(1, recipe.steps - recipe.warmup_steps)
    return recipe.final_share + (1 - recipe.final_share) * 0.5 * (1 + math.cos(math.pi * done))


def encode(tokenizer: PreTrainedTokenizerFast, examples_R: Sequence[Example], recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Token ids (R, T), padded on the right, and the weight of each token as a target (R, T)."""
    prompts_R = tokenizer([f"<|user|>{example.prompt}<|assistant|>" for example in examples_R])["input_ids"]
    replies_R = tokenizer([f"{example.reply}<eos>" for example in examples_R])["input_ids"]
    width = max(len(prompt) + len(reply) for prompt, reply in zip(prompts_R, replies_R, strict=True))
    ids_R_T, weights_R_T = [], []
    for prompt, reply in zip(prompts_R, replies_R, strict=True):
        share = len(reply) ** -recipe.length_power
        fill = width - len(prompt) - len(reply)
        ids_R_T.append(prompt + reply + [tokenizer.pad_token_id] * fill)
        weights_R_T.append([share * recipe.prompt_weight] * len(prompt) + [share] * len(reply) + [0.0] * fill)
    return torch.tensor(ids_R_T), torch.tensor(weights_R_T)


def weighted_loss(model: LlamaForCausalLM, ids_R_T: Tensor, weights_R_T: Tensor) -> Tensor:
    """Mean cross-entropy of the next token in nats, weighted; needs no attention mask, for padding comes last."""
    logits = model(input_ids=ids_R_T[:, :-1], use_cache=False).logits
    losses = functional.cross_entropy(logits.flatten(0, 1), ids_R_T[:, 1:].flatten(), reduction="none")
    weights = weights_R_T[:, 1:].flatten()
    return (losses * weights).sum() / weights.sum()
