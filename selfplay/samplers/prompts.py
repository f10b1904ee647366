"""Prompts -> token ids, as a chat model reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from jinja2 import TemplateError

from selfplay.types import Prompt, Raw

Truncate = Literal["start", "middle"]
"""What an over-long prompt loses. The middle leaves a chat its opening markers and the first words of the request (the
release of SERL, arXiv 2511.07922); the start leaves plain text whole where the reply begins."""


def encode(
    tokenizer: Any,
    prompts_N: Sequence[Prompt],
    max_tokens: int,
    template: Mapping[str, Any] | None = None,
    truncate: Truncate = "start",
) -> list[list[int]]:
    """Token ids of each prompt, ready for the reply to follow; at most ``max_tokens``, the template's included.

    Args:
        prompts_N: ``Raw`` goes in as it stands, a list through the chat template, a plain str as one user message.
        template: further words for the chat template, e.g. ``{"enable_thinking": False}`` for Qwen3.
        truncate: what an over-long prompt loses; its end, which asks for the reply, always stays.

    Raises:
        ValueError: the tokenizer has no chat template and a prompt needs one, or the template refuses the conversation.
    """
    if not prompts_N:
        return []
    texts_N = [_as_text(tokenizer, prompt, template or {}) for prompt in prompts_N]
    ids_N = tokenizer(texts_N, add_special_tokens=False)["input_ids"]
    return [_cut(ids, max_tokens, truncate) or [_start(tokenizer)] for ids in ids_N]


def _cut(ids: list[int], most: int, truncate: Truncate) -> list[int]:
    """
    >>> _cut([1, 2, 3, 4, 5, 6], 5, "start"), _cut([1, 2, 3, 4, 5, 6], 5, "middle"), _cut([1, 2], 5, "middle")
    ([2, 3, 4, 5, 6], [1, 2, 4, 5, 6], [1, 2])
    """
    if len(ids) <= most:
        return ids
    first = most // 2 if truncate == "middle" else 0
    return ids[:first] + ids[first - most :]


def _as_text(tokenizer: Any, prompt: Prompt, template: Mapping[str, Any]) -> str:
    if isinstance(prompt, Raw):
        return str(prompt)
    if tokenizer.chat_template is None:
        raise ValueError(
            f"policy.base={tokenizer.name_or_path!r} has no chat template; choose an instruction-tuned base, or save "
            "one with its tokenizer (tokenizer.chat_template)."
        )
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    try:
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **template)
    except TemplateError as error:  # many a template knows no system message, or wants roles to take turns
        raise ValueError(f"the chat template refuses this conversation: {' '.join(str(error).split())}") from error


def _start(tokenizer: Any) -> int:
    """What an empty raw prompt becomes: a model cannot predict from no token at all."""
    return tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
