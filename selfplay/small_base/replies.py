"""A small base as scoring asks it: prompts in, texts out, without the samplers of the package above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

LONGEST_REPLY = 40  # tokens; the worked solution of three columns takes 29 with its end

Scores = dict[str, float]
"""{"solve/pass@1": 0.33}: shares in [0, 1] apart from list/quality."""


class Base:
    """A model with its tokenizer, and the replies that it gives."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer

    def replies(self, prompts_N: Sequence[str], n: int, temperature: float = 1.0) -> list[list[str]]:
        """``n`` replies to each prompt, texts_N_G; prompts of one length share a batch, so none is padded."""
        by_length: dict[int, list[int]] = {}
        ids_N = [self.prompt_ids(prompt) for prompt in prompts_N]
        for number, ids in enumerate(ids_N):
            by_length.setdefault(len(ids), []).append(number)
        texts_N_G: list[list[str]] = [[] for _ in prompts_N]
        for length in sorted(by_length):
            numbers = [number for number in by_length[length] for _ in range(n)]
            said_R_T = self.generate(torch.tensor([ids_N[number] for number in numbers]), temperature)
            texts = self.tokenizer.batch_decode(said_R_T, skip_special_tokens=True)
            for number, text in zip(numbers, texts, strict=True):
                texts_N_G[number].append(text)
        return texts_N_G

    def prompt_ids(self, prompt: str) -> list[int]:
        messages = [{"role": "user", "content": prompt}]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self.tokenizer(text)["input_ids"]

    @torch.no_grad()
    def generate(self, ids_R_T: Tensor, temperature: float) -> Tensor:
        """What follows the prompts, (R, LONGEST_REPLY) or shorter; after a row's end come further ends."""
        end = self.tokenizer.eos_token_id
        cache = DynamicCache(config=self.model.config)
        said, ended_R = [], torch.zeros(len(ids_R_T), dtype=torch.bool)
        next_R_T = ids_R_T
        while len(said) < LONGEST_REPLY and not ended_R.all():
            logits_R_V = self.model(next_R_T, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
            if temperature:
                token_R = torch.multinomial(torch.softmax(logits_R_V / temperature, -1), 1).squeeze(-1)
            else:
                token_R = logits_R_V.argmax(-1)
            token_R = torch.where(ended_R, end, token_R)
            ended_R |= token_R == end
            said.append(token_R)
            next_R_T = token_R[:, None]
        return torch.stack(said, dim=1)
