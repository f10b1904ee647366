"""One question to an endpoint, asked until it is answered or given up.

    body --pace--> send --busy, broken, garbage? wait, again--> JSON with what was wanted | CallFailed

Tried again: 408, 409, 425, 429, every 5xx, timeouts, broken connections, and answers with status 200 that cannot be
read. Not tried again: every other refusal, for the same question would be refused again.
"""

from __future__ import annotations

import json
import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from selfplay.samplers.endpoint.address import Address
from selfplay.samplers.endpoint.pace import GivenUp, Pace
from selfplay.samplers.endpoint.transport import Answer, Broken, send

Kind = Literal["busy", "server", "timeout", "connection", "garbage", "refused", "closed"]
"""Why there is no answer. ``refused`` is about this question, ``closed`` about every question (no key, no model)."""

AGAIN: tuple[Kind, ...] = ("busy", "server", "timeout", "connection", "garbage")
LONGEST_WAIT = 60.0
"""Seconds: a backoff does not grow beyond this."""

LONGEST_RETRY_AFTER = 600.0
"""A server that asks for more patience than this many seconds is not waited for."""

MENDS: dict[Kind, str] = {
    "busy": "lower endpoint.per_minute or endpoint.at_once, or raise endpoint.retries",
    "server": "look at the server's log, or raise endpoint.retries",
    "timeout": "raise endpoint.timeout, or lower endpoint.max_new_tokens or endpoint.at_once",
    "connection": "is the server running there? Mend endpoint.url, or raise endpoint.retries",
    "garbage": "is this an OpenAI-compatible server? endpoint.url usually ends in /v1",
    "refused": "endpoint.extra changes what is sent, and removes it with null: {max_tokens: null}",
    "closed": "check endpoint.url (it usually ends in /v1), endpoint.model and endpoint.api_key_env",
}


class EndpointError(RuntimeError):
    """An endpoint does not answer and the run cannot go on; the message is one line, fit to be shown as it is."""


class CallFailed(Exception):
    """No answer after the last try. The text begins with the key and ends with the mend."""

    def __init__(self, address: Address, kind: Kind, reason: str, tries: int) -> None:
        times = f" after {tries} tries" if tries > 1 else ""
        super().__init__(f"endpoint.url={address.url}: {reason}{times}; {MENDS[kind]}.")
        self.kind: Kind = kind
        self.reason = f"{reason}{times}"


@dataclass(frozen=True)
class _Trouble:
    """What was wrong with one try; ``wait`` is what the server asks for, in seconds."""

    kind: Kind
    reason: str
    wait: float | None = None


class Caller:
    """Asks one endpoint; used by many threads.

    Args:
        timeout: seconds for each try.
        retries: further tries after the first.
        per_minute: most requests a minute, retries included; None = no limit.
        backoff: seconds before the second try; doubled for each further one, with jitter.
    """

    def __init__(
        self, address: Address, timeout: float, retries: int, per_minute: float | None, backoff: float
    ) -> None:
        self.address, self.timeout, self.retries, self.backoff = address, timeout, retries, backoff
        self._pace = Pace(per_minute)

    def call(
        self,
        path: str,
        body: dict[str, Any] | None,
        wanted: Callable[[Any], bool],
        count: Callable[..., None] = lambda **counts: None,
        stop: threading.Event | None = None,
    ) -> Any:
        """The answer's JSON, of which ``wanted`` holds.

        Args:
            count: told ``calls=1``, ``retries=1``, ``garbage=1``, ``failures=1`` as they happen.
            stop: set from outside to end waiting.

        Raises:
            CallFailed: after the last try. GivenUp: ``stop`` was set.
        """
        data = None if body is None else json.dumps(body).encode()
        stop = stop or threading.Event()
        for number in range(1, self.retries + 2):
            _sleep(self._pace.slot(), stop)
            count(calls=1, retries=int(number > 1))
            found = self._try(path, data, wanted)
            if not isinstance(found, _Trouble):
                return found
            count(garbage=int(found.kind == "garbage"))
            if found.kind not in AGAIN or number > self.retries or (found.wait or 0.0) > LONGEST_RETRY_AFTER:
                count(failures=1)
                raise CallFailed(self.address, found.kind, found.reason, number)
            if found.wait:
                self._pace.hold(found.wait)
            else:
                _sleep(waiting(number, self.backoff, random.random()), stop)
        raise AssertionError("the last try either answers or raises")

    def _try(self, path: str, data: bytes | None, wanted: Callable[[Any], bool]) -> Any:
        try:
            answer = send(self.address, path, data, self.timeout)
        except Broken as error:
            return _Trouble(error.kind, str(error))
        if answer.status != 200:
            return self._refusal(answer)
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError):
            return _Trouble("garbage", f"status 200 with what is no JSON{self._quoted(answer.body)}")
        return found if wanted(found) else _Trouble("garbage", f"an answer without content{self._quoted(answer.body)}")

    def _refusal(self, answer: Answer) -> _Trouble:
        phrase = self.address.without_key(answer.phrase)[:40]
        reason = f"HTTP {answer.status} {phrase}".rstrip() + self._quoted(answer.body)
        wait = retry_after(answer.retry_after, datetime.now(UTC))
        if wait is not None and wait > LONGEST_RETRY_AFTER:
            reason += f" and asks to wait {wait:.0f} s"
        return _Trouble(kind_of(answer.status), reason, wait)

    def _quoted(self, body: bytes) -> str:
        """The server's own words, shortened, without the key."""
        said = " ".join(self.address.without_key(_message(body)).split())
        said = "".join(sign if sign.isprintable() else "?" for sign in said)
        return f" ({said[:200]})" if said else ""


def kind_of(status: int) -> Kind:
    """
    >>> [kind_of(status) for status in (429, 503, 408, 400, 401, 404, 301)]
    ['busy', 'server', 'busy', 'refused', 'closed', 'closed', 'closed']
    """
    if status in (408, 409, 425, 429):
        return "busy"
    if status >= 500:
        return "server"
    return "closed" if status in (401, 402, 403, 404, 405) or status < 400 else "refused"


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that the header asks for, as a number or as a date; None where it says nothing that can be read.

    >>> now = datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
    >>> retry_after("2", now), retry_after("Wed, 21 Oct 2015 07:28:30 GMT", now), retry_after("soon", now)
    (2.0, 30.0, None)
    """
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            then = parsedate_to_datetime(header)
        except (ValueError, TypeError):
            return None
        seconds = (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def waiting(tries: int, backoff: float, chance: float) -> float:
    """Seconds before the next try: doubled each time, half of it by chance, so that threads do not come back together.

    >>> [waiting(tries, 1.0, 1.0) for tries in (1, 2, 3, 9)], waiting(3, 1.0, 0.0)
    ([1.0, 2.0, 4.0, 60.0], 2.0)
    """
    longest = min(LONGEST_WAIT, backoff * 2 ** (tries - 1))
    return longest * (0.5 + 0.5 * chance)


def _message(body: bytes) -> str:
    """``error.message`` of an answer, or the beginning of whatever it is."""
    text = body[:4000].decode("utf-8", errors="replace")
    try:
        said = json.loads(body)
        error = said.get("error", said)
        return str(error.get("message", error) if isinstance(error, dict) else error)
    except (ValueError, AttributeError, RecursionError):
        return text


def _sleep(seconds: float, stop: threading.Event) -> None:
    if stop.wait(seconds) if seconds > 0 else stop.is_set():
        raise GivenUp
