"""What a server said -> replies. Nothing here raises, whatever the JSON: what a server says is data.

>>> read_replies({"choices": [{"message": {"content": ">46"}, "finish_reason": "stop"}, {"message": None}, 7]})
[Reply(text='>46', stopped=True, logprobs=None), Reply(text='', ...), Reply(text='', ...)]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

CUT = ("length", "max_tokens", "content_filter", "abort")
"""Reasons for which a reply ends before its own end."""


LARGEST = 1e300


@dataclass(frozen=True)
class Reply:
    """One sampled text. Thinking that the server keeps apart (``reasoning_content``) is not part of it."""

    text: str
    stopped: bool  # ended by itself
    logprobs: list[float] | None = None  # (T,) nats of the server's own tokens


def has_choices(answer: Any) -> bool:
    """Whether there is at least one choice: an answer without any is asked for again."""
    return isinstance(answer, dict) and isinstance(answer.get("choices"), list) and bool(answer["choices"])


def read_replies(answer: Mapping[str, Any]) -> list[Reply]:
    """One reply for each choice, be it of ``chat/completions`` or of ``completions``; unreadable ones are empty."""
    return [_reply(choice) for choice in answer["choices"]]


def _reply(choice: Any) -> Reply:
    choice = choice if isinstance(choice, dict) else {}
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else choice.get("text")
    return Reply(_text(content), choice.get("finish_reason") not in CUT, _logprobs(choice.get("logprobs")))


def _text(content: Any) -> str:
    """
    >>> _text("a"), _text(None), _text([{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}])
    ('a', '', 'ab')
    """
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _logprobs(told: Any) -> list[float] | None:
    """
    >>> _logprobs({"content": [{"token": "a", "logprob": -0.5}]}), _logprobs({"token_logprobs": [None, -1]})
    ([-0.5], None)
    """
    if not isinstance(told, dict):
        return None
    if isinstance(told.get("content"), list):
        values = [entry.get("logprob") if isinstance(entry, dict) else None for entry in told["content"]]
    else:
        values = told.get("token_logprobs")
    numbers = [float(value) for value in values if is_number(value)] if isinstance(values, list) else []
    return numbers if isinstance(values, list) and len(numbers) == len(values) else None


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a float can hold it; JSON as Python reads it has NaN, infinities and endless integers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def usage_of(answer: Mapping[str, Any]) -> dict[str, int]:
    """Tokens that the server counted; 0 where it does not say.

    >>> usage_of({"usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}}})
    {'prompt_tokens': 9, 'completion_tokens': 4, 'cached_tokens': 8}
    """
    usage = answer.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else usage.get("prompt_cache_hit_tokens")
    counts = {**{name: usage.get(name) for name in ("prompt_tokens", "completion_tokens")}, "cached_tokens": cached}
    return {name: int(value) if is_number(value) and value > 0 else 0 for name, value in counts.items()}
