"""One HTTP request and its whole answer, within one deadline. Redirects are not followed: the key goes nowhere else."""

from __future__ import annotations

import http.client
import time
import urllib.request
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from selfplay.samplers.endpoint.address import Address

MOST_BYTES = 64 * 2**20
"""A longer answer is no answer."""

PIECE = 1 << 16
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Answer:
    """What the server sent, unread."""

    status: int
    phrase: str  # "Too Many Requests"
    retry_after: str | None  # that header
    body: bytes


class Broken(Exception):
    """No whole answer: ``kind`` says whether it was too slow, or the connection's fault."""

    def __init__(self, kind: Literal["timeout", "connection"], reason: str) -> None:
        super().__init__(reason)
        self.kind: Literal["timeout", "connection"] = kind


def send(address: Address, path: str, body: bytes | None, timeout: float) -> Answer:
    """POST ``body`` as JSON, or GET where it is None.

    Args:
        path: below the address: ``chat/completions``.
        timeout: seconds for the whole exchange; a server that drips bytes does not stretch it.

    Raises:
        Broken: too slow, unreachable, or cut off.
    """
    deadline = time.monotonic() + timeout
    connection = _connection(address, timeout)
    headers = {"Accept": "application/json", "Connection": "close", **address.headers()}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request("GET" if body is None else "POST", address.target(path), body, headers)
        response = connection.getresponse()
        whole = _read(connection, response, deadline)
        return Answer(response.status, response.reason, response.headers.get("Retry-After"), whole)
    except TimeoutError as error:
        raise Broken("timeout", f"no whole answer within {timeout:g} s") from error
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise Broken("connection", address.without_key(said)[:200]) from error
    finally:
        connection.close()


def _read(connection: http.client.HTTPConnection, response: http.client.HTTPResponse, deadline: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:  # None once the server has said that it will close
            connection.sock.settimeout(left)
        piece = response.read1(PIECE)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BYTES:
            raise http.client.HTTPException(f"the answer is longer than {MOST_BYTES >> 20} MiB")
    if response.length:  # read1 does not tell
        raise http.client.HTTPException(f"the answer was cut off, {response.length} bytes short")
    return b"".join(pieces)


def _connection(address: Address, timeout: float) -> http.client.HTTPConnection:
    """Straight to the server, or through the proxy that the environment names for it."""
    kind = http.client.HTTPSConnection if address.secure else http.client.HTTPConnection
    proxy = urllib.request.getproxies().get("https" if address.secure else "http")
    if not proxy or address.host in LOOPBACK or urllib.request.proxy_bypass(address.host):
        return kind(address.host, address.port, timeout=timeout)
    via = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    connection = kind(str(via.hostname), via.port, timeout=timeout)
    connection.set_tunnel(address.host, address.port)
    return connection
