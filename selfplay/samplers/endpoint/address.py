"""Where an endpoint is, and the key that opens it: the key is sent, never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ENV_NAME = r"[A-Z_][A-Z0-9_]*"
SHORTEST_KEY = 4
"""Anything shorter is no key, and blotting it out would blot out half of every message."""

KEY_NAME = re.compile(r"api[-_]?key|authorization|(access|auth)[-_]?token|secret|password|bearer", re.IGNORECASE)
KEY_VALUE = re.compile(r"\b(sk-|hf_|gsk_|xai-|AIza)[\w-]{8,}|\bbearer\s+\S", re.IGNORECASE)
"""How the keys of OpenAI, Anthropic, Hugging Face, Groq, xAI and Google begin, or a header that holds any."""


def may_be_shown(word: str) -> bool:
    """Whether a word that was refused can be repeated: it is no address, whole or not, and no key.

    >>> may_be_shown("runs/serl"), may_be_shown("bob:hunter2@host/v1"), may_be_shown("sk-0123456789")
    (True, False, False)
    """
    return not re.search(r"@|//|\?", word) and not KEY_VALUE.search(word)


class Address:
    """
    Args:
        url: the root of the API: ``http://localhost:8000/v1``. A query (Azure's ``?api-version=...``) stays.
        api_key_env: the environment variable that holds the key; None = the server wants none.
        environment: None = this process's.

    Raises:
        ValueError: an address that cannot be used or that holds a key itself, or a variable that is not set. No message
            shows what might be a key.
    """

    def __init__(
        self, url: str | None, api_key_env: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        check_form(url, api_key_env)
        if not url:
            raise ValueError(
                "endpoint.url is empty; give the root of the API, e.g. endpoint.url=http://localhost:8000/v1."
            )
        self.url = str(url)
        parts = urlsplit(self.url)
        self.secure, self.host, self.port = parts.scheme == "https", str(parts.hostname), parts.port
        self._path, self._query = parts.path.rstrip("/"), f"?{parts.query}" if parts.query else ""
        self.api_key_env = api_key_env
        self._key = _key(api_key_env, os.environ if environment is None else environment)

    def target(self, path: str) -> str:
        """What the request line asks for: ``/v1/chat/completions``."""
        return f"{self._path}/{path}{self._query}"

    def headers(self) -> dict[str, str]:
        """With the key: to be sent, never to be logged."""
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def without_key(self, text: str) -> str:
        """The text fit to be shown: some servers repeat the key in their errors."""
        return text.replace(self._key, "(key)") if self._key else text

    def hides_key(self, text: str) -> bool:
        """Whether the key stands nowhere in the text, not even as JSON within JSON writes it, with backslashes."""
        return not self._key or self._key.replace("\\", "") not in text.replace("\\", "")

    def __repr__(self) -> str:
        return f"Address({self.url!r}, {self.api_key_env!r})"


def check_form(url: str | None, api_key_env: str | None, extra: Mapping[str, Any] | None = None) -> None:
    """Refuse, with ValueError, what is no address or no name, and above all a key where the config would keep it."""
    if url:
        _check_url(str(url))
    if api_key_env is not None and not re.fullmatch(ENV_NAME, str(api_key_env)):
        raise ValueError(
            "endpoint.api_key_env must be the NAME of an environment variable in capitals, e.g. OPENAI_API_KEY, never "
            "the key itself; what was given is not shown."
        )
    for place in _keys_within(extra or {}, "endpoint.extra"):
        raise ValueError(
            f"{place} looks like a key, which would be written into the run's config; name its environment variable "
            "instead: endpoint.api_key_env=NAME."
        )


def _keys_within(value: Any, place: str) -> Iterator[str]:
    """The places, however deep, that are named like a key or hold what looks like one; their values are not shown."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if KEY_NAME.search(str(name)):
                yield f"{place}.{name}"
            yield from _keys_within(inner, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _keys_within(inner, f"{place}[{number}]")
    elif isinstance(value, str) and KEY_VALUE.search(value):
        yield place


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        held = parts.username or parts.password
        named = [name for name, _ in parse_qsl(parts.query) if re.search(r"key|token|secret", name, re.IGNORECASE)]
        broken = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        held, named, broken = None, [], True
    if held or named:
        raise ValueError(
            "endpoint.url holds a key, which would be written into the run's config; take it out of the address and "
            "name its environment variable: endpoint.api_key_env=NAME."
        )
    if broken or re.search(r"[\s\x00-\x1f\x7f]", url) or not url.isascii():
        raise ValueError(
            "endpoint.url is no address; write e.g. endpoint.url=http://localhost:8000/v1. What was given is not "
            "shown, for it may hold a key."
        )


def _key(name: str | None, environment: Mapping[str, str]) -> str:
    if name is None:
        return ""
    key = environment.get(name, "").strip()
    if not key:
        raise ValueError(
            f"endpoint.api_key_env={name}: this environment variable is not set; export {name}=..., or set "
            "endpoint.api_key_env=null for a server without keys."
        )
    if len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable():
        raise ValueError(f"endpoint.api_key_env={name}: what this variable holds cannot be a key; export it anew.")
    return key
