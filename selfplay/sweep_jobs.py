"""The jobs of a sweep, composed and checked before the first of them starts, and the yardsticks that measure them all.

    Sweep --jobs_of--> Job, Job, ... --check_jobs--> their configs --suites_of--> the arena's yardsticks

Nothing here imports torch.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from selfplay.checks import check
from selfplay.configuration import RecipeError, compose, recipes_folder
from selfplay.keys import did_you_mean
from selfplay.rules import RULES
from selfplay.sweep_file import Entry, Sweep
from selfplay.tracking.wandb_log import METHOD

OURS = {
    "recipe": "recipes", "seed": "seeds", "control": "arms", "policy.base": "bases", "run_name": "recipes",
    "output_dir": "--folder", "resume": None, "dry_run": "--dry-run", "tracking.group": None, "tracking.job_type": None,
}  # fmt: skip
"""Words that a sweep writes itself, and keys below them -> what says it in a sweep."""


@dataclass(frozen=True)
class Job:
    """One run of a sweep. ``words`` say what is learned; where it is written and how it is started is added later."""

    name: str  # "sqlm_small-random-seed0"
    recipe: str
    arm: str
    seed: int
    words: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The arm's name for people, and W&B's job type."""
        return METHOD if self.arm == "none" else self.arm


def jobs_of(sweep: Sweep) -> tuple[Job, ...]:
    """Every job, an entry's arms after one another.

    Raises:
        RecipeError: two jobs of one name, a name that is no folder's, or a word that the sweep itself writes.
    """
    jobs = [
        _job(entry, base, arm, seed)
        for entry in sweep.entries
        for base in entry.bases or (None,)
        for arm in entry.arms
        for seed in entry.seeds
    ]
    twice = [name for name, times in Counter(job.name for job in jobs).items() if times > 1]
    if twice:
        raise RecipeError(
            f"recipes: the job {twice[0]} is there twice; leave one out, or give its entry a name: of its own."
        )
    return tuple(jobs)


def check_jobs(jobs: Sequence[Job], folder: Path) -> dict[str, DictConfig]:
    """The composed and checked config of every job by its name, as it will be in ``folder``.

    Jobs that differ in the seed alone are composed once: a seed is a number, which ``read_sweep`` has looked at.

    Raises:
        RecipeError: what a job would refuse, before the first is started; it begins with the job's name.
    """
    composed: dict[tuple[str, ...], DictConfig] = {}
    configs = {}
    for job in jobs:
        seedless = tuple(word for word in job.words if not word.startswith("seed="))
        try:
            if seedless not in composed:
                composed[seedless] = compose(job.words)
                check(composed[seedless])
            config = deepcopy(composed[seedless])
            config.seed, config.run_name, config.output_dir = job.seed, job.name, str(folder)
        except RecipeError as error:
            raise RecipeError(f"{job.name}: {error}") from error
        configs[job.name] = config
    return configs


def suites_of(wanted: Mapping[str, Mapping[str, Any]], configs: Sequence[DictConfig]) -> dict[str, dict[str, Any]]:
    """The node of every suite as plain values: the sweep's own where it has a ``_target_``, else the shipped one
    (recipes/suite), else the yardstick of that name in the recipes; the sweep's own keys are laid over it.

    Raises:
        RecipeError: a suite that is nowhere, or that two recipes measure differently.
    """
    return {
        name: dict(own) if "_target_" in own else {**(_shipped(name) or _in_recipes(name, configs)), **own}
        for name, own in wanted.items()
    }


def _shipped(name: str) -> dict[str, Any]:
    file = recipes_folder() / "suite" / f"{name}.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _in_recipes(name: str, configs: Sequence[DictConfig]) -> dict[str, Any]:
    """Interpolations are resolved: a suite stands by itself."""
    measuring = [config for config in configs if name in config.evaluation.yardsticks]
    nodes: list[Any] = [OmegaConf.to_container(c.evaluation.yardsticks[name], resolve=True) for c in measuring]
    if not nodes:
        known = {str(name) for config in configs for name in config.evaluation.yardsticks}
        raise RecipeError(f"suites: no recipe of this sweep has the yardstick {name}{did_you_mean(name, known)}")
    for config, node in zip(measuring, nodes, strict=True):
        if node != nodes[0]:
            raise RecipeError(
                f"suites: {measuring[0].recipe} and {config.recipe} have different yardsticks {name}; write it out, "
                f"suites: {{{name}: {{_target_: ..., ...}}}}."
            )
    return nodes[0]


def hydra_word(key: str, value: str) -> str:
    """A word for Hydra, quoted where its grammar would trip over the value.

    >>> hydra_word("policy.base", "small"), hydra_word("output_dir", "my runs/a=b")
    ('policy.base=small', "output_dir='my runs/a=b'")
    """
    plain = bool(value) and all(sign.isalnum() or sign in "_-./" for sign in value)
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}={value}" if plain else f"{key}='{quoted}'"


def _job(entry: Entry, base: str | None, arm: str, seed: int) -> Job:
    job = Job("", entry.recipe, arm, seed, ())
    based = "" if base is None else "-" + re.sub(r"[^\w.+=-]", "-", Path(base).name)
    own = [hydra_word("policy.base", base)] if base is not None else []
    for word in entry.overrides:
        key = word.partition("=")[0].lstrip("+~")
        ours = next((name for name in OURS if f"{key}.".startswith(f"{name}.")), None)
        if ours:
            mend = f"say it with {OURS[ours]}" if OURS[ours] else "leave it out"
            raise RecipeError(f"overrides: {word} is the sweep's own business; {mend}.")
    words = (f"recipe={entry.recipe}", *own, f"control={arm}", f"seed={seed}", *entry.overrides)
    name = f"{entry.name}{based}-{job.kind}-seed{seed}"
    fits, wanted = RULES["run_name"]
    if not fits(name):
        raise RecipeError(f"recipes: a run called {name!r} cannot be; give its entry a name: of its own, {wanted}.")
    return replace(job, name=name, words=words)
