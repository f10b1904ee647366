"""Requests of the OpenAI protocol -> answers, without HTTP: models, chat/completions, completions.

    path, body --read, check--> Wish --Served--> turns --> choices, usage

A request that cannot be answered is a `Refused` with a status and one line; nothing that is sent ends the server.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from selfplay.types import Prompt, Raw, Turn

if TYPE_CHECKING:
    from selfplay.samplers.served import Served

MOST_N = 128
MOST_TOP = 20


class Refused(Exception):
    """The caller's mistake."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Wish:
    """A request, read."""

    model: str
    prompt: Prompt
    chat: bool
    n: int
    temperature: float | None
    seed: int | None
    max_tokens: int | None
    logprobs: bool
    top: int
    echo: bool


def respond(served: Served, path: str, body: bytes | None) -> dict[str, Any]:
    """The answer's JSON.

    Raises:
        Refused: with the status to send.
    """
    if body is None:
        if path == "/v1/models":
            return {"object": "list", "data": [{"id": name, "object": "model"} for name in served.models]}
        raise Refused(f"GET {path} is unknown; there is GET /v1/models", 404)
    if path not in ("/v1/chat/completions", "/v1/completions"):
        raise Refused(f"POST {path} is unknown; there are /v1/chat/completions and /v1/completions", 404)
    wish = read_wish(body, chat=path.startswith("/v1/chat"))
    if wish.model not in served.models:
        raise Refused(f"the model {wish.model!r} is unknown; there are {', '.join(served.models)}", 404)
    try:
        return _echo(served, wish) if wish.echo else _complete(served, wish)
    except ValueError as error:
        raise Refused(str(error)) from error


def read_wish(body: bytes, chat: bool) -> Wish:
    """The request in ``body``; raises Refused for one that cannot be read."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused("the request is no JSON") from error
    if not isinstance(said, dict):
        raise Refused("the request is no JSON object")
    if said.get("stream"):
        raise Refused("streaming is not offered; leave out stream")
    top = said.get("top_logprobs") if chat else None
    return Wish(
        model=str(said.get("model")),
        prompt=_messages(said.get("messages")) if chat else _raw(said.get("prompt")),
        chat=chat,
        n=_whole(said, "n", 1, MOST_N, default=1),
        temperature=_temperature(said.get("temperature")),
        seed=_whole(said, "seed", -(2**63), 2**63 - 1),
        max_tokens=_whole(
            said, "max_completion_tokens" if "max_completion_tokens" in said else "max_tokens", 0, 1 << 20
        ),
        logprobs=bool(said.get("logprobs")) or (not chat and said.get("logprobs") == 0),
        top=0 if top is None else _whole(said, "top_logprobs", 0, MOST_TOP),
        echo=bool(said.get("echo")) and not chat,
    )


def _messages(said: Any) -> Prompt:
    if not isinstance(said, list) or not said or not all(isinstance(message, dict) for message in said):
        raise Refused("messages must be a list of at least one message")
    return [{"role": str(message.get("role")), "content": _content(message.get("content"))} for message in said]


def _content(said: Any) -> str:
    if isinstance(said, list) and all(isinstance(part, dict) for part in said):
        said = "".join(str(part.get("text", "")) for part in said)
    return _text(said, "a message's content must be text")


def _raw(said: Any) -> Prompt:
    return Raw(_text(said, "prompt must be one text"))


def _text(said: Any, wanted: str) -> str:
    if not isinstance(said, str):
        raise Refused(wanted)
    try:
        said.encode()
    except UnicodeEncodeError as error:  # JSON can hold half of a surrogate pair; a tokenizer cannot take it
        raise Refused(f"{wanted}: this is no Unicode text") from error
    return said


def _whole(said: dict[str, Any], name: str, low: int, high: int, default: int | None = None) -> Any:
    value = said.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refused(f"{name}={value!r} must be a whole number from {low} to {high}")
    return value


def _temperature(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise Refused(f"temperature={value!r} must be a number from 0")
    return float(value)


def _complete(served: Served, wish: Wish) -> dict[str, Any]:
    turns = served.complete(wish.model, wish.prompt, wish.n, wish.temperature, wish.seed, wish.max_tokens)
    choices = [_choice(served, wish, number, turn) for number, turn in enumerate(turns)]
    written = sum(len(turn.text_ids or ()) for turn in turns)
    return _answer(wish, choices, len(turns[0].prompt_ids or ()), written)


def _choice(served: Served, wish: Wish, number: int, turn: Turn) -> dict[str, Any]:
    told = {"message": {"role": "assistant", "content": turn.text}} if wish.chat else {"text": turn.text}
    ending = "stop" if turn.stopped else "length"
    return {"index": number, **told, "finish_reason": ending, "logprobs": _logprobs(served, wish, turn)}


def _logprobs(served: Served, wish: Wish, turn: Turn) -> dict[str, Any] | None:
    ids, nats = turn.text_ids or [], turn.logprobs or []
    if not wish.logprobs:
        return None
    if not wish.chat:
        return {"tokens": served.words(ids), "token_logprobs": nats}
    entries: list[dict[str, Any]] = [
        {"token": token, "logprob": value} for token, value in zip(served.words(ids), nats, strict=True)
    ]
    for at, entry in enumerate(entries if wish.top else ()):
        top = served.top(wish.model, wish.prompt, ids[:at], min(wish.top, served.vocabulary))
        pairs = zip(top.tokens, top.logprobs, strict=True)
        entry["top_logprobs"] = [{"token": token, "logprob": value} for token, value in pairs]
    return {"content": entries}


def _echo(served: Served, wish: Wish) -> dict[str, Any]:
    """The prompt again, with what the model would have given it: for scoring texts."""
    if wish.max_tokens != 0:
        raise Refused("echo goes with max_tokens=0 here")
    told = served.read(wish.model, str(wish.prompt))
    logprobs = {"tokens": told.tokens, "token_logprobs": told.logprobs}
    choice = {"index": 0, "text": str(wish.prompt), "finish_reason": "length", "logprobs": logprobs}
    return _answer(wish, [choice], len(told.tokens), 0)


def _answer(wish: Wish, choices: list[dict[str, Any]], prompt_tokens: int, written: int) -> dict[str, Any]:
    return {
        "object": "chat.completion" if wish.chat else "text_completion",
        "model": wish.model,
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": written,
            "total_tokens": prompt_tokens + written,
            "prompt_tokens_details": {"cached_tokens": 0},  # nothing is kept between requests
        },
    }
