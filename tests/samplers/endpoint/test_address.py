"""Addresses and keys: what is refused, and that no message shows what may be a key."""

from __future__ import annotations

import traceback

import pytest

from selfplay.samplers.endpoint.address import Address, check_form

KEY = "sk-secret-123"


@pytest.mark.parametrize(
    ("url", "path", "target"),
    [
        ("http://localhost:8000/v1", "models", "/v1/models"),
        ("https://api.example.com/v1/", "chat/completions", "/v1/chat/completions"),
        ("https://a.example.com/x?api-version=2024-06-01", "completions", "/x/completions?api-version=2024-06-01"),
        ("http://[::1]:8000", "models", "/models"),
    ],
)
def test_where_requests_go(url, path, target):
    address = Address(url)
    assert address.target(path) == target
    assert address.headers() == {}


def test_the_key_is_in_the_header_only():
    address = Address("http://localhost/v1", "SOME_KEY", {"SOME_KEY": f" {KEY}\n"})
    assert address.headers() == {"Authorization": f"Bearer {KEY}"}
    assert KEY not in f"{address!r} {address}"
    assert address.without_key(f"wrong key {KEY}, {KEY}") == "wrong key (key), (key)"


@pytest.mark.parametrize(
    ("url", "part"),
    [
        (None, "endpoint.url is empty"),
        ("", "endpoint.url is empty"),
        ("localhost:8000", "endpoint.url is no address; write e.g. endpoint.url=http://"),
        ("ftp://host/v1", "is no address"),
        ("http:///v1", "is no address"),
        ("http://host:99999/v1", "is no address"),
        ("http://host/v 1", "is no address"),
        ("http://host/v1\r\nX: y", "is no address"),
        ("http://höst/v1", "is no address"),
    ],
)
def test_what_is_no_address(url, part):
    with pytest.raises(ValueError, match=r"^endpoint\.url") as caught:
        Address(url)
    assert part in str(caught.value)


@pytest.mark.parametrize("url", [f"bob:{KEY}@host/v1", KEY, f"htps://bob:{KEY}@host/v1", f"http://bob:{KEY}@host:x/"])
def test_a_refused_address_is_not_shown(url):
    with pytest.raises(ValueError, match=r"^endpoint\.url") as caught:
        check_form(url, None)
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "settings",
    [
        {"url": f"http://me:{KEY}@host/v1"},
        {"url": f"http://{KEY}@host/v1"},
        {"url": f"http://host/v1?api_key={KEY}"},
        {"url": f"http://host/v1?access_token={KEY}"},
        {"api_key_env": KEY},
        {"extra": {"api_key": KEY}},
        {"extra": {"Authorization": KEY}},
        {"extra": {"api-key": KEY}},
        {"extra": {"access_token": KEY}},
        {"extra": {"headers": {"Auth-Token": KEY}}},
        {"extra": {"extra_headers": [{"name": "x", "value": f"Bearer {KEY}"}]}},
        {"extra": {"proxy": {"credentials": [KEY]}}},
    ],
)
def test_a_key_where_the_config_would_keep_it_is_refused_unseen(settings):
    with pytest.raises(ValueError, match=r"^endpoint\.") as caught:
        check_form(**{"url": "http://host/v1", "api_key_env": None, **settings})
    assert KEY not in "".join(traceback.format_exception_only(caught.value))
    assert "api_key_env" in str(caught.value)


@pytest.mark.parametrize(
    "extra",
    [
        {"max_tokens": None, "max_completion_tokens": 9, "stop_token_ids": [3], "add_special_tokens": False},
        {"chat_template_kwargs": {"enable_thinking": False}, "stop": ["ask-me-anything", "task-oriented"]},
    ],
)
def test_what_servers_are_told_besides_is_no_key(extra):
    check_form("http://host/v1", None, extra)


@pytest.mark.parametrize("held", [{}, {"SOME_KEY": ""}, {"SOME_KEY": "  "}, {"SOME_KEY": "a\nb:c"}, {"SOME_KEY": "ab"}])
def test_a_variable_that_holds_no_key_is_named(held):
    with pytest.raises(ValueError, match=r"^endpoint\.api_key_env=SOME_KEY: "):
        Address("http://localhost/v1", "SOME_KEY", held)
