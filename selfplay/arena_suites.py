"""The suites of an arena: names of shipped ones or files -> yardsticks that ask every contestant the same.

    arithmetic | answers | contexts | FILE.yaml --> node --> yardstick, and how long an answer may be

A node is a yardstick's (``_target_`` and its keys) or a whole evaluation group; beside a yardstick's own keys it may
have ``max_new_tokens``, so that everybody may say as much. The shipped ones lie in recipes/suite/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from selfplay.configuration import RecipeError, build, one_line, recipes_folder
from selfplay.keys import did_you_mean
from selfplay.suites import skills_shown

if TYPE_CHECKING:
    from selfplay.learner.examiner import Yardstick

FOLDER = "suite"
TOKENS = "max_new_tokens"


@dataclass(frozen=True)
class SuiteNode:
    """One suite, not yet built. ``tokens``: the longest answer; None = what the runs' own configs say."""

    name: str
    node: Mapping[str, Any]
    tokens: int | None = None

    def build(self, skills: Mapping[str, str] | None = None) -> Yardstick:
        """The yardstick; with ``skills`` where its own are left open (null), with none where it says ``none``.

        Raises:
            RecipeError: naming the suite.
        """
        config = OmegaConf.create({"suite": dict(self.node)})
        try:
            return build(config, "suite", **skills_shown(self.node, skills))
        except RecipeError as error:
            raise RecipeError(f"suite {self.name}: {str(error).removeprefix('suite: ')}") from error


def shipped_suites() -> list[str]:
    return sorted(path.stem for path in (recipes_folder() / FOLDER).glob("*.yaml"))


def load_suite(word: str, known: Sequence[str] = ()) -> DictConfig:
    """The node of a shipped suite by its name, of anybody's by its path.

    Args:
        known: further names that could have been meant.

    Raises:
        RecipeError: no such suite, or no YAML.
    """
    if word.endswith((".yaml", ".yml")) or "/" in word:
        path = Path(word).expanduser()
    elif word in shipped_suites():
        path = recipes_folder() / FOLDER / f"{word}.yaml"
    else:
        raise RecipeError(f"suite {word} is unknown{did_you_mean(word, {*known, *shipped_suites()})}")
    try:
        node = OmegaConf.load(path)
    except (OSError, YAMLError, OmegaConfBaseException) as error:
        raise RecipeError(f"suite {word}: {path} cannot be read ({one_line(error)}).") from error
    if not isinstance(node, DictConfig):
        raise RecipeError(f"suite {word}: holds no mapping; give a yardstick with _target_, or an evaluation group.")
    return node


def read_suites(nodes: Mapping[str, Any]) -> dict[str, SuiteNode]:
    """Suite -> node, evaluation groups taken apart into their yardsticks.

    >>> list(read_suites({"mine": {"every": 0, "yardsticks": {"sums": {"_target_": "a.B"}}}, "c": {"_target_": "d.E"}}))
    ['sums', 'c']

    Raises:
        RecipeError: a node that is neither, or needs keys of a recipe.
    """
    found: dict[str, SuiteNode] = {}
    for name, node in nodes.items():
        try:
            plain: Any = OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else dict(node)
        except OmegaConfBaseException as error:
            raise RecipeError(
                f"suite {name}: {one_line(error)}; a suite stands by itself: write its domain out, not ${{domain}}."
            ) from error
        if "yardsticks" in plain:
            found |= read_suites(plain["yardsticks"] or {})
        elif "_target_" in plain:
            tokens = plain.pop(TOKENS, None)
            found[str(name)] = SuiteNode(str(name), plain, tokens)
        else:
            raise RecipeError(f"suite {name}: has no _target_ (a yardstick's class) and no yardsticks; give either.")
    return found


def check_suites(nodes: Mapping[str, Any]) -> None:
    """Build every suite and throw it away, so that a mistake in one costs no model.

    Raises:
        RecipeError: naming the suite.
    """
    for suite in read_suites(nodes).values():
        suite.build()


def with_tokens(suite: SuiteNode, configs: Sequence[DictConfig], roles: Sequence[Sequence[str]]) -> SuiteNode:
    """The suite with one longest answer for everybody: its own, or the most that a run allows the role that answers.

    Args:
        roles: of each config, the roles that answer.
    """
    if suite.tokens is not None:
        return suite
    most = 0
    for config, answering in zip(configs, roles, strict=True):
        limits = config.sampler.max_new_tokens
        found = [limits] if isinstance(limits, int) else [limits[role] for role in answering if role in limits]
        most = max([most, *found])
    return replace(suite, tokens=most or None)
