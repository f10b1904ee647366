"""A server that is busy, broken, slow or talks garbage: bounded tries, then one clear line or a marked turn."""

from __future__ import annotations

import time

import pytest

from selfplay.samplers.openai import EndpointError
from selfplay.tracking.transcripts import transcript
from selfplay.types import Episode, Raw, Seed, Turn

KEY = "sk-test-0123456789"
TEXTLESS = (
    '{"choices": [{"message": {"role": "assistant", "content": null, "reasoning_content": "hm"}}]}',
    '{"choices": [null]}',
    '{"choices": [{"message": []}]}',
    '{"choices": [{"text": 3, "logprobs": {"content": 1}}]}',
)


def one(sampler, prompt="solve 3+4"):
    return sampler.sample("solver", [prompt], temperature=0.0)[0][0]


@pytest.mark.parametrize(
    ("faults", "retries", "garbage"),
    [
        ([["status", 429, "slow down"]], 1, 0),
        ([["status", 500]] * 3, 3, 0),
        ([["status", 503], ["half"], ["drop"]], 3, 0),
        ([["say", "<html>"], ["say", '{"choices": []}'], ["say", '{"error": {"message": "overloaded"}}']], 3, 3),
        ([["say", "[" * 100_000], ["say", '{"choices": 7}'], ["say", "null"]], 3, 3),
        ([["slow", 3.0]], 1, 0),
        ([["drip", 3.0]], 1, 0),
    ],
)
def test_what_passes_is_outlived(endpoint, faults, retries, garbage):
    expected = one(endpoint.sampler()).text
    endpoint.misbehave(*faults)
    sampler = endpoint.sampler(timeout=1.0)
    started = time.monotonic()
    turn = one(sampler)
    assert time.monotonic() - started < 3
    assert (turn.text, turn.failure) == (expected, "")
    counts = sampler.ledger.total()
    assert (counts.calls, counts.retries, counts.failures, counts.garbage) == (retries + 1, retries, 0, garbage)


@pytest.mark.parametrize("header", ["1", "date"])
def test_retry_after_is_obeyed_by_everybody(endpoint, header):
    if header == "date":
        header = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))  # whole seconds: 1 to 2 s
    endpoint.misbehave(["status", 429, "wait", {"Retry-After": header}])
    sampler = endpoint.sampler(at_once=1)
    sampler.sample("solver", ["solve 3+4", "solve 1+1"], temperature=0.0)
    times = [request["time"] for request in endpoint.seen]
    assert len(times) == 3
    assert times[1] - times[0] >= 0.9


def test_a_server_that_asks_for_an_hour_is_not_waited_for(endpoint):
    endpoint.misbehave(["status", 429, "wait", {"Retry-After": "3600"}])
    with pytest.raises(EndpointError, match=r"HTTP 429 .*asks to wait 3600 s"):
        one(endpoint.sampler())


@pytest.mark.parametrize(
    ("fault", "tries", "parts"),
    [
        (
            ["status", 429, "slow down"],
            3,
            ["HTTP 429 Too Many Requests (slow down) after 3 tries", "endpoint.per_minute"],
        ),
        (["status", 502], 3, ["HTTP 502 Bad Gateway (no) after 3 tries", "endpoint.retries"]),
        (["drop"], 3, ["after 3 tries", "is the server running there?"]),
        (["slow", 2.0], 3, ["no whole answer within 0.4 s after 3 tries", "endpoint.timeout"]),
        (["status", 401, "bad key"], 1, ["HTTP 401 Unauthorized (bad key); ", "endpoint.api_key_env"]),
        (["status", 404, "no model"], 1, ["HTTP 404 Not Found (no model); ", "endpoint.model"]),
        (["status", 302, "there", {"Location": "http://elsewhere/"}], 1, ["HTTP 302", "endpoint.url"]),
        (["status", 400, "too long\nfor me"], 1, ["HTTP 400 Bad Request (too long for me); ", "endpoint.extra"]),
        (["say", "<html>hello"], 3, ["no JSON (<html>hello) after 3 tries", "usually ends in /v1"]),
    ],
)
def test_the_last_try_ends_in_one_line(endpoint, fault, tries, parts):
    endpoint.misbehave(*[fault] * 3)
    sampler = endpoint.sampler(retries=2, timeout=0.4)
    with pytest.raises(EndpointError) as caught:
        one(sampler)
    line = str(caught.value)
    assert line.startswith(f"endpoint.url={endpoint.url}: ")
    assert "\n" not in line
    for part in parts:
        assert part in line
    counts = sampler.ledger.total()
    assert (counts.calls, counts.failures, counts.replies) == (tries, 1, 0)


def test_nobody_listening_is_one_line():
    from selfplay.samplers.openai import OpenAISampler

    sampler = OpenAISampler("http://127.0.0.1:9/v1", "m", retries=1, backoff=0.01)
    with pytest.raises(EndpointError, match=r"endpoint\.url=http://127\.0\.0\.1:9/v1: .*refused after 2 tries; is the"):
        one(sampler)


@pytest.mark.parametrize("kind", ["status", "drop", "garbage"])
def test_a_marked_failure_is_no_answer_and_the_others_go_on(endpoint, kind):
    fault = {"status": ["status", 500], "drop": ["drop"], "garbage": ["say", "{]"]}[kind]
    sampler = endpoint.sampler(on_failure="mark", retries=1, at_once=1)
    one(sampler)  # the server has been heard
    endpoint.misbehave(fault, fault)
    lost, played = (turns[0] for turns in sampler.sample("solver", ["solve 3+4", "solve 5+1"], temperature=0.0))
    assert (lost.text, lost.stopped, lost.objective) == ("", False, None)
    assert lost.failure.endswith("after 2 tries")
    assert played.text
    assert played.failure == ""
    assert sampler.ledger.total().failures == 1


def test_a_marked_turn_is_shown_as_what_it_is():
    turn = Turn("solver", "solve 3+4", "", objective=None, stopped=False, failure="HTTP 503 after 5 tries")
    lines = transcript(Episode(Seed(0, "a"), [turn]))
    assert lines[-1].strip() == "1x (empty)   [not learned from, no answer: HTTP 503 after 5 tries]"


def test_a_refused_key_ends_the_run_even_where_failures_are_marked(endpoint):
    endpoint.misbehave(["status", 403])
    with pytest.raises(EndpointError, match="HTTP 403"):
        one(endpoint.sampler(on_failure="mark"))


def test_garbage_in_the_middle_of_a_game_is_not_played(endpoint):
    """Under ``stop`` no game ever sees a failure: SERL would read one as a verdict or an answer."""
    sampler = endpoint.sampler(retries=1)
    one(sampler)
    endpoint.misbehave(["say", "<html>"], ["say", ""])
    with pytest.raises(EndpointError, match="status 200 with what is no JSON") as caught:
        one(sampler)
    assert "\n" not in str(caught.value)
    assert sampler.ledger.total().failures == 1


@pytest.mark.parametrize("said", TEXTLESS)
def test_an_answer_without_text_is_an_empty_one(endpoint, said):
    endpoint.misbehave(["say", said])
    sampler = endpoint.sampler(logprobs=True)
    turn = one(sampler)
    assert (turn.text, turn.failure, turn.logprobs) == ("", "", None)
    counts = sampler.ledger.total()
    assert (counts.empty, counts.failures, counts.retries) == (1, 0, 0)


def test_the_key_is_sent_and_shown_nowhere(endpoint, monkeypatch, tmp_path):
    monkeypatch.setenv("A_TEST_KEY", KEY)
    sampler = endpoint.sampler(api_key_env="A_TEST_KEY", retries=0)
    endpoint.misbehave([], ["status", 401, "wrong key {key} {key}"], ["say", f"no JSON, {KEY}"])
    one(sampler)
    assert endpoint.seen[0]["key"] == f"Bearer {KEY}"
    for client in (sampler, endpoint.sampler(api_key_env="A_TEST_KEY", retries=0)):  # that one never heard the server
        with pytest.raises(EndpointError) as caught:
            one(client)
        assert KEY not in "".join(map(str, [caught.value, caught.value.__cause__, vars(caught.value.__cause__)]))
        assert "(key)" in str(caught.value)
    sampler.ledger.save(tmp_path / "ledger.json")
    shown = repr(sampler.caller.address) + (tmp_path / "ledger.json").read_text() + repr(sampler.settings)
    assert KEY not in shown


def test_a_score_without_an_answer_ends_in_one_line(endpoint):
    endpoint.misbehave(["status", 500], ["status", 500])
    with pytest.raises(EndpointError, match="HTTP 500"):
        endpoint.sampler(retries=1, on_failure="mark").score("solver", [Raw("a")], ["b"])
