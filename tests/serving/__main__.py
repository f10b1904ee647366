"""The product's own server on a small base, which can be told to misbehave: ``python -m tests.serving [WORDS]``.

POST /faults with a list such as [["status", 500], ["half"]] lets the next requests go wrong in that order, by the
method of that name; GET /seen says what was asked since then, and what was answered. Whoever speaks to /v1 cannot know.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from selfplay.configuration import build, compose
from selfplay.players import model_sampler
from selfplay.samplers.hf import HFSampler
from selfplay.samplers.served import Served
from selfplay.serve import Handler, Server


class Faults:
    """What is still to go wrong, and what was asked."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.era = 0  # how often faults were set: requests of an earlier one are counted no more
        self.set([])

    def set(self, wanted: list[list[Any]]) -> None:
        with self.lock:
            self.era += 1
            self.todo, self.seen, self.answered = wanted, [], []
            self.now, self.most = 0, 0  # requests under way
            self.holding, self.held = False, 0  # whether nobody is answered any more, and who waits for that

    def next(self, request: dict[str, Any]) -> list[Any]:
        with self.lock:
            self.seen.append(request)
            self.now += 1
            self.most = max(self.most, self.now)
            fault = self.todo.pop(0) if self.todo else []
            self.holding = self.holding or fault == ["hold"]
            self.held += self.holding
            return ["hold"] if self.holding else fault

    def over(self, era: int) -> None:
        with self.lock:
            self.now -= era == self.era


FAULTS = Faults()


class Misbehaving(Handler):
    def do_GET(self) -> None:
        if self.path == "/seen":
            told = {name: getattr(FAULTS, name) for name in ("seen", "answered", "most", "now", "held")}
            self._send(200, told)
        else:
            super().do_GET()

    def do_POST(self) -> None:
        if self.path == "/faults":
            FAULTS.set(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._send(200, {})
            return
        self._data = self.rfile.read(int(self.headers["Content-Length"]))
        request = {"path": self.path, "body": json.loads(self._data), "key": self.headers.get("Authorization"),
                   "time": time.monotonic()}  # fmt: skip
        self._era = FAULTS.era
        kind, *values = FAULTS.next(request) or ["none"]
        try:
            getattr(self, f"_{kind}")(*values)
        except BrokenPipeError:
            pass  # the client did not wait: that is what it is tested for
        finally:
            FAULTS.over(self._era)

    def _none(self) -> None:
        self._answer(self._data)
        FAULTS.answered.append(json.loads(self._data))

    def _hold(self) -> None:
        """No answer, to this one and all that follow, until the next faults are set."""
        while self._era == FAULTS.era:
            time.sleep(0.01)
        self.close_connection = True

    def _status(self, status: int, message: str = "no", headers: dict[str, str] | None = None) -> None:
        """A refusal; with ``{key}`` in the message, the caller's own key in it."""
        said = message.replace("{key}", str(self.headers.get("Authorization")))
        data = json.dumps({"error": {"message": said}}).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _slow(self, seconds: float) -> None:
        time.sleep(seconds)
        self._answer(self._data)

    def _drip(self, seconds: float) -> None:
        """A byte now and then: no single read is ever slow."""
        self.send_response(200)
        self.end_headers()
        for _ in range(int(seconds / 0.05)):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)
        self.close_connection = True

    def _half(self) -> None:
        data = b'{"choices": [{"message": {"content": "half a re'
        self.send_response(200)
        self.send_header("Content-Length", "400")
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    def _drop(self) -> None:
        self.close_connection = True

    def _say(self, text: str) -> None:
        """Status 200 and any text at all."""
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _one(self) -> None:
        """As a server that does not know ``n``."""
        request = json.loads(self._data)
        request.pop("n", None)
        self._answer(json.dumps(request).encode())


def main() -> None:
    words = sys.argv[1:] or ["recipe=sqlm_small", "sampler.max_new_tokens={proposer: 16, solver: 24}"]
    config = compose(words)
    sampler = model_sampler(config, build(config, "game"))
    assert isinstance(sampler, HFSampler)
    served = Served(sampler)
    server = Server(served, "127.0.0.1", 0, handler=Misbehaving)
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
