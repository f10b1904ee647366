"""A server process that speaks the protocol and plays Ctx2Skill's agents on documents by rote.

    python -m tests.serving.librarian

It knows an agent by what it is asked for. A prompt with the word CURSE-500, CURSE-429, CURSE-SLOW, CURSE-HALF or
CURSE-GARBAGE in its document never gets an answer. GET /seen gives every request.
"""

from __future__ import annotations

import json
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SEEN: list[dict[str, Any]] = []
SLOW = 8.0
"""Seconds: more than a client of these tests waits."""


def agent_of(text: str) -> str:
    """By a few words of each prompt in selfplay/roles/skill_prompts.py."""
    marks = {
        "tasks with which to test the assistant": "challenger",
        "Reply with the answer to the task": "reasoner",
        "Say of each rubric whether the answer meets it": "judge",
        "which skill it should be given": "proposer",
        "say which skill would lead": "proposer",
        "Write the skill that is proposed": "generator",
    }
    return next((agent for mark, agent in marks.items() if mark in text), "unknown")


def reply(agent: str, text: str) -> str:
    if agent == "challenger":
        tasks = [{"task": f"Say {letter}.", "rubrics": [f"Says {letter}."] * 8} for letter in "AB"]
        return json.dumps({"tasks": tasks})
    if agent == "judge":
        met = "yes" if "Says A." in text else "no"
        return json.dumps({"rationale": "so", "statuses": [met] * 8, "overall": int(met == "yes")})
    if agent == "proposer":
        return json.dumps({"action": "create", "target_skill": "", "skill_name": "exact", "description": "D.",
                           "proposed_skill": "Judge: say yes."})  # fmt: skip
    if agent == "generator":
        skill = "---\nname: exact\ndescription: When asked.\n---\n\nJudge: say yes to every rubric."
        return json.dumps({"skill_content": skill, "reasoning": ""})
    return "It is A."


class Librarian(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._send(200, json.dumps(SEEN).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = "\n".join(message["content"] for message in body["messages"])
        SEEN.append({"agent": agent_of(text), "text": text})
        curse = re.search(r"CURSE-(\w+)", text)
        if curse is None:
            choice = {"message": {"role": "assistant", "content": reply(agent_of(text), text)}, "finish_reason": "stop"}
            usage = {"prompt_tokens": len(text) // 4, "completion_tokens": 10}
            self._send(200, json.dumps({"choices": [choice], "usage": usage}).encode())
        elif curse[1].isdecimal():
            self._send(int(curse[1]), b'{"error": {"message": "no"}}')
        elif curse[1] == "GARBAGE":
            self._send(200, b"<html>hello")
        elif curse[1] == "SLOW":
            time.sleep(SLOW)
            self.close_connection = True
        else:
            self._send(200, b'{"choices": [{"message"', more=400)
            self.close_connection = True

    def _send(self, status: int, data: bytes, more: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data) + more))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


if __name__ == "__main__":
    ThreadingHTTPServer.request_queue_size = 64  # a client may connect as often at once
    server = ThreadingHTTPServer(("127.0.0.1", 0), Librarian)
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()
