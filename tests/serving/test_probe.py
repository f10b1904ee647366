"""The doctor's look at an endpoint: only with --network, and without a token spent."""

from __future__ import annotations

import pytest

from selfplay.doctor import _endpoint, main
from selfplay.samplers.endpoint.probe import probe


def test_an_endpoint_is_tried_only_when_the_network_is_asked_for(endpoint):
    (finding,) = _endpoint(False, {"url": endpoint.url})
    assert (finding.ok, finding.found) == (False, "not tried")
    assert list(_endpoint(True, {})) == []
    (finding,) = _endpoint(True, {"url": endpoint.url, "model": "solver"})
    assert (finding.ok, finding.needed) == (True, False)
    assert finding.found == f"{endpoint.url} answers and serves proposer, solver"
    assert endpoint.seen == []  # no text was asked for


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"model": "gpt"}, "serves no gpt; it serves proposer, solver"),
        ({"url": "http://127.0.0.1:9/v1"}, "after 2 tries; is the server running there?"),
        ({"url": "nowhere"}, "endpoint.url is no address"),
        ({"api_key_env": "sk-not-a-name"}, "what was given is not shown"),
    ],
)
def test_what_is_wrong_is_one_line(endpoint, settings, part):
    ok, found = probe(**{"url": endpoint.url, **settings})
    assert not ok
    assert part in found
    assert "\n" not in found


def test_a_wrong_path_is_told(endpoint):
    ok, found = probe(endpoint.url.removesuffix("/v1"))
    assert not ok
    assert "HTTP 404" in found
    assert "usually ends in /v1" in found


def test_the_verb_takes_the_words_of_a_recipe(capsys):
    main(["endpoint.url=http://localhost:1/v1"])
    assert "endpoint           not tried" in capsys.readouterr().out
    assert main(["endpoint.ulr=x"]) == 2
