"""A sweep's file: which recipes, bases, control arms and seeds are run beside one another, how, and what measures them.

    file --read_sweep--> Sweep, or one line that refuses            selfplay/sweep_jobs.py: --> its jobs

    recipes: [sqlm_small, {recipe: ctx2skill_small, arms: [none]}]     # an entry may have keys of its own
    seeds: [0, 1]
    arms: [none, random]                                               # none is the method itself
    suites: [arithmetic, contexts]                                     # yardsticks of these recipes
    launch: {jobs: 2}

The shipped sweeps are recipes/sweep/*.yaml; anybody's own is named by its path. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from selfplay.configuration import RecipeError, one_line, recipes_folder
from selfplay.keys import did_you_mean


@dataclass(frozen=True)
class Launch:
    """How jobs are started; may change between two starts of a sweep."""

    config: str | None = None  # a file of launch/accelerate, "zero2", or a path; None = one process, without a launcher
    words: tuple[str, ...] = ()  # further words of `accelerate launch`, e.g. --num_processes, "2"
    jobs: int | None = None  # at once; None = one for each group of GPUs, else one
    gpus_per_job: int = 1  # where there are GPUs: how many each job is shown
    slurm: str | None = None  # "print" or "submit": one `sbatch launch/slurm.sh` a job; None = on this machine
    slurm_words: tuple[str, ...] = ()  # of sbatch, e.g. --nodes, "2"


@dataclass(frozen=True)
class Entry:
    """One recipe of a sweep with what it has differently from the others."""

    recipe: str
    name: str  # in the names of its runs
    seeds: tuple[int, ...]
    arms: tuple[str, ...]
    bases: tuple[str, ...]  # empty = the recipe's own, which the names of runs then leave out
    overrides: tuple[str, ...]  # the sweep's, then its own, then those of the command line: the last one wins


@dataclass(frozen=True)
class Sweep:
    """A sweep's file, read and complete."""

    name: str
    entries: tuple[Entry, ...]
    suites: Mapping[
        str, Mapping[str, Any]
    ]  # name -> keys that differ from its yardstick in the recipes, or a whole one
    launch: Launch


LISTS = ("seeds", "arms", "bases", "overrides")
KEYS = ("recipes", *LISTS, "suites", "launch")
ENTRY_KEYS = ("recipe", "name", *LISTS)
LAUNCH_KEYS = tuple(field.name for field in fields(Launch))


def sweeps_folder() -> Path:
    return recipes_folder() / "sweep"


def sweep_names() -> list[str]:
    """Every sweep that ships with the package."""
    return sorted(path.stem for path in sweeps_folder().glob("*.yaml"))


def find_sweep(word: str) -> Path:
    """The file of a sweep: a shipped one by its name, anybody's by its path.

    Raises:
        RecipeError: no such sweep.
    """
    if word in sweep_names():
        return sweeps_folder() / f"{word}.yaml"
    path = Path(word).expanduser()
    if path.suffix not in (".yaml", ".yml"):
        raise RecipeError(f"{word} is neither a run's folder nor a sweep{did_you_mean(word, sweep_names())}")
    if not path.is_file():
        raise RecipeError(f"{word}: there is no such sweep file.")
    return path


def read_sweep(file: Path, words: Sequence[str] = ()) -> Sweep:
    """Read a sweep's file; ``words`` are further overrides for every job.

    Raises:
        RecipeError: an unknown key, a wrong type, an empty list; one line that begins with the key.
    """
    try:
        plain = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file} cannot be read as YAML: {one_line(error)}") from error
    if not isinstance(plain, dict):
        raise RecipeError(f"{file} must hold keys and values, beginning with recipes: [...].")
    _refuse_unknown(plain, KEYS, "")
    common = {"seeds": [0], "arms": ["none"], **{key: plain[key] for key in LISTS if key in plain}}
    common["overrides"] = _list(common, "overrides", str, "")
    entries = _list(plain, "recipes", (str, dict), "")
    if not entries:
        raise RecipeError("recipes=[] is empty; name one, e.g. recipes: [sqlm_small].")
    return Sweep(
        name=file.stem,
        entries=tuple(_entry(entry, common, number, file.parent, words) for number, entry in enumerate(entries)),
        suites=_suites(plain.get("suites")),
        launch=_launch(plain.get("launch") or {}),
    )


def _entry(entry: Any, common: Mapping[str, Any], number: int, beside: Path, words: Sequence[str]) -> Entry:
    where = f"recipes[{number}]."
    own = {"recipe": entry} if isinstance(entry, str) else entry
    _refuse_unknown(own, ENTRY_KEYS, where)
    recipe = own.get("recipe")
    if not isinstance(recipe, str) or not recipe:
        raise RecipeError(f"{where}recipe={recipe} must be the name or the path of a recipe.")
    if recipe.endswith((".yaml", ".yml")) and (beside / recipe).is_file():  # paths count from the sweep's file
        recipe = str((beside / recipe).resolve())
    merged = {**common, **own, "overrides": [*common["overrides"], *_list(own, "overrides", str, where), *words]}
    read = Entry(
        recipe=recipe,
        name=str(own.get("name") or Path(recipe).stem),
        seeds=_list(merged, "seeds", int, where),
        arms=_list(merged, "arms", str, where),
        bases=_list(merged, "bases", str, where),
        overrides=_list(merged, "overrides", str, where),
    )
    for key in ("seeds", "arms"):
        if not getattr(read, key):
            raise RecipeError(f"{where}{key}=[] is empty, which leaves no job of {read.name}; leave the recipe out.")
    if min(read.seeds) < 0:
        raise RecipeError(f"{where}seeds={list(read.seeds)} must be whole numbers from 0.")
    return read


def _launch(plain: Any) -> Launch:
    if not isinstance(plain, dict):
        raise RecipeError(f"launch={plain} must be keys and values; known: {', '.join(LAUNCH_KEYS)}.")
    _refuse_unknown(plain, LAUNCH_KEYS, "launch.")
    lists = {key: tuple(map(str, _list(plain, key, (str, int), "launch."))) for key in ("words", "slurm_words")}
    launch = Launch(**{**plain, **lists})
    for key, value in (("jobs", 1 if launch.jobs is None else launch.jobs), ("gpus_per_job", launch.gpus_per_job)):
        if type(value) is not int or value < 1:
            raise RecipeError(f"launch.{key}={value} must be a whole number from 1.")
    if launch.slurm not in (None, "print", "submit"):
        raise RecipeError(f"launch.slurm={launch.slurm} must be print, submit or null.")
    if launch.slurm is not None and launch.words:
        raise RecipeError(
            f"launch.words={list(launch.words)} are for jobs on this machine; with launch.slurm={launch.slurm} leave "
            "them out, and say it with launch.config or launch.slurm_words."
        )
    if launch.config is not None and not isinstance(launch.config, str):
        raise RecipeError(f"launch.config={launch.config} must be a name in launch/accelerate, a path, or null.")
    return launch


def _suites(plain: Any) -> dict[str, dict[str, Any]]:
    """A list of names, or a mapping from names to the keys of a yardstick."""
    if isinstance(plain, dict) and all(node is None or isinstance(node, dict) for node in plain.values()):
        return {str(name): dict(node or {}) for name, node in plain.items()}
    return {name: {} for name in _list({"suites": plain or []}, "suites", str, "")}


def _list(plain: Mapping[str, Any], key: str, kind: type | tuple[type, ...], where: str) -> tuple[Any, ...]:
    found = plain.get(key)
    if found is None:
        return ()
    if not isinstance(found, list | tuple) or any(isinstance(v, bool) or not isinstance(v, kind) for v in found):
        wanted = {int: "whole numbers", str: "words"}.get(kind, "words") if isinstance(kind, type) else "words"
        raise RecipeError(f"{where}{key}={found} must be a list of {wanted}.")
    return tuple(found)


def _refuse_unknown(plain: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in plain:
        if key not in known:
            raise RecipeError(f"{where}{key} is not a key of a sweep{did_you_mean(str(key), known)}")
