"""Log-probabilities of given choices, read from what a server lists. Pure functions; malformed lists give None.

Two ways: ``completions`` with ``echo`` gives every token of prompt + choice, for ``Raw`` prompts; ``chat/completions``
with ``top_logprobs`` gives the likeliest first tokens of a reply, for choices of one token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selfplay.samplers.endpoint.replies import is_number

TOP = 20
"""First tokens that a server is asked to list: the most that OpenAI and vLLM give by default."""


def echoed(answer: Mapping[str, Any], choice: str) -> float | None:
    """Nats of the tokens that make up the end of the echoed text; None where the server did not list them.

    Counted from the end, since a server may have put a token of its own before the prompt. A token that begins in the
    prompt and ends in the choice counts whole. Tokens that hold part of a character, which some servers spell as bytes,
    make the count too short: give choices of plain letters.

    >>> told = {"tokens": ["<s>", "so", "lve", " 4", "6"], "token_logprobs": [None, -9.0, -1.0, -0.5, -0.25]}
    >>> echoed({"choices": [{"text": "solve 46", "logprobs": told}]}, " 46")
    -0.75
    """
    told = _logprobs_of_first(answer)
    tokens, values = told.get("tokens"), told.get("token_logprobs")
    if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
        return None
    if not str(answer["choices"][0].get("text")).endswith(choice):
        return None  # it wrote on instead of echoing
    total, covered = 0.0, 0
    for token, value in zip(reversed(tokens), reversed(values), strict=True):
        if covered >= len(choice):
            break
        if not is_number(value):
            return None
        total, covered = total + value, covered + len(str(token))
    return total if covered >= len(choice) else None


def listed(answer: Mapping[str, Any], choices: Sequence[str]) -> list[float | None] | None:
    """Nats of each choice as the reply's first token; None for a choice that is not listed, None for no list at all.

    A token counts for a choice with or without white space around it; the likelier of two such counts.

    >>> top = [{"token": "A", "logprob": -0.1}, {"token": " B", "logprob": -3.0}, {"token": "C", "logprob": -4.0}]
    >>> listed({"choices": [{"logprobs": {"content": [{"top_logprobs": top}]}}]}, ["A", "B", "D"])
    [-0.1, -3.0, None]
    """
    found = _top(answer)
    if not found:
        return None
    by_choice: dict[str, float] = {}
    for token, value in found:
        by_choice[token.strip()] = max(value, by_choice.get(token.strip(), value))
    exact = dict(found)
    return [exact.get(choice, by_choice.get(choice.strip())) for choice in choices]


def lowest_listed(answer: Mapping[str, Any]) -> float:
    """An upper bound for whatever was not listed, in nats."""
    return min(value for _, value in _top(answer))


def _top(answer: Mapping[str, Any]) -> list[tuple[str, float]]:
    content = _logprobs_of_first(answer).get("content")
    first = content[0] if isinstance(content, list) and content and isinstance(content[0], dict) else {}
    top = first.get("top_logprobs")
    entries = [entry for entry in top if isinstance(entry, dict)] if isinstance(top, list) else []
    return [(str(entry.get("token")), float(entry["logprob"])) for entry in entries if is_number(entry.get("logprob"))]


def _logprobs_of_first(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    choice = answer["choices"][0]
    told = choice.get("logprobs") if isinstance(choice, dict) else None
    return told if isinstance(told, dict) else {}
