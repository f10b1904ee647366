"""Who stands in a comparison's arena: every checkpoint of every run, its last adapters, and each bare base once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from selfplay.arena_digest import base_prints
from selfplay.configuration import RecipeError, one_line
from selfplay.duel_contestants import ANSWERING, Run
from selfplay.learner.checkpoint_names import step_of, whole_checkpoints
from selfplay.skills.store import FINAL, SKILLS, SkillStore
from selfplay.types import Skilled

Checkpoints = Literal["all", "last"]

ANSWERS = (*ANSWERING, "reasoner")
"""Roles that answer requests, whatever the game; each can stand in for another."""


class CannotMeasure(Exception):
    """A contestant that a suite says nothing about; the message says why."""


@dataclass(frozen=True)
class Entrant:
    """A policy at one step of its run, or a bare base."""

    name: str  # "sqlm_small-0@40", "base:small"
    folder: Path  # of the run; of a bare base, the run whose config says how it is loaded
    run: Run
    step: int  # windows, as metrics.jsonl counts them; 0 for a bare base
    last: bool
    bare: bool = False

    @property
    def base(self) -> str:
        """As the user wrote it; with a revision, two of which are two bases: "Qwen/Qwen3-0.6B:abc"."""
        policy = self.run.config.policy
        return f"{policy.base}:{policy.revision}" if policy.get("revision") else str(policy.base)

    @property
    def loading(self) -> str:
        """Equal for entrants whose policies are one base with adapters of one shape."""
        node: Any = OmegaConf.to_container(self.run.config.policy)
        return json.dumps({**node, "seed": None, "frozen": None, "shape": None}, sort_keys=True)

    def skills(self) -> dict[str, str] | None:
        """What a run of Ctx2Skill had mined by this step, by context; None where nobody mines any."""
        if self.bare or not isinstance(self.run.game, Skilled):
            return None
        visits = [visit for visit in SkillStore(self.folder / SKILLS).visits() if visit.step <= self.step]
        mined = {visit.context: visit.folder / FINAL for visit in sorted(visits, key=lambda one: (one.step, one.seed))}
        return {key: path.read_text("utf-8") if path.exists() else "" for key, path in mined.items()}

    def digest(self, *further: Any) -> str:
        """sha256 (hex) of the adapters, of a base on this disk, and of whatever else decides the answers."""
        prints = base_prints(str(self.run.config.policy.base))
        total = hashlib.sha256(json.dumps([self.base, self.loading, prints, self.skills(), *further]).encode())
        files = () if self.bare else sorted(self.run.adapters.glob("*/adapter_model.safetensors"))
        for path in files:
            total.update(path.parent.name.encode())
            total.update(path.read_bytes())
        return total.hexdigest()


def stand_in(entrant: Entrant, asked: str) -> str:
    """The role of an entrant's game that answers where a suite asks ``asked``.

    Raises:
        CannotMeasure: there is none.
    """
    roles = entrant.run.game.roles
    if asked in roles:
        return asked
    found = next((role for role in ANSWERS if role in roles), None) if asked in ANSWERS or entrant.bare else None
    if found is None:
        raise CannotMeasure(f"the suite asks the role {asked}, and the game has only {', '.join(roles)}")
    return found


def entrants_of(folders: Sequence[Path], checkpoints: Checkpoints = "all") -> list[Entrant]:
    """Bare bases first, then each run's policies by step.

    Raises:
        RecipeError: a folder that is no run's, or two of one name.
    """
    entrants = [entrant for folder in folders for entrant in of_run(folder, checkpoints)]
    names = [entrant.name for entrant in entrants]
    for name in names:
        if names.count(name) > 1:
            raise RecipeError(f"{name.partition('@')[0]}: two runs have this name; rename the folder of one of them.")
    bases = {entrant.base: entrant for entrant in reversed(entrants)}
    return [*(bare(bases[base]) for base in sorted(bases)), *entrants]


def bare(entrant: Entrant) -> Entrant:
    """The base that an entrant stands on."""
    return Entrant(f"base:{entrant.base}", entrant.folder, entrant.run, 0, last=True, bare=True)


def of_run(folder: Path, checkpoints: Checkpoints = "all") -> list[Entrant]:
    """
    Raises:
        RecipeError: no run's folder, or one without a saved policy.
    """
    config, name = read_config(folder), folder.resolve().name
    found = list(_policies(folder, config))
    ended = _steps(folder)
    if not found:
        mend = "end the run with resume=auto" if ended is None else "what the run ended with was removed; leave it out"
        raise RecipeError(f"{folder} has no adapters and no checkpoint; {mend}.")
    kept = found if checkpoints == "all" else found[-1:]
    final = found[-1][0] if ended is None else ended  # adapters that were removed: no earlier ones stand for them
    return [
        Entrant(f"{name}@{step}", folder, Run(f"{name}@{step}", adapters, config), step, last=step == final)
        for step, adapters in kept
    ]


def holds_policy(folder: Path) -> bool:
    """Whether a run's folder still has adapters, or a checkpoint with some."""
    saved = (path / "adapters" for path in whole_checkpoints(folder / "checkpoints"))
    return _holds_adapters(folder / "adapters") or any(map(_holds_adapters, saved))


def of_checkpoint(folder: Path) -> Entrant:
    """
    Raises:
        RecipeError: a checkpoint without adapters, or outside a run's folder.
    """
    run = folder.resolve().parents[1]
    config = read_config(run)
    step = step_of(folder.resolve()) // config.learner.updates_per_window
    if not _holds_adapters(folder / "adapters"):
        raise RecipeError(f"{folder} holds no adapters; name another checkpoint.")
    name = f"{run.name}@{step}"
    return Entrant(name, run, Run(name, folder / "adapters", config), step, last=False)


def read_config(folder: Path) -> DictConfig:
    """
    Raises:
        RecipeError: no config.yaml that a run wrote.
    """
    path = folder / "config.yaml"
    if not path.is_file():
        raise RecipeError(f"{folder} is no run's folder: it holds no config.yaml; name one like runs/quickstart.")
    try:
        config = cast(DictConfig, OmegaConf.load(path))
    except (OSError, YAMLError, OmegaConfBaseException) as error:
        raise RecipeError(f"{path} cannot be read: {one_line(error)}") from error
    missing = [key for key in ("game", "policy", "sampler", "learner") if OmegaConf.select(config, key) is None]
    if missing:
        raise RecipeError(f"{path} has no {missing[0]}; it is not what a run writes.")
    return config


def about_run(entrant: Entrant) -> Mapping[str, Any]:
    """What the answers' file says of a contestant."""
    if entrant.bare:
        return {"run": "", "recipe": "", "arm": "base", "seed": None}
    config = entrant.run.config
    arm = str(OmegaConf.select(config, "control.arm") or "none")
    return {
        "run": entrant.folder.resolve().name,
        "recipe": str(config.get("recipe", "")),
        "arm": arm,
        "seed": int(config.get("seed", 0)),
    }


def _policies(folder: Path, config: DictConfig) -> Iterator[tuple[int, Path]]:
    """(step, adapters), by step; the last adapters stand for the checkpoint of the same step.

    Without a summary, ``adapters/`` may be of an end that the run has gone on from (a resume moves the summary aside):
    only checkpoints are then known by their step. A run without any ended once.
    """
    every = config.learner.updates_per_window
    saved = {step_of(path) // every: path / "adapters" for path in whole_checkpoints(folder / "checkpoints")}
    end = _steps(folder)
    if _holds_adapters(folder / "adapters") and (end is not None or not saved):
        saved[int(config.get("max_steps", 0)) if end is None else end] = folder / "adapters"
    yield from ((step, path) for step, path in sorted(saved.items()) if _holds_adapters(path))


def _holds_adapters(folder: Path) -> bool:
    return any(folder.glob("*/adapter_model.safetensors"))


def _steps(folder: Path) -> int | None:
    try:
        return int(json.loads((folder / "summary.json").read_text(encoding="utf-8"))["steps"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
