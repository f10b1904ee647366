"""Small untrained bases of several architectures, and a policy on one of them."""

from __future__ import annotations

from typing import Any

import pytest

from selfplay.policy import Policy
from tests.test_policy import moved
from tests.tiny import tiny_base

ROLES = ("proposer", "solver")


@pytest.fixture(scope="module")
def bases(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("bases")
    settings: dict[str, dict[str, Any]] = {
        "llama": {},
        "qwen3": {},  # normalised queries and keys
        "mistral": {"sliding_window": 8},  # a cache that forgets
        "lfm2": {"layer_types": ["conv", "full_attention"]},  # a cache that is no list of keys and values
    }
    return {name: str(tiny_base(folder / name, name, **words)) for name, words in settings.items()}


@pytest.fixture
def policy(bases) -> Policy:
    return moved(Policy.build(bases["llama"], ROLES))
