"""What an endpoint is asked: the prompt and everything besides it; every value checked when the recipe is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfplay.types import Prompt, Raw

ON_FAILURE = ("stop", "mark")
PRICES = ("prompt", "completion")
OURS = ("messages", "prompt", "echo", "stream", "n")
"""Keys of a request that ``extra`` may not touch: the answer could not be read."""


@dataclass(frozen=True)
class Settings:
    """Values as in the config group ``endpoint``; see ``samplers.openai.OpenAISampler``.

    Raises:
        ValueError: naming the key, its value and the mend.
    """

    model: str | None
    max_new_tokens: int | Mapping[str, int]
    temperature: float
    timeout: float
    retries: int
    backoff: float
    at_once: int
    per_minute: float | None
    most_n: int | None
    logprobs: bool
    on_failure: str
    extra: dict[str, Any]
    prices: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not self.model.strip():
            raise ValueError(
                "endpoint.model is empty; give the model's name at the server, as GET <url>/models lists it."
            )
        limits = self.max_new_tokens
        for limit in limits.values() if isinstance(limits, Mapping) else [limits]:
            _whole("max_new_tokens", limit, 1)
        _number("temperature", self.temperature, 0)
        _number("timeout", self.timeout, 0, above=True)
        _whole("retries", self.retries, 0)
        _number("backoff", self.backoff, 0)
        _whole("at_once", self.at_once, 1)
        if self.per_minute is not None:
            _number("per_minute", self.per_minute, 0, above=True)
        if self.most_n is not None:
            _whole("most_n", self.most_n, 1)
        if self.on_failure not in ON_FAILURE:
            raise ValueError(f"endpoint.on_failure={self.on_failure!r} must be one of {', '.join(ON_FAILURE)}.")
        self._check_prices()
        for name in self.extra:
            if name in OURS:
                raise ValueError(f"endpoint.extra.{name} would break what is asked and read; leave it out.")

    def _check_prices(self) -> None:
        if self.prices is None:
            return
        if not isinstance(self.prices, Mapping) or set(self.prices) != set(PRICES):
            raise ValueError(
                f"endpoint.prices={self.prices!r} must give both, of a million tokens: {{prompt: 2.0, completion: 8.0}}"
            )
        for name, price in self.prices.items():
            _number(f"prices.{name}", price, 0)

    def heat(self, temperature: float | None) -> float:
        """The temperature of one round; raises ValueError for a negative one."""
        return self.temperature if temperature is None else _number("temperature", temperature, 0)

    def new_tokens(self, role: str) -> int:
        """The token limit of a role's replies; ValueError where there is none."""
        limits = self.max_new_tokens
        if isinstance(limits, Mapping) and role not in limits:
            raise ValueError(f"endpoint.max_new_tokens has no entry for the role {role!r}; it has {sorted(limits)}.")
        return limits[role] if isinstance(limits, Mapping) else limits

    def parts(self, n: int) -> list[int]:
        """How many replies each call for one prompt asks for: ``most_n=4`` makes [4, 4, 2] of 10."""
        most = self.most_n or n
        return [min(most, n - done) for done in range(0, n, most)]

    def sampling(self, role: str, n: int, temperature: float, path: str) -> dict[str, Any]:
        """The keys that say how to sample."""
        body: dict[str, Any] = {"max_tokens": self.new_tokens(role), "temperature": temperature}
        if n > 1:  # a server without n often refuses the word
            body["n"] = n
        if self.logprobs:
            body["logprobs"] = True if path == "chat/completions" else 0
        return body

    def dressed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The whole request: ours, then the user's; what the user sets to null is left out."""
        whole = {"model": self.model, **body, **self.extra}
        return {name: value for name, value in whole.items() if value is not None}


def question(prompt: Prompt) -> tuple[str, dict[str, Any]]:
    """Where a prompt is asked, and the part of the request that holds it.

    >>> question("solve 3+4")
    ('chat/completions', {'messages': [{'role': 'user', 'content': 'solve 3+4'}]})
    >>> question(Raw("once upon"))
    ('completions', {'prompt': 'once upon'})
    """
    if isinstance(prompt, Raw):
        return "completions", {"prompt": str(prompt)}
    return "chat/completions", {
        "messages": [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
    }


def _whole(key: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"endpoint.{key}={value!r} must be a whole number from {least}.")


def _number(key: str, value: Any, low: float, above: bool = False) -> float:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or value < low or (above and value == low):
        raise ValueError(f"endpoint.{key}={value!r} must be a number {'above' if above else 'from'} {low}.")
    return float(value)
