"""Who meets in a duel: a run's folder or checkpoint, the frozen base, or a file of answers in AlpacaEval's format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from selfplay.configuration import RecipeError, build, one_line
from selfplay.evaluation.alpaca import Output, is_annotations, read_outputs
from selfplay.keys import did_you_mean
from selfplay.learner.checkpoint_names import latest_checkpoint, step_of
from selfplay.types import Game

BASE = "base"

ANSWERING = ("actor", "solver")
"""Whoever answers is called so: the actor of SERL, the solver of SQLM. ``--role`` names another."""


@dataclass(frozen=True)
class Run:
    """A finished run, or one of its checkpoints."""

    name: str  # "serl_small", or "serl_small@20" for a checkpoint
    adapters: Path
    config: DictConfig  # as it was when the run began, resolved

    @property
    def game(self) -> Game:
        return build(self.config, "game")


@dataclass(frozen=True)
class Contestant:
    """Either ``run`` answers, with its adapters or, ``bare``, as its frozen base; or ``outputs`` have answered."""

    name: str
    run: Run | None = None
    bare: bool = False
    outputs: tuple[Output, ...] = ()


def read_contestants(words: Sequence[str], house: Run | None) -> list[Contestant]:
    """One for each word, under different names.

    Args:
        house: the run whose base is meant by ``base``.

    Raises:
        RecipeError: a word that names nobody who could answer.
    """
    found = [_contestant(word, house) for word in words]
    names = Counter(contestant.name for contestant in found)
    told: Counter[str] = Counter()
    for place, contestant in enumerate(found):
        if names[contestant.name] > 1:
            told[contestant.name] += 1
            found[place] = replace(contestant, name=f"{contestant.name} ({told[contestant.name]})")
    return found


def find_house(words: Sequence[str]) -> Run | None:
    """The first run among the words: its base is ``base``, its domain poses the requests.

    Raises:
        RecipeError: a folder that holds no finished run.
    """
    return next((read_run(word) for word in words if names_run(word)), None)


def names_run(word: str) -> bool:
    return not _is_endpoint(word) and Path(word).expanduser().is_dir()


def read_run(word: str) -> Run:
    """
    Raises:
        RecipeError: no run's folder, or a run without adapters.
    """
    folder = Path(word).expanduser()
    of_checkpoint = folder.resolve().parent.name == "checkpoints"
    run = folder.resolve().parents[1] if of_checkpoint else folder
    if not (run / "config.yaml").is_file():
        raise RecipeError(f"{word} is no run's folder: it holds no config.yaml; name one like runs/quickstart.")
    if not _has_adapters(folder):
        found = latest_checkpoint(run / "checkpoints")
        if found is not None and not _has_adapters(found):
            raise RecipeError(f"{word} has no adapters: no model played in it, so there is nothing to load.")
        other = f", or name its checkpoint {found}" if found is not None else ""
        raise RecipeError(f"{word} is no finished run: it has no adapters; end it with resume=auto{other}.")
    try:
        config = cast(DictConfig, OmegaConf.load(run / "config.yaml"))
    except (OSError, YAMLError, OmegaConfBaseException) as error:
        raise RecipeError(f"{run / 'config.yaml'} cannot be read: {one_line(error)}") from error
    missing = [key for key in ("game", "domain", "policy", "sampler") if OmegaConf.select(config, key) is None]
    if missing:
        raise RecipeError(f"{run / 'config.yaml'} has no {missing[0]}; it is not what a run writes.")
    name = run.resolve().name
    return Run(f"{name}@{step_of(folder.resolve())}" if of_checkpoint else name, folder / "adapters", config)


def _has_adapters(folder: Path) -> bool:
    return any((folder / "adapters").glob("*/adapter_model.safetensors"))


def answering_role(run: Run, wished: str | None = None) -> str:
    """The role that answers requests in the run's game: ``actor`` or ``solver``, or the one that was wished.

    Raises:
        RecipeError: no such role.
    """
    roles = run.game.roles
    if wished is not None and wished not in roles:
        raise RecipeError(f"--role {wished}: the game of {run.name} has no such role{did_you_mean(wished, roles)}")
    role = wished or next((name for name in ANSWERING if name in roles), None)
    if role is None:
        raise RecipeError(f"{run.name}: which of its roles answers? Say --role, one of {', '.join(roles)}.")
    return role


def _contestant(word: str, house: Run | None) -> Contestant:
    if word == BASE:
        if house is None:
            raise RecipeError("base: whose? Name a run's folder beside it, as a contestant or as the judge.")
        return Contestant(BASE, house, bare=True)
    path = Path(word).expanduser()
    if path.is_dir():
        run = read_run(word)
        return Contestant(run.name, run)
    if not path.is_file():
        raise RecipeError(f"{word}: there is no such folder or file; give a run's folder, base, or model_outputs.json.")
    try:
        if is_annotations(path):
            raise RecipeError(f"{word} holds annotations, which are judged already; show them alone: duel {word}")
        outputs = tuple(read_outputs(path))
    except RecipeError:
        raise
    except ValueError as error:
        raise RecipeError(one_line(error)) from error
    return Contestant(outputs[0].generator, outputs=outputs)


def _is_endpoint(word: str) -> bool:
    return word.startswith(("http://", "https://"))
