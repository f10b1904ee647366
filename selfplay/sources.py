"""What a recipe reads from outside, perhaps over the network: after the checks, before a model, and not for a plan."""

from __future__ import annotations

from omegaconf import DictConfig

from selfplay.configuration import RecipeError, build, one_line
from selfplay.domains.prompts import Prompts


def load_prompts(config: DictConfig) -> None:
    """Read the prompts of an open-ended domain, so that what is wrong with them is known now.

    Raises:
        RecipeError: they cannot be read.
    """
    domain = build(config, "domain") if config.domain else None
    if isinstance(domain, Prompts):
        try:
            _ = domain.pool  # read when it is first asked for
        except ValueError as error:
            raise RecipeError(one_line(error)) from error
