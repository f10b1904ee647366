"""Words on the command line -> one checked config. The only file that knows Hydra.

    words --find_recipe--> recipe --compose--> config --check--> (trainer, plan, play)  --build--> objects

``recipe=NAME`` picks recipes/NAME.yaml (or ``recipe=folder/mine.yaml``); every other word is a Hydra override such as
``learner.lr=1e-3`` or ``control=random``. Hydra's compose API is used, not its decorator: under a launcher every rank
would create Hydra's folders. The schema is what recipes/job.yaml and the chosen group files hold: a key that is not
there is refused, whether it stands in a recipe or on the command line. See it with

    python -m selfplay.configuration recipe=sqlm_small learner.lr=1e-3
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import (
    ConfigCompositionException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from selfplay.domains.document_folder import number_of_contexts
from selfplay.keys import did_you_mean, flat_keys, unknown_keys

JOB = "job"  # recipes/job.yaml: every key with its default
DEBUG = "debug"
FREE_NODES = (
    "players", "script", "endpoints", "endpoint.extra", "endpoint.max_new_tokens", "endpoint.prices",
    "learner.lr", "learner.kl", "learner.loss_mix", "sampler.max_new_tokens", "evaluation.yardsticks",
)  # fmt: skip
"""Keys that may be one value or a mapping with entries of the recipe's own."""

GROUPS = (
    "game", "game/schedule", "domain", "policy", "sampler", "endpoint", "learner", "evaluation", "tracking", "guards",
    "control", "debug",
)  # fmt: skip


def _windows(*, _root_: DictConfig) -> int:
    """``${windows_of_documents:}`` in a recipe: how many windows of ``seeds.per_window`` take each context of
    ``game.split`` in the folder ``domain.path`` once; 1 while there is none, which the domain itself tells of."""
    path, share, split, together = (
        OmegaConf.select(_root_, key)  # None while it is missing; what else is wrong with it the checks will tell
        for key in ("domain.path", "domain.held_out_share", "game.split", "seeds.per_window")
    )
    share, together = (value if isinstance(value, int | float) else 0 for value in (share, together))
    contexts = number_of_contexts(str(path or ""), share, str(split or "train"))
    return max(1, math.ceil(contexts / max(1, together)))


OmegaConf.register_new_resolver("windows_of_documents", _windows, replace=True)


class RecipeError(ValueError):
    """A mistake in the recipe or on the command line: one line with the key, the value and the mend."""


def recipes_folder() -> Path:
    """The recipes beside this package in a checkout, or inside it when installed from a wheel."""
    package = Path(__file__).resolve().parent
    for folder in (package.parent / "recipes", package / "recipes"):
        if (folder / f"{JOB}.yaml").is_file():
            return folder
    raise RecipeError(f"no recipes/{JOB}.yaml beside or inside {package}; reinstall the package.")


def recipe_names() -> list[str]:
    """Every recipe that ships with the package."""
    return sorted(path.stem for path in recipes_folder().glob("*.yaml") if path.stem != JOB)


def compose(words: Sequence[str]) -> DictConfig:
    """The config that ``words`` ask for; interpolations are left in place, so that nodes can be built one by one.

    Args:
        words: ``["recipe=sqlm_small", "learner.lr=1e-3", "control=random"]``, in any order.

    Raises:
        RecipeError: an unknown recipe, group choice or key, or a word that is not KEY=VALUE.
    """
    name, overrides = split_words(words)
    recipe = find_recipe(name)
    if recipe.parent != recipes_folder() and str(recipe.parent) not in sys.path:
        sys.path.insert(0, str(recipe.parent))  # a game that lies beside one's own recipe can be named in it
    config = _compose(recipe.parent, recipe.stem, overrides)
    _refuse_unknown_keys(config, recipe.parent)
    with open_dict(config):
        del config["hydra"]
    return config


def split_words(words: Sequence[str]) -> tuple[str, list[str]]:
    """The recipe's name and the other words.

    >>> split_words(["recipe=sqlm_small", "seed=1", "debug=two_steps"])
    ('sqlm_small', ['seed=1', '+debug=two_steps'])
    """
    names: list[str] = []
    overrides: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if not key.startswith("~") and (not equals or key.startswith("-")):
            raise RecipeError(
                f"{word!r} is not KEY=VALUE; write for example learner.lr=1e-3 (a launcher's own flags stand before "
                "-m selfplay.train)."
            )
        if key == "recipe":
            names.append(value)
        elif key == DEBUG:  # laid over the whole recipe, so last in Hydra's list of defaults
            overrides.append(f"+{word}")
        elif key in FREE_NODES or key.startswith(
            tuple(f"{node}." for node in FREE_NODES)
        ):  # Hydra wants to be told that the entry may be new
            overrides.append(f"++{word}")
        else:
            overrides.append(word)
    if len(names) != 1 or not names[0]:
        raise RecipeError(f"recipe=NAME must be given once; NAME is one of {', '.join(recipe_names())}.")
    return names[0], overrides


def find_recipe(name: str) -> Path:
    """The file of a recipe: a shipped one by its name, anybody's by its path.

    Raises:
        RecipeError: no such recipe; the nearest names are in the message.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name).expanduser()
        if not path.is_file():
            raise RecipeError(f"recipe={name}: there is no such file; give the path of a .yaml file.")
        return path.resolve()
    if name not in recipe_names():
        raise RecipeError(f"recipe={name} is unknown{did_you_mean(name, recipe_names())}")
    return recipes_folder() / f"{name}.yaml"


def recipe_header(words: Sequence[str]) -> str:
    """The comment at the top of the recipe's file: what it is, what it expects, its yardstick, cost and failure."""
    lines = find_recipe(split_words(words)[0]).read_text(encoding="utf-8").splitlines()
    return "\n".join(line.lstrip("#").removeprefix(" ") for line in takewhile(lambda line: line.startswith("#"), lines))


def build(config: DictConfig, key: str, **arguments: Any) -> Any:
    """The object of the node at ``key``: its ``_target_`` called with the node's keys and ``arguments``.

    Raises:
        RecipeError: no such target, or its constructor refused the keys; the message is the constructor's own.
    """
    node = OmegaConf.select(config, key)
    if node is None:
        raise RecipeError(f"{key} is empty in this recipe; choose one, e.g. {key}={_first_choice(key)}.")
    plain = OmegaConf.to_container(node, resolve=True)
    assert isinstance(plain, dict)
    try:
        return hydra.utils.instantiate(plain, _convert_="all", _partial_=True)(**arguments)
    except (InstantiationException, ValueError, TypeError) as error:
        reason = one_line(error.__cause__ or error if isinstance(error, InstantiationException) else error)
        named = reason.startswith(tuple(f"{group}." for group in GROUPS))
        raise RecipeError(reason if named else f"{key}: {reason}") from error


def roles_of(value: Any, roles: Sequence[str], key: str) -> dict[str, Any]:
    """A key that is one value for all roles or a mapping by role, spelled out for every role.

    >>> roles_of(1e-3, ["proposer", "solver"], "learner.lr")
    {'proposer': 0.001, 'solver': 0.001}

    Raises:
        RecipeError: a mapping that leaves a role out or names one that the game has not.
    """
    if not isinstance(value, Mapping | DictConfig):
        return dict.fromkeys(roles, value)
    names = [str(name) for name in value]
    for name in names:
        if name not in roles:
            raise RecipeError(f"{key}.{name}: this game has no such role{did_you_mean(name, roles)}")
    for role in roles:
        if role not in names:
            raise RecipeError(f"{key} has no value for the role {role!r}; add {key}.{role}=... or one value for all.")
    return {role: value[role] for role in roles}


def one_line(error: BaseException) -> str:
    """The message without line breaks."""
    return " ".join(str(error).split())


def _compose(folder: Path, name: str, overrides: Sequence[str], beside: Path | None = None) -> DictConfig:
    """One Hydra composition, Hydra's node left in; ``beside`` (the shipped recipes) is searched after ``folder``."""
    search = f"hydra.searchpath=['file://{beside or recipes_folder()}']"
    GlobalHydra.instance().clear()  # a composition that failed leaves its state behind
    try:
        with hydra.initialize_config_dir(str(folder), version_base="1.3"):
            return hydra.compose(name, overrides=[f"recipe={name}", search, *overrides], return_hydra_config=True)
    except MissingConfigException as error:
        raise RecipeError(_missing_config(error)) from error
    except OverrideParseException as error:
        raise RecipeError(_unreadable(error)) from error
    except (ConfigCompositionException, OmegaConfBaseException) as error:
        raise RecipeError(_bad_override(error, folder, name)) from error
    except YAMLError as error:
        raise RecipeError(f"{name}.yaml cannot be read as YAML: {one_line(error)}") from error


def _missing_config(error: MissingConfigException) -> str:
    group, _, choice = str(error.missing_cfg_file).rpartition("/")
    if not group:
        return f"the recipe's defaults name {choice!r}, which does not exist{did_you_mean(choice, recipe_names())}"
    return f"{group}={choice} is unknown{did_you_mean(choice, error.options or [])}"


def _unreadable(error: OverrideParseException) -> str:
    word = str(error.override).lstrip("+")
    key = word.partition("=")[0]
    if key.endswith("url"):  # which may hold a password; Hydra's own words repeat parts of it
        return (
            f"{key}: a sign in its value is grammar to Hydra; put the value in double quotes: '{key}=\"http://...\"'."
        )
    return f"{word!r} cannot be read: {one_line(error)}"


def _bad_override(error: Exception, folder: Path, name: str) -> str:
    cause = error.__cause__ or error
    key = getattr(cause, "full_key", None)
    if "No match in the defaults list" in str(error):
        key = str(error).split("'")[1].partition("=")[0]
    if not key:
        return one_line(error)
    known = [*GROUPS, *flat_keys(_compose(folder, name, []))]
    if key in known:
        return f"{key}: {one_line(cause)}"
    return f"{key} is not a key of this recipe{did_you_mean(key, known)}"


def _refuse_unknown_keys(config: DictConfig, folder: Path) -> None:
    """Compare with the same choice of groups and nobody's own words: what is only in ``config`` is a slip."""
    choices = config.hydra.runtime.choices
    groups = [f"{group}={choices[group]}" for group in GROUPS if group in choices and group != DEBUG]
    schema = _compose(recipes_folder(), JOB, groups, beside=folder)
    known = flat_keys(schema)
    for key in unknown_keys(config, schema):
        raise RecipeError(f"{key} is not a key of any recipe{did_you_mean(key, known)}")


def _first_choice(group: str) -> str:
    return next((path.stem for path in sorted((recipes_folder() / group).glob("*.yaml"))), "...")


def main() -> int:
    """Print the config that the words on the command line ask for."""
    try:
        config = compose(sys.argv[1:])
    except RecipeError as error:
        print(f"selfplay: {error}", file=sys.stderr)
        return 2
    print(OmegaConf.to_yaml(config, resolve=False), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
