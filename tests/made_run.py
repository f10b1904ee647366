"""A finished run's folder without a training: the config as a run writes it, and adapters of one's choice."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from omegaconf import OmegaConf

from selfplay.configuration import build, compose

SERL = """
defaults:
  - job
  - override game: serl
  - override domain: word_lists
  - _self_
seeds: {per_window: 2, topics: [lists]}
evaluation: {every: 0}
game: {length_control: null}
sampler: {max_new_tokens: {actor: 16, judge: 4}}
"""


def serl_recipe(folder: Path) -> str:
    """The word that names a recipe of SERL on word lists, written into the folder."""
    (folder / "serl_words.yaml").write_text(SERL)
    return f"recipe={folder / 'serl_words.yaml'}"


def made_run(folder: Path, words: list[str], noise: float = 0.0) -> Path:
    """Adapters that play the base, or, with ``noise`` (of the weights, about 0.1), something worse."""
    config = compose(words)
    folder.mkdir(parents=True)
    OmegaConf.save(config, folder / "config.yaml", resolve=True)
    save_adapters(folder, words, noise)
    (folder / "summary.json").write_text(json.dumps({"steps": config.max_steps}))
    return folder


def save_adapters(folder: Path, words: list[str], noise: float) -> None:
    """``folder/adapters``, as a run and its checkpoints have them."""
    config = compose(words)
    policy = build(config, "policy", roles=build(config, "game").roles)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for adapter in policy.adapters:
            for _, parameter in policy.parameters_of(adapter):
                parameter += noise * torch.randn(parameter.shape, generator=generator)
    policy.save(folder / "adapters")
