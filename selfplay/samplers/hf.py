"""The transformers sampler: all prompts of a round in one batch, each role under its adapter.

    prompts_N --encode--> unique ids --decode--> drawn --> turns_N_G

Small bases are played from a merged copy of the weights, large ones with the adapter on. Training state (train or eval
mode, the worn role, gradients, global randomness) is as it was after every call. Sampled with top_p=1 and no top_k, so
that the log-probabilities are those of the policy. Compare with ``generate``: python tests/benchmarks/bench_sampler.py
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, get_args

import torch

from selfplay.policy import Policy
from selfplay.samplers.choosing import choice_logprobs, chosen_turns, parting, pick
from selfplay.samplers.decode import Draw, Drawn, Ending, decode
from selfplay.samplers.prompts import Truncate, encode
from selfplay.samplers.rows import batches, unique
from selfplay.samplers.scoring import score_choices
from selfplay.samplers.shadow import Shadow
from selfplay.types import Prompt, Turn

MERGE_UP_TO = 100_000_000
"""``merge="auto"`` keeps a merged copy of bases of up to this many parameters."""

STRETCH = 1.25
"""Prompts that are only chosen from share a batch with others up to a quarter longer."""


class HFSampler:
    """Plays roles with a policy. Constructor arguments are the config group ``sampler``.

    Args:
        policy: whose roles are played.
        max_new_tokens: a number, or one for each role.
        temperature: unless ``sample`` is told otherwise.
        merge: ``auto`` (by size), ``always`` or ``never`` generate from a merged copy of the weights.
        rows: sequences generated at once; more are done in turn, with the same results.
        max_prompt_tokens: longer prompts are cut to it; None is what the model's window leaves.
        bare: every role plays the frozen base, e.g. as the opponent in a duel.
        template: further words for the chat template, e.g. ``{"enable_thinking": False}``.
        truncate: what an over-long prompt loses, its ``start`` or its ``middle``.

    Raises:
        ValueError: a value out of range, or a base that this decode loop cannot play (Mamba).
    """

    def __init__(
        self,
        policy: Policy,
        max_new_tokens: int | Mapping[str, int] = 256,
        temperature: float = 1.0,
        merge: str = "auto",
        rows: int = 512,
        max_prompt_tokens: int | None = None,
        bare: bool = False,
        template: Mapping[str, Any] | None = None,
        truncate: Truncate = "start",
    ) -> None:
        if merge not in ("auto", "always", "never"):
            raise ValueError(f"sampler.merge={merge!r} is unknown; choose auto, always or never.")
        if truncate not in get_args(Truncate):
            raise ValueError(
                f"sampler.truncate={truncate!r} is unknown; choose one of {', '.join(get_args(Truncate))}."
            )
        for key, value in (("rows", rows), ("max_prompt_tokens", max_prompt_tokens)):
            if value is not None and value < 1:
                raise ValueError(f"sampler.{key}={value} must be 1 or more.")
        if "past_key_values" not in inspect.signature(policy.base.forward).parameters:
            kind = policy.base.config.model_type
            raise ValueError(
                f"policy.base={policy.base_name!r} is a {kind} model without a key-value cache; choose another."
            )
        self.policy = policy
        self.max_new_tokens = max_new_tokens
        self.temperature = _checked_temperature(temperature)
        self.rows = rows
        self.max_prompt_tokens = max_prompt_tokens
        self.bare = bare
        self.template = dict(template or {})
        self.truncate: Truncate = truncate
        size = sum(getattr(p, "ds_numel", p.numel()) for p in policy.base.parameters())
        self.shadow = Shadow(policy) if merge == "always" or (merge == "auto" and size <= MERGE_UP_TO) else None
        self.begin()

    def begin(self, *key: int | str) -> None:
        """Start a window: every role's randomness follows from ``key`` and its name; present weights are taken up."""
        self._key = key
        self._generators: dict[str, torch.Generator] = {}
        if self.shadow is not None:
            self.shadow.forget()

    def sample(
        self, role: str, prompts_N: Sequence[Prompt], n: int = 1, *, temperature: float | None = None
    ) -> list[list[Turn]]:
        """``n`` sampled turns for each prompt, in order; see ``types.Sampler``.

        Raises:
            ValueError: an unknown role, n below 1, a negative temperature, or no room for a reply.
        """
        heat = self._heat(role, n, temperature)
        ending = Ending(
            self.policy.stop_ids, self._new_tokens(role), self.policy.tokenizer.pad_token_id, self._any_rank
        )
        adapter = self._adapter(role)
        ids_N = self._encode(prompts_N, ending.max_new_tokens)
        ids_R = [ids for ids in ids_N for _ in range(n)]
        uniforms_R_T = self._uniforms(role, len(ids_R), ending.max_new_tokens) if heat else None
        drawn_R: dict[int, Drawn] = {}
        with self._playing(adapter) as model:
            for rows, prompts_U, prompt_of_R in self._batches(ids_R, self.rows):
                noise = uniforms_R_T[rows].to(self.policy.device) if uniforms_R_T is not None and rows else None
                replies = decode(model, prompts_U, prompt_of_R, Draw(heat if rows else 0.0, noise), ending)
                drawn_R.update(zip(rows, replies, strict=False))  # an idle batch has no rows to keep
        turns_R = iter(self._turns(role, prompts_N, ids_N, [drawn_R[row] for row in range(len(ids_R))]))
        return [[next(turns_R) for _ in range(n)] for _ in prompts_N]

    def score(self, role: str, prompts_N: Sequence[Prompt], choices: Sequence[str]) -> list[list[float]]:
        """Log-probability (nats, summed over tokens) of each choice as the continuation of each prompt."""
        tokenizer = self.policy.tokenizer
        adapter = self._adapter(role)
        choice_ids = [tokenizer(choice, add_special_tokens=False)["input_ids"] for choice in choices]
        ids_N = self._encode(prompts_N, max((len(ids) for ids in choice_ids), default=0))
        if not choice_ids:
            return [[] for _ in ids_N]
        scores_N: dict[int, list[float]] = {}
        with self._playing(adapter) as model:
            for rows, prompts_U, prompt_of in self._batches(ids_N, max(1, self.rows // len(choice_ids))):
                scores_U = score_choices(model, prompts_U, choice_ids, tokenizer.pad_token_id)
                scores_N.update({row: scores_U[at] for row, at in zip(rows, prompt_of, strict=False)})
        return [list(scores_N[row]) for row in range(len(ids_N))]

    def choose(
        self,
        role: str,
        prompts_N: Sequence[Prompt],
        choices: Sequence[str],
        n: int = 1,
        *,
        temperature: float | None = None,
    ) -> list[list[Turn]]:
        """``n`` draws from the choices for each prompt, from one forward of it; see ``types.Sampler``.

        What all choices begin with stands in ``prompt_ids``; ``text_ids`` is the one token that decides, without an end
        token.

        Raises:
            ValueError: an unknown role, n below 1, a negative temperature, or choices that do not part at one token.
        """
        heat = self._heat(role, n, temperature)
        adapter = self._adapter(role)
        fork = parting(choices, self.policy.tokenizer(list(choices), add_special_tokens=False)["input_ids"])
        ids_N = [[*ids, *fork.shared] for ids in self._encode(prompts_N, len(fork.shared) + 1)]
        uniforms_N_G = self._uniforms(role, len(ids_N), n) if heat else None
        logprobs_N_C = torch.zeros((len(ids_N), len(choices)), dtype=torch.float64)
        with self._playing(adapter) as model:
            for rows, prompts_U, prompt_of in self._batches(ids_N, self.rows, STRETCH):
                pad_id = self.policy.tokenizer.pad_token_id
                logprobs_U_C = choice_logprobs(model, prompts_U, fork.deciding_C, heat, pad_id)
                logprobs_N_C[rows] = logprobs_U_C[prompt_of[: len(rows)]]  # an idle batch has no rows to keep
        picks_N_G = pick(logprobs_N_C, uniforms_N_G, n)
        return chosen_turns(role, prompts_N, choices, ids_N, fork.deciding_C, logprobs_N_C, picks_N_G)

    def _heat(self, role: str, n: int, temperature: float | None) -> float:
        """The temperature that a call is played at."""
        if n < 1:
            raise ValueError(f"n={n} samples of a prompt were asked of {role}; ask for 1 or more.")
        return self.temperature if temperature is None else _checked_temperature(temperature)

    def following(self, role: str, ids: Sequence[int]) -> torch.Tensor:
        """Log-probabilities (nats) of every token that may follow each of ``ids``, at temperature 1: (T, V)."""
        with self._playing(self._adapter(role)) as model:
            logits_1_T_V = model(input_ids=torch.tensor([list(ids)], device=self.policy.device)).logits
        return torch.log_softmax(logits_1_T_V[0].float(), dim=-1)

    @property
    def _any_rank(self) -> Callable[[bool], bool]:
        return bool if self.shadow is not None else self.policy.any_rank  # a merged copy is whole on every rank

    def _batches(
        self, ids_R: Sequence[list[int]], size: int, stretch: float = float("inf")
    ) -> Iterator[tuple[list[int], list[list[int]], list[int]]]:
        """Rows, distinct prompts, each row's prompt; of no rows and a dummy prompt while only other ranks have some."""
        waiting = batches(ids_R, size, stretch)
        while self._any_rank(bool(waiting)):
            rows = waiting.pop(0) if waiting else []
            yield rows, *unique([ids_R[row] for row in rows] or [[self.policy.tokenizer.pad_token_id]])

    def _turns(
        self, role: str, prompts_N: Sequence[Prompt], ids_N: list[list[int]], drawn_R: list[Drawn]
    ) -> Iterator[Turn]:
        texts_R = self.policy.tokenizer.batch_decode(
            [drawn.ids for drawn in drawn_R], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        for row, (drawn, text) in enumerate(zip(drawn_R, texts_R, strict=True)):
            at = row * len(prompts_N) // len(drawn_R)
            yield Turn(
                role=role,
                prompt=prompts_N[at],
                text=text,
                prompt_ids=ids_N[at],
                text_ids=drawn.ids,
                logprobs=drawn.logprobs,
                stopped=drawn.stopped,
            )

    def _encode(self, prompts_N: Sequence[Prompt], new_tokens: int) -> list[list[int]]:
        window = getattr(self.policy.base.config, "max_position_embeddings", None)
        room = [limit for limit in (self.max_prompt_tokens, window and window - new_tokens) if limit is not None]
        if room and min(room) < 1:
            raise ValueError(f"sampler.max_new_tokens={new_tokens} fills the base's window of {window}; lower it.")
        return encode(self.policy.tokenizer, prompts_N, min(room, default=1 << 30), self.template, self.truncate)

    def _adapter(self, role: str) -> str | None:
        adapter = self.policy.adapter(role)
        return None if self.bare else adapter

    def _new_tokens(self, role: str) -> int:
        limits = self.max_new_tokens
        if isinstance(limits, Mapping) and role not in limits:
            raise ValueError(f"sampler.max_new_tokens has no entry for the role {role!r}; it has {sorted(limits)}.")
        limit = limits[role] if isinstance(limits, Mapping) else limits
        if limit < 1:
            raise ValueError(f"sampler.max_new_tokens={limit} for {role} must be 1 or more.")
        return limit

    def _uniforms(self, role: str, rows: int, tokens: int) -> torch.Tensor:
        """The role's next noise, drawn on the CPU so that every device hears the same."""
        if role not in self._generators:
            seed = hashlib.sha256(repr((self._key, role)).encode()).digest()
            self._generators[role] = torch.Generator().manual_seed(int.from_bytes(seed[:8], "big"))
        return torch.rand((rows, tokens), generator=self._generators[role], dtype=torch.float64)

    @contextmanager
    def _playing(self, adapter: str | None) -> Iterator[Any]:
        """The model that plays; the policy's own is put back as it was."""
        if self.shadow is not None:
            copy = self.shadow.model(adapter)
            with (
                torch.inference_mode()
            ):  # a tenth faster than no_grad; not on a model that trains, for its buffers' sake
                yield copy
            return
        base = self.policy.base
        training = [module for module in base.modules() if module.training]
        base.eval()
        try:
            with self.policy.wearing(adapter):
                yield base
        finally:
            for module in training:
                module.training = True


def _checked_temperature(temperature: float) -> float:
    if not 0 <= temperature < float("inf"):
        raise ValueError(f"temperature={temperature} must be 0 (greedy) or above.")
    return float(temperature)
