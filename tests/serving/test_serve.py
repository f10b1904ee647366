"""The verb ``serve``: its words, its process, and what it answers to requests that are wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from selfplay.samplers.openai import EndpointError, OpenAISampler
from selfplay.serve import main

CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "solve 3+4"}]


def ask(url: str, path: str, body: bytes | None = None) -> tuple[int, dict]:
    request = urllib.request.Request(url.removesuffix("/v1") + path, body)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_models_are_the_roles(endpoint):
    status, answer = ask(endpoint.url, "/v1/models")
    assert (status, [model["id"] for model in answer["data"]]) == (200, ["proposer", "solver"])


@pytest.mark.parametrize(
    ("path", "body", "status", "part"),
    [
        (CHAT, {"model": "judge", "messages": MESSAGES}, 404, "there are proposer, solver"),
        (CHAT, {"model": "solver"}, 400, "messages"),
        (CHAT, {"model": "solver", "messages": [7]}, 400, "messages"),
        (CHAT, {"model": "solver", "messages": [{"role": "user", "content": 7}]}, 400, "content must be text"),
        (CHAT, {"model": "solver", "messages": MESSAGES, "n": 0}, 400, "n=0"),
        (CHAT, {"model": "solver", "messages": MESSAGES, "temperature": -1}, 400, "temperature=-1"),
        (CHAT, {"model": "solver", "messages": MESSAGES, "max_tokens": 100_000}, 400, "window"),
        (CHAT, {"model": "solver", "messages": MESSAGES, "stream": True}, 400, "streaming"),
        (CHAT, {"model": "solver", "messages": [{"role": "system", "content": "x"}]}, 400, "knows the roles user and"),
        (CHAT, [1], 400, "no JSON object"),
        (CHAT, {"model": "solver", "messages": [{"role": "user", "content": "\ud800"}]}, 400, "no Unicode"),
        ("/v1/completions", {"model": "solver", "prompt": ["a"]}, 400, "one text"),
        ("/v1/completions", {"model": "solver", "prompt": "1+" * 999, "echo": True, "max_tokens": 0}, 400, "window"),
        ("/v1/completions", {"model": "solver", "prompt": "a", "echo": True}, 400, "max_tokens=0"),
        ("/v1/embeddings", {}, 404, "unknown"),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(endpoint, path, body, status, part):
    found, answer = ask(endpoint.url, path, json.dumps(body).encode())
    assert found == status
    assert part in answer["error"]["message"]


def test_usage_adds_up(endpoint):
    body = {"model": "solver", "messages": MESSAGES, "n": 3, "max_tokens": 2, "seed": 1, "logprobs": True}
    _, answer = ask(endpoint.url, CHAT, json.dumps(body).encode())
    written = sum(len(choice["logprobs"]["content"]) for choice in answer["choices"])
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert answer["usage"]["completion_tokens"] == written
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + written


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["recipe=sqlm_small", "port=http"], "port=http must be a number"),
        (["recipe=sqlm_small", "api_key_env=NOT_SET_ANYWHERE"], "not set"),
        (["recipe=sqlm_smal"], "recipe=sqlm_smal is unknown"),
        (["recipe=sqlm_small", "port=0", "adapters=nowhere"], "adapters=nowhere: "),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words, part, capsys):
    assert main(words) == 2
    line = capsys.readouterr().err
    assert part in line
    assert line.count("\n") == 1


def test_the_verb_serves_with_a_key_until_ctrl_c(monkeypatch):
    monkeypatch.setenv("SERVED_KEY", "sk-served")
    monkeypatch.setenv("OTHER_KEY", "sk-other")
    command = [sys.executable, "-m", "selfplay.cli", "serve", "recipe=sqlm_small", "port=0", "api_key_env=SERVED_KEY"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        assert said.startswith("serving proposer, solver at http://127.0.0.1:")
        url = said.split(" at ")[1].split(";")[0]
        known = OpenAISampler(url, "solver", 24, api_key_env="SERVED_KEY")
        assert known.sample("solver", ["solve 3+4"])[0][0].text
        with pytest.raises(EndpointError, match="HTTP 401"):
            OpenAISampler(url, "solver", 24, api_key_env="OTHER_KEY").sample("solver", ["solve 3+4"])
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=20) == 0
