"""A role played by a real server process: what is asked, what comes back, and what is counted."""

from __future__ import annotations

import json
import math

import pytest
import torch

from selfplay.configuration import build, compose
from selfplay.learner.batches import learnable
from selfplay.players import model_sampler
from selfplay.samplers.openai import EndpointError
from selfplay.types import Labelled, Raw

ASKED = ["solve 27+85", "solve 3+4", "solve 140+222"]
RAW = Raw("<|user|>solve 3+4<|assistant|>")


@pytest.fixture(scope="module")
def local():
    """The very model that the server plays, in this process."""
    config = compose(["recipe=sqlm_small", "sampler.max_new_tokens=24"])
    return model_sampler(config, build(config, "game"))


def texts(turns_N_G) -> list[list[str]]:
    return [[turn.text for turn in turns_G] for turns_G in turns_N_G]


def test_greedy_replies_are_the_models_own_and_asked_for_once(endpoint, local):
    played = endpoint.sampler().sample("solver", ASKED, n=3, temperature=0.0)
    assert texts(played) == texts(local.sample("solver", ASKED, n=3, temperature=0.0))
    assert [request["body"].get("n", 1) for request in endpoint.seen] == [1, 1, 1]


def test_the_same_window_asks_the_same_and_another_window_something_else(endpoint):
    sampler = endpoint.sampler(at_once=3)
    runs = []
    for key in [(0, 3, 0), (0, 3, 0), (0, 4, 0)]:
        endpoint.misbehave()
        sampler.begin(*key)
        said = texts(sampler.sample("solver", ASKED, n=4)) + texts(sampler.sample("solver", ASKED, n=4))
        runs.append((said, sorted(request["body"]["seed"] for request in endpoint.seen)))
    assert runs[0] == runs[1]
    assert not set(runs[0][1]) & set(runs[2][1])
    assert runs[0][0] != runs[2][0]
    assert len(set(runs[0][1])) == 6  # every prompt of every round has a seed of its own
    assert len({text for row in runs[0][0] for text in row}) > 6  # and samples differ


def test_a_turn_is_played_and_never_learned_from(endpoint, local):
    sampler = endpoint.sampler(logprobs=True, max_new_tokens={"solver": 2})
    (cut,) = sampler.sample("solver", ["solve 27+85"])[0]
    sampler.settings = endpoint.sampler(logprobs=True).settings
    (whole,) = sampler.sample("solver", ["solve 27+85"], temperature=0.0)[0]
    assert (cut.stopped, whole.stopped) == (False, True)
    assert (whole.text_ids, whole.prompt_ids, whole.objective, whole.failure) == (None, None, None, "")
    (own,) = local.sample("solver", ["solve 27+85"], temperature=0.0)[0]
    assert whole.logprobs == pytest.approx(own.logprobs, abs=1e-4)
    whole.objective = "reinforce"  # a game may say so: there is still nothing to learn from
    assert learnable([whole]) == {}
    assert len(learnable([own])) == 1


def test_a_raw_prompt_goes_without_the_template(endpoint, local):
    (said,) = endpoint.sampler().sample("solver", [RAW], temperature=0.0)
    assert said[0].text == local.sample("solver", ["solve 3+4"], temperature=0.0)[0][0].text
    (request,) = endpoint.seen
    assert (request["path"], request["body"]["prompt"]) == ("/v1/completions", str(RAW))


@pytest.mark.parametrize("most_n", [None, 1, 3])
def test_a_server_that_ignores_n_is_asked_again_for_the_rest(endpoint, most_n):
    endpoint.misbehave(*[["one"]] * 8)
    sampler = endpoint.sampler(most_n=most_n)
    (turns,) = sampler.sample("solver", ["solve 27+85"], n=4)
    assert len(turns) == 4
    assert len({request["body"]["seed"] for request in endpoint.seen}) == len(endpoint.seen) == 4
    assert sampler.ledger.total().replies == 4


def test_calls_at_once_and_a_minute_are_bounded(endpoint):
    endpoint.misbehave(*[["slow", 0.1]] * 6)
    endpoint.sampler(at_once=3).sample("solver", ASKED * 2, temperature=0.0)
    assert endpoint.most == 3
    endpoint.misbehave()
    endpoint.sampler(per_minute=600).sample("solver", ASKED * 2, temperature=0.0)
    times = sorted(request["time"] for request in endpoint.seen)
    assert times[-1] - times[0] >= 0.9 * 5 * 60 / 600


def test_the_request_holds_what_the_recipe_says_and_nothing_else(endpoint):
    sampler = endpoint.sampler(extra={"seed": None, "top_p": 0.9, "max_tokens": None, "max_completion_tokens": 5})
    sampler.sample("solver", [[{"role": "user", "content": "solve 3+4"}]], temperature=0.5)
    (request,) = endpoint.seen
    assert request["body"] == {
        "model": "solver", "messages": [{"role": "user", "content": "solve 3+4"}], "temperature": 0.5, "top_p": 0.9,
        "max_completion_tokens": 5,
    }  # fmt: skip
    assert request["key"] is None


def test_the_ledger_counts_by_role_and_by_what_a_prompt_is_about(endpoint, local, tmp_path):
    sampler = endpoint.sampler()
    message = [{"role": "user", "content": "solve 3+4"}]
    sampler.begin(0, "context 7", 1)
    sampler.sample("solver", ["solve 3+4"], n=2)
    sampler.sample("solver", [Labelled(message, "context 8"), Labelled(message, "context 9")], n=3)
    own = local.sample("solver", ["solve 3+4"])[0][0]
    seven, eight = (sampler.ledger.total("solver", f"context {number}") for number in (7, 8))
    assert (seven.calls, seven.replies, seven.prompt_tokens) == (1, 2, len(own.prompt_ids))
    assert (eight.calls, eight.replies) == (1, 3)
    assert 0 < eight.completion_tokens <= 3 * 24
    assert sampler.ledger.total("judge").calls == 0
    assert sampler.ledger.take()["solver"]["calls"] == 3
    assert sampler.ledger.take() == {}
    sampler.ledger.save(tmp_path / "ledger.json")
    rows = json.loads((tmp_path / "ledger.json").read_text())
    assert [(row["role"], row["label"], row["replies"]) for row in rows] == [
        ("solver", "context 7", 2), ("solver", "context 8", 3), ("solver", "context 9", 3)
    ]  # fmt: skip


def test_raw_prompts_are_scored_whole(endpoint, local):
    choices = ["4+3=07>7", ">8", ""]
    scored = endpoint.sampler().score("solver", [RAW], choices)
    assert scored[0] == pytest.approx(local.score("solver", [RAW], choices)[0], abs=1e-4)


def test_chat_prompts_are_scored_by_the_first_token(endpoint, local):
    tokenizer = local.policy.tokenizer
    following = local.following("solver", tokenizer(str(RAW), add_special_tokens=False)["input_ids"])[-1]
    likeliest = [tokenizer.decode([token]) for token in following.topk(3).indices.tolist()]
    unlikely = tokenizer.decode([int(torch.where(following == following.sort().values[5])[0][0])])
    sampler = endpoint.sampler()
    (scores,) = sampler.score("solver", ["solve 3+4"], [*likeliest, unlikely])
    assert scores[:3] == pytest.approx(following.topk(3).values.tolist(), abs=1e-4)
    assert scores[3] == pytest.approx(float(following.topk(20).values[-1]), abs=1e-4)  # its upper bound
    assert sampler.ledger.total().unseen == 1
    assert all(map(math.isfinite, scores))


def test_what_cannot_be_scored_is_said(endpoint):
    with pytest.raises(EndpointError, match=r"begins no reply of the solver with any of 'first', 'second'"):
        endpoint.sampler().score("solver", ["solve 3+4"], ["first", "second"])
    for prompt, part in [("solve 3+4", "lists no log-probabilities"), (RAW, "gives no log-probabilities of a prompt")]:
        endpoint.misbehave(["say", '{"choices": [{"message": {"content": "7"}, "text": "7", "logprobs": null}]}'])
        with pytest.raises(EndpointError, match=f"^endpoint.url={endpoint.url}: the server {part}"):
            endpoint.sampler().score("solver", [prompt], ["7"])
    assert endpoint.sampler().score("solver", [RAW], []) == [[]]


def test_nobody_is_asked_before_the_first_prompt(endpoint):
    sampler = endpoint.sampler()
    assert sampler.sample("solver", [], n=2) == []
    assert endpoint.seen == []
    with pytest.raises(ValueError, match="n=0"):
        sampler.sample("solver", ["solve 3+4"], n=0)
    with pytest.raises(ValueError, match=r"endpoint\.max_new_tokens has no entry for the role 'judge'"):
        endpoint.sampler(max_new_tokens={"solver": 4}).sample("judge", ["x"])


def test_choices_are_drawn_by_their_scores(endpoint, local):
    """As the model itself draws: renormalised over the choices; the same window draws the same."""
    choices = ["7", "8"]
    sampler = endpoint.sampler()
    (scores,) = local.score("solver", [RAW], choices)
    sampler.begin(1)
    (drawn,) = sampler.choose("solver", [RAW], choices, n=200)
    sampler.begin(1)
    assert texts(sampler.choose("solver", [RAW], choices, n=200)) == texts([drawn])
    share = 1 / (1 + math.exp(scores[1] - scores[0]))
    assert abs(sum(turn.text == "7" for turn in drawn) / 200 - share) < 4 * math.sqrt(0.25 / 200)
    assert all(turn.objective is None and turn.text_ids is None for turn in drawn)
    assert drawn[0].logprobs == pytest.approx([math.log(share if drawn[0].text == "7" else 1 - share)], abs=1e-3)
    likelier = choices[scores.index(max(scores))]
    assert texts(sampler.choose("solver", [RAW], choices, n=2, temperature=0)) == [[likelier, likelier]]
