"""Serve a recipe's roles over the OpenAI protocol, each role as a model of its name: to talk to them, or to let them
play elsewhere through ``players.<role>=endpoint``.

    selfplay serve recipe=sqlm_small                                    the base, as it is before any training
    selfplay serve recipe=sqlm_small adapters=runs/quickstart/adapters  a trained policy
    curl localhost:8000/v1/completions -d '{"model": "solver", "prompt": "<|user|>solve 2+3<|assistant|>"}'

Further words: ``host=127.0.0.1``, ``port=8000`` (0 = any free one, which is printed), ``api_key_env=NAME`` (callers
must send the key that this environment variable holds). One request is answered at a time; no streaming.
"""

from __future__ import annotations

import hmac
import json
import os
import signal
import sys
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfplay.checks import check
from selfplay.configuration import RecipeError, build, compose
from selfplay.players import model_sampler
from selfplay.serve_protocol import Refused, respond

if TYPE_CHECKING:
    from selfplay.samplers.served import Served

MOST_BYTES = 16 * 2**20
OWN = {"adapters": "", "host": "127.0.0.1", "port": "8000", "api_key_env": ""}
"""This verb's own words, and what they are unless given."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    @property
    def home(self) -> Server:
        assert isinstance(self.server, Server)
        return self.server

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True  # what follows is not read
            self._send(413, _error(f"a request needs a Content-Length of at most {MOST_BYTES}"))
            return
        self._answer(self.rfile.read(int(length)))

    def _answer(self, body: bytes | None) -> None:
        try:
            self._check_key()
            self._send(200, respond(self.home.served, self.path.partition("?")[0], body))
        except Refused as refused:
            self._send(refused.status, _error(str(refused)))

    def _check_key(self) -> None:
        sent = self.headers.get("Authorization", "").encode()
        if self.home.key and not hmac.compare_digest(sent, f"Bearer {self.home.key}".encode()):
            raise Refused("this server wants its key as a bearer token", 401)

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: prompts and addresses are nobody's business."""


class Server(ThreadingHTTPServer):
    """Listens from the start; ``serve_forever`` answers."""

    daemon_threads = True

    def __init__(self, served: Served, host: str, port: int, key: str = "", handler: type[Handler] = Handler) -> None:
        super().__init__((host, port), handler)
        self.served, self.key = served, key

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}/v1"


def own_words(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """This verb's words, and the recipe's.

    >>> own_words(["recipe=sqlm_small", "port=0"])[1]
    ['recipe=sqlm_small']

    Raises:
        RecipeError: a port that is none.
    """
    own, rest = dict(OWN), []
    for word in words:
        key, _, value = word.partition("=")
        if key in own:
            own[key] = value
        else:
            rest.append(word)
    if not own["port"].isdecimal() or int(own["port"]) > 65535:
        raise RecipeError(f"port={own['port']} must be a number from 0 (any free port) to 65535.")
    return own, rest


def _open(words: Sequence[str]) -> Server:
    own, rest = own_words(words)
    config = compose(rest)
    check(config)
    key = os.environ.get(own["api_key_env"], "") if own["api_key_env"] else ""
    if own["api_key_env"] and not key:
        raise RecipeError("api_key_env: this environment variable is not set; export it, or leave the word out.")
    adapters = Path(own["adapters"]).expanduser() if own["adapters"] else None
    sampler = model_sampler(config, build(config, "game"), adapters)
    from selfplay.samplers.hf import HFSampler
    from selfplay.samplers.served import Served

    if not isinstance(sampler, HFSampler):
        raise RecipeError(
            "sampler: only the transformers sampler can be served; leave the word out, or say sampler=hf."
        )
    try:
        return Server(Served(sampler), own["host"], int(own["port"]), key)
    except OSError as error:
        raise RecipeError(f"host={own['host']} port={own['port']}: {error.strerror}; try port=0.") from error


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error"}}


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: 0 after Ctrl-C, 2 a mistake in the words."""
    try:
        server = _open(sys.argv[1:] if words is None else words)
    except RecipeError as error:
        print(f"selfplay: {error}", file=sys.stderr)
        return 2
    print(f"serving {', '.join(server.served.models)} at {server.url}; Ctrl-C ends it", flush=True)
    if not str(server.server_address[0]).startswith("127.") and not server.key:
        print("selfplay: without api_key_env=NAME whoever reaches this machine can ask.", file=sys.stderr)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script that starts us in the background ignores it
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
