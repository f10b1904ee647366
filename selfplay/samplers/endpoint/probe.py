"""Whether an endpoint answers, asked without spending a token: GET /models."""

from __future__ import annotations

from typing import Any

from selfplay.samplers.endpoint.address import Address
from selfplay.samplers.endpoint.calls import Caller, CallFailed

SECONDS = 10.0
SHOWN = 5
"""As many model names as a line can list."""


def models_of(url: str | None, api_key_env: str | None = None) -> list[str]:
    """The names of the models that are served.

    Raises:
        ValueError: an address or a key that cannot be used. CallFailed: no answer; its text is one line.
    """
    caller = Caller(Address(url, api_key_env), SECONDS, retries=1, per_minute=None, backoff=0.5)
    listed = caller.call("models", None, _has_list)["data"]
    return [str(model.get("id")) for model in listed if isinstance(model, dict)]


def probe(url: str | None, api_key_env: str | None = None, model: str | None = None) -> tuple[bool, str]:
    """(whether ``model`` can be asked there, one line about it). Never raises for what a server says."""
    try:
        names = models_of(url, api_key_env)
    except (ValueError, CallFailed) as error:
        return False, str(error)
    served = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    if model is not None and model not in names:
        return False, f"{url} answers, but serves no {model}; it serves {served or 'nothing'}"
    return True, f"{url} answers and serves {served or 'nothing'}"


def _has_list(answer: Any) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get("data"), list)
