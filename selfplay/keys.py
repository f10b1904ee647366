"""The dotted keys of a config: all of them, those that a schema lacks, and the one that a slip probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

SHOWN = 12
"""As many names as a line can list."""

OPEN_NODES = ("evaluation.yardsticks",)
"""Mappings in which a recipe may name entries of its own."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of an error line: the nearest names, or all of them when nothing is near.

    >>> did_you_mean("learner.lrr", ["learner.lr", "seed"])
    '; did you mean learner.lr?'
    >>> did_you_mean("xyz", ["a", "b"])
    '; known: a, b.'
    """
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.6)
    if not near:  # the right last part under the wrong parent: lr -> learner.lr
        near = [name for name in names if name.rsplit(".", 1)[-1] == word.rsplit(".", 1)[-1]][:3]
    if near:
        return f"; did you mean {' or '.join(near)}?"
    if len(names) > SHOWN:
        return "; see the files in recipes/ for all of them."
    return f"; known: {', '.join(names)}." if names else "."


def flat_keys(config: DictConfig) -> list[str]:
    """Every key with its parents, ``learner.lr``; Hydra's own node left out.

    >>> flat_keys(OmegaConf.create({"seed": 0, "learner": {"lr": 1}}))
    ['seed', 'learner', 'learner.lr']
    """
    return [key for key, _ in _walk(OmegaConf.to_container(config, resolve=False), "")]


def unknown_keys(config: DictConfig, schema: DictConfig) -> list[str]:
    """Keys of ``config`` that ``schema`` has not; where the schema has one value or an empty mapping, all are free.

    >>> schema = OmegaConf.create({"lr": 1, "players": {}, "game": {"answers": 4}})
    >>> config = OmegaConf.create({"lr": {"solver": 1}, "players": {"solver": "human"}, "game": {"answer": 4}})
    >>> unknown_keys(config, schema)
    ['game.answer']
    """
    known = dict(_walk(OmegaConf.to_container(schema, resolve=False), ""))
    unknown = []
    for key, _ in _walk(OmegaConf.to_container(config, resolve=False), ""):
        parent = key.rpartition(".")[0]
        free = parent and (parent in OPEN_NODES or not isinstance(known.get(parent), dict) or not known[parent])
        if key not in known and not free:
            unknown.append(key)
    return unknown


def _walk(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "hydra":  # Hydra's own node
                continue
            key = f"{prefix}.{name}" if prefix else str(name)
            yield key, value
            yield from _walk(value, key)
