"""A policy behind the OpenAI protocol: one request at a time, each role under its own name as a model.

The HTTP around it is ``selfplay.serve``.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from selfplay.samplers.hf import HFSampler
from selfplay.samplers.prompts import encode
from selfplay.types import Prompt, Raw, Turn


@dataclass(frozen=True)
class Told:
    """Tokens of a text with their log-probabilities (nats); None for a first token, which follows nothing."""

    tokens: list[str]
    logprobs: list[float | None]


class Served:
    """
    Args:
        sampler: its policy's roles are the models.
    """

    def __init__(self, sampler: HFSampler) -> None:
        self.sampler = sampler
        self.models = tuple(sampler.policy.adapter_of)
        self._limits = sampler.max_new_tokens
        self._lock = threading.Lock()

    def complete(
        self, model: str, prompt: Prompt, n: int, temperature: float | None, seed: int | None, max_tokens: int | None
    ) -> list[Turn]:
        """``n`` replies; the same request with the same seed gets the same ones. None is the recipe's own value.

        Raises:
            ValueError: a value that cannot be played.
        """
        with self._lock:
            self.sampler.max_new_tokens = self._limits if max_tokens is None else max_tokens
            self.sampler.begin("served", secrets.randbits(63) if seed is None else seed)
            return self.sampler.sample(model, [prompt], n, temperature=temperature)[0]

    def read(self, model: str, text: str) -> Told:
        """What the model would have given each token of a raw text."""
        ids = self._whole([Raw(text)])
        with self._lock:
            following_T_V = self.sampler.following(model, ids)
        nats = [float(following_T_V[at, token]) for at, token in enumerate(ids[1:])]
        return Told(self.words(ids), [None, *nats])

    def top(self, model: str, prompt: Prompt, before: Sequence[int], most: int) -> Told:
        """The ``most`` likeliest tokens after the prompt and ``before``, the likeliest first."""
        ids = self._whole([prompt])
        with self._lock:
            values, tokens = self.sampler.following(model, [*ids, *before])[-1].topk(most)
        return Told(self.words(tokens.tolist()), values.tolist())

    def words(self, ids: Sequence[int]) -> list[str]:
        """Each token by itself as text."""
        return [self._tokenizer.decode([token], clean_up_tokenization_spaces=False) for token in ids]

    def _whole(self, prompts_1: Sequence[Prompt]) -> list[int]:
        """The prompt's ids; one that the model cannot take in whole is refused, since scores of a part mislead."""
        (ids,) = encode(self._tokenizer, prompts_1, 1 << 30, self.sampler.template)
        window = getattr(self.sampler.policy.base.config, "max_position_embeddings", None)
        if window and len(ids) > window:
            raise ValueError(f"the text has {len(ids)} tokens, and the model's window {window}")
        return ids

    @property
    def vocabulary(self) -> int:
        return len(self._tokenizer)

    @property
    def _tokenizer(self):
        return self.sampler.policy.tokenizer
