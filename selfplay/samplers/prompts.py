"""Prompts -> token ids, as a chat model reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selfplay.types import Prompt, Raw


def encode(
    tokenizer: Any, prompts_N: Sequence[Prompt], max_tokens: int, template: Mapping[str, Any] | None = None
) -> list[list[int]]:
    """Token ids of each prompt, ready for the reply to follow; the last ``max_tokens`` of an over-long one.

    Args:
        prompts_N: ``Raw`` goes in as it stands, a list through the chat template, a plain str as one user message.
        template: further words for the chat template, e.g. ``{"enable_thinking": False}`` for Qwen3.

    Raises:
        ValueError: the tokenizer has no chat template and a prompt needs one.
    """
    if not prompts_N:
        return []
    texts_N = [_as_text(tokenizer, prompt, template or {}) for prompt in prompts_N]
    ids_N = tokenizer(texts_N, add_special_tokens=False)["input_ids"]
    return [ids[-max_tokens:] or [_start(tokenizer)] for ids in ids_N]


def _as_text(tokenizer: Any, prompt: Prompt, template: Mapping[str, Any]) -> str:
    if isinstance(prompt, Raw):
        return str(prompt)
    if tokenizer.chat_template is None:
        raise ValueError(
            f"policy.base={tokenizer.name_or_path!r} has no chat template; choose an instruction-tuned base, or save "
            "one with its tokenizer (tokenizer.chat_template)."
        )
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **template)


def _start(tokenizer: Any) -> int:
    """What an empty raw prompt becomes: a model cannot predict from no token at all."""
    return tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
