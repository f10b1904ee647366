"""A real server process on loopback, started once; each test begins with a well-behaved one."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from selfplay.samplers.openai import OpenAISampler


class Endpoint:
    """The server as a test sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def misbehave(self, *faults: list[Any]) -> None:
        """What the next requests meet, in this order; forgets what was seen."""
        self._ask("faults", json.dumps(faults).encode())

    @property
    def seen(self) -> list[dict[str, Any]]:
        """Requests since ``misbehave``: path, body, key, time."""
        return self._ask("seen")["seen"]

    @property
    def state(self) -> dict[str, Any]:
        """All that the server tells: seen, answered (bodies, in order), most, now (under way), held (of them)."""
        return self._ask("seen")

    @property
    def most(self) -> int:
        """Most requests that were under way together."""
        return self._ask("seen")["most"]

    def sampler(self, **settings: Any) -> OpenAISampler:
        """A client with short waits; ``settings`` are the group's keys."""
        short = {"timeout": 20, "retries": 3, "backoff": 0.02, "max_new_tokens": 24}
        return OpenAISampler(**{"url": self.url, "model": "solver", **short, **settings})

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self.url.removesuffix('/v1')}/{path}", body)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def process() -> Iterator[str]:
    yield from serving()


@pytest.fixture(scope="module")
def rule_books() -> Iterator[Endpoint]:
    """The base of ctx2skill_small, each role under its name."""
    for url in serving("recipe=ctx2skill_small"):
        yield Endpoint(url)


def serving(*words: str) -> Iterator[str]:
    """The address of a server process, which is ended afterwards."""
    command = [sys.executable, "-m", "tests.serving", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.kill()


@pytest.fixture
def endpoint(process: str) -> Endpoint:
    assert process, "the server did not start; see python -m tests.serving"
    endpoint = Endpoint(process)
    endpoint.misbehave()
    return endpoint
