"""What a server says is data: any JSON at all is read without an error, and the good part of it is kept."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.samplers.endpoint.replies import has_choices, read_replies, usage_of
from selfplay.samplers.endpoint.scores import echoed, listed, lowest_listed

NAMES = st.sampled_from(
    ["message", "content", "text", "finish_reason", "logprobs", "token_logprobs", "tokens", "top_logprobs", "logprob",
     "token", "usage", "prompt_tokens", "prompt_tokens_details", "cached_tokens"]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just("length")
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))


@given(st.lists(JSON, min_size=1, max_size=3), st.dictionaries(NAMES, JSON))
def test_any_answer_is_read(choices, rest):
    answer = {**rest, "choices": choices}
    assert has_choices(answer)
    replies = read_replies(answer)
    assert len(replies) == len(choices)
    assert all(isinstance(reply.text, str) for reply in replies)
    assert all(math.isfinite(value) for reply in replies for value in reply.logprobs or ())
    assert all(isinstance(count, int) and count >= 0 for count in usage_of(answer).values())


@given(JSON, st.lists(st.text(max_size=2), min_size=1, max_size=3), JSON)
def test_any_list_of_log_probabilities_is_read(told, choices, text):
    answer = {"choices": [{"logprobs": told, "text": text}]}
    score = echoed(answer, choices[0])
    assert score is None or math.isfinite(score)
    scores = listed(answer, choices)
    if scores is not None:
        assert len(scores) == len(choices)
        assert all(score is None or score >= lowest_listed(answer) for score in scores)


@given(JSON)
def test_what_has_no_choices_is_asked_for_again(answer):
    assert not has_choices(answer)
    assert not has_choices({"choices": answer}) or isinstance(answer, list)


@pytest.mark.parametrize(
    ("tokens", "values", "text", "score"),
    [
        (["a", "b"], [-1.0, -0.5], "ab", -0.5),
        (["a", "bc"], [-1.0, -0.5], "abc", -0.5),
        (["ab"], [-0.5], "ab", -0.5),  # one token over both counts whole
        (["ab"], [None], "ab", None),  # the first token follows nothing
        (["a", "b", "!"], [-1.0, -0.5, -2.0], "ab!", None),  # it wrote on
        (["a"], [-1.0, -0.5], "ab", None),
        ([], [], "ab", None),
    ],
)
def test_the_choice_is_the_end_of_the_echo(tokens, values, text, score):
    told = {"tokens": tokens, "token_logprobs": values}
    choice = "bc" if text == "abc" else "b"
    assert echoed({"choices": [{"logprobs": told, "text": text}]}, choice) == score


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1" * 400, "true", '"-1"'])
def test_what_json_calls_a_number_may_be_none(value):
    answer = json.loads(
        f'{{"choices": [{{"text": "a", "logprobs": {{"token_logprobs": [{value}, -1]}}}}], '
        f'"usage": {{"prompt_tokens": {value}, "completion_tokens": 3}}}}'
    )
    assert read_replies(answer)[0].logprobs is None
    assert usage_of(answer) == {"prompt_tokens": 0, "completion_tokens": 3, "cached_tokens": 0}
