"""What is kept of answered calls: the file by hand, torn at every byte, shared by threads, on a full disk."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfplay.samplers.endpoint.address import Address
from selfplay.samplers.endpoint.answered import AnsweredCalls, Asker, Question, kept_calls
from selfplay.samplers.endpoint.calls import Caller, CallFailed, EndpointError
from selfplay.samplers.endpoint.ledger import Ledger
from selfplay.samplers.endpoint.transport import Answer
from selfplay.samplers.openai import OpenAISampler

BODY = {"model": "m", "messages": [{"role": "user", "content": "solve 3+4 \ud800"}], "seed": 5, "temperature": 1.0}
QUESTION = Question("chat/completions", BODY, (0, 3, 0), "solver", ("9f2c", 0, 0, 0))


def answer(text: str = ">7") -> dict[str, Any]:
    usage = {"prompt_tokens": 9, "completion_tokens": 4}
    return {"choices": [{"message": {"content": text}}], "usage": usage}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calls" / "rank-0.jsonl"


def test_what_was_kept_is_found_by_another_process(file):
    calls = AnsweredCalls(file)
    assert calls.find(QUESTION.key) is None
    calls.keep(QUESTION, answer("\ud83d half"))
    assert calls.find(QUESTION.key) == answer("\ud83d half")
    again = AnsweredCalls(file)
    assert (len(again), again.find(QUESTION.key)) == (1, answer("\ud83d half"))
    (line,) = file.read_text().splitlines()
    assert json.loads(line).keys() == {"key", "window", "role", "answer"}, "of the question a digest alone"
    assert kept_calls(file.parent) == {
        "calls": 1, "bytes": len(line) + 1, "prompt_tokens": 9, "completion_tokens": 4, "cached_tokens": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"path": "completions"},
        {"body": BODY | {"seed": 6}},
        {"body": BODY | {"model": "n"}},
        {"body": BODY | {"temperature": 0.0}},
        {"body": {name: value for name, value in BODY.items() if name != "seed"}},
        {"window": (0, 4, 0)},
        {"window": (1, 3, 0)},
        {"window": (0, 3, 1)},
        {"role": "judge"},
        {"place": ("9f2c", 1, 0, 0)},
        {"place": ("9f2c", 0, 1, 0)},
        {"place": ("9f2c", 0, 0, 1)},
    ],
)
def test_another_call_is_another_call(file, change):
    calls = AnsweredCalls(file)
    calls.keep(QUESTION, answer())
    assert calls.find(replace(QUESTION, **change).key) is None
    assert calls.find(replace(QUESTION, body=dict(reversed(BODY.items()))).key) == answer(), "in whatever order"


def test_torn_at_every_byte_the_line_before_is_whole_and_the_next_one_too(file):
    calls = AnsweredCalls(file)
    calls.keep(QUESTION, answer("first"))
    whole = file.read_bytes()
    second, third = (replace(QUESTION, place=(name, 0)) for name in "bc")
    calls.keep(second, answer("second"))
    both = file.read_bytes()
    for size in range(len(whole), len(both)):
        file.write_bytes(both[:size])
        resumed = AnsweredCalls(file)
        assert (len(resumed), resumed.find(second.key)) == (1, None)
        resumed.keep(third, answer("third"))
        resumed.keep(second, answer("asked again"))
        last = AnsweredCalls(file)
        found = [last.find(one.key) for one in (QUESTION, second, third)]
        assert found == [answer("first"), answer("asked again"), answer("third")], "what was used, not what was torn"
        assert file.read_bytes().startswith(both[:size]), "nothing is removed"


def test_threads_write_whole_lines(file):
    calls = AnsweredCalls(file)
    questions = [replace(QUESTION, place=(number,)) for number in range(64)]
    threads = [threading.Thread(target=calls.keep, args=(one, answer(f"{one.place}" * 500))) for one in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    resumed = AnsweredCalls(file)
    assert [resumed.find(one.key) for one in questions] == [answer(f"{one.place}" * 500) for one in questions]


@pytest.mark.parametrize("torn", [b'{"key": 3}\n', b"[]\n", b"\xff\n", b"null\n", b"\n", b'{"answer": {}, "key": "k"'])
def test_lines_of_another_kind_are_passed_over(file, torn):
    file.parent.mkdir()
    file.write_bytes(torn)
    calls = AnsweredCalls(file)
    assert len(calls) == 0
    calls.keep(QUESTION, answer())
    assert AnsweredCalls(file).find(QUESTION.key) == answer()
    assert kept_calls(file.parent)["calls"] == 1


@pytest.fixture
def asker(file, monkeypatch) -> Asker:
    """Whose server answers with what ``asker.said`` holds."""
    monkeypatch.setenv("A_TEST_KEY", 'sk-"quoted"-0123')
    caller = Caller(Address("http://127.0.0.1:9/v1", "A_TEST_KEY"), 1.0, 0, None, 0.0)
    asker = Asker(caller)
    asker.answered = AnsweredCalls(file)
    said: list[bytes] = []
    monkeypatch.setattr("selfplay.samplers.endpoint.calls.send", lambda *_: Answer(200, "OK", None, said.pop(0)))
    asker.said = said  # type: ignore[attr-defined]
    return asker


def ask(asker: Asker, question: Question = QUESTION) -> tuple[Any, bool, dict[str, int]]:
    ledger = Ledger()
    found, fresh = asker.ask(question, lambda **counts: ledger.count("solver", "", **counts), threading.Event())
    total = ledger.total()
    return found, fresh, {"calls": total.calls, "replayed": total.replayed}


def test_an_answered_call_is_not_asked_again(asker):
    asker.said.append(json.dumps(answer()).encode())
    assert ask(asker) == (answer(), True, {"calls": 1, "replayed": 0})
    assert ask(asker) == (answer(), False, {"calls": 0, "replayed": 1})


def test_garbage_after_a_resume_is_one_prompts_fault(file, monkeypatch):
    """The first process heard good answers and marked one prompt; all that the second one asks is that prompt."""
    good = json.dumps(answer()).encode()

    def send(address: Address, path: str, body: bytes, timeout: float) -> Answer:
        return Answer(200, "OK", None, b"<html>" if b"bad" in body else good)

    monkeypatch.setattr("selfplay.samplers.endpoint.calls.send", send)
    for _ in range(2):
        sampler = OpenAISampler("http://127.0.0.1:9/v1", "m", at_once=1, retries=0, on_failure="mark")
        sampler.asker.answered = AnsweredCalls(file)
        turns = sampler.sample("judge", ["fine", "bad"])
        assert [turn.failure == "" for (turn,) in turns] == [True, False]
    assert sampler.ledger.total().replayed == 1


def test_keys_of_mixed_kinds_can_be_told_apart():
    """YAML reads a token's number as a number."""
    bodies = [BODY | {"logit_bias": {50256: value, "a": 1}} for value in (-100, 100)]
    keys = {replace(QUESTION, body=body).key for body in bodies}
    assert len(keys) == 2
    assert replace(QUESTION, body=BODY | {"logit_bias": {"a": 1, "50256": -100}}).key in keys, "as it is sent"


def test_only_the_owner_may_read_what_was_answered(file):
    AnsweredCalls(file)
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_answer_that_cannot_be_read_back_is_asked_again(asker, monkeypatch):
    asker.answered.keep(QUESTION, answer("lost"))

    def broken(*_: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("selfplay.samplers.endpoint.answered.os.pread", broken)
    asker.said.append(json.dumps(answer("again")).encode())
    assert ask(asker)[:2] == (answer("again"), True)


@pytest.mark.parametrize("said", [b"<html>", b'{"choices": []}', b"null"])
def test_garbage_is_not_kept(asker, said):
    asker.said.append(said)
    with pytest.raises(CallFailed):
        ask(asker)
    assert len(asker.answered) == 0


def test_an_answer_of_no_use_is_not_kept(asker):
    """Scores: another server may list log-probabilities."""
    asker.said.append(json.dumps(answer()).encode())
    ask(asker, replace(QUESTION, worth=lambda found: False))
    assert len(asker.answered) == 0


@pytest.mark.parametrize("text", ['it is sk-"quoted"-0123', '{"key": "sk-\\"quoted\\"-0123"}'])
def test_the_key_is_never_written(asker, file, text):
    asker.said.append(json.dumps(answer(text)).encode())
    assert ask(asker)[0] == answer(text)
    assert b"quoted" not in file.read_bytes()
    assert len(asker.answered) == 0


def test_a_full_disk_ends_in_one_line_and_leaves_whole_lines(asker, file, monkeypatch):
    asker.answered.keep(QUESTION, answer())
    before, write = file.read_bytes(), os.write

    def half(handle: int, data: bytes) -> int:
        if len(data) > 20:
            return write(handle, data[:20])
        raise OSError(28, "No space left on device")

    def full(handle: int, data: bytes) -> int:
        if file.stat().st_size > len(before):
            raise OSError(28, "No space left on device")
        return half(handle, data)

    monkeypatch.setattr("selfplay.samplers.endpoint.answered.os.write", full)
    asker.said.append(json.dumps(answer()).encode())
    with pytest.raises(EndpointError, match=r"^cannot keep an answered call in .*No space left.*resume=auto\.$"):
        ask(asker, replace(QUESTION, role="judge"))
    assert file.read_bytes() == before


def test_a_prompt_keeps_its_calls_whatever_stands_before_it(monkeypatch):
    """A context that failed may be answered after a resume: the others' requests must not change for it."""
    sent: list[dict[str, Any]] = []

    def send(address: Address, path: str, body: bytes, timeout: float) -> Answer:
        sent.append(json.loads(body))
        return Answer(200, "OK", None, json.dumps(answer()).encode())

    monkeypatch.setattr("selfplay.samplers.endpoint.calls.send", send)
    sampler = OpenAISampler("http://127.0.0.1:9/v1", "m", at_once=1)
    sampler.begin(0, 1, 0)
    sampler.sample("judge", ["a", "b", "b"], n=1)
    first, sent[:] = sent[1:], []
    sampler.begin(0, 1, 0)
    sampler.sample("judge", ["b"], n=1)
    sampler.sample("judge", ["b"], n=1)
    assert sent == first
    assert first[0]["seed"] != first[1]["seed"]
