"""One model in memory, and whoever stands on it: adapters are swapped, the base is loaded once for all its runs.

    entrant + roles that a suite asks --base, adapters--> sampler --Reading--> turns, or why there can be none

A suite asks `solver`, an `actor` answers: the role that answers in a game stands in for what the suite calls it, under
the suite's name, so that all contestants hear the same noise (`HFSampler` seeds it from the role's name).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from omegaconf import OmegaConf

from selfplay.arena_entrants import CannotMeasure, Entrant, stand_in
from selfplay.configuration import RecipeError, build, roles_of
from selfplay.learner.world import visible_gpus
from selfplay.policy.adapters import adapter_table
from selfplay.quiet import quieten
from selfplay.samplers.prompts import encode
from selfplay.types import Prompt, Sampler, Turn


class Stage:
    """Holds one policy at a time. A sampler that it gave is good until it is asked for the next.

    Args:
        entrants: all that will be asked for: a base is built with the roles of all its runs.
    """

    def __init__(self, entrants: Sequence[Entrant]) -> None:
        self._roles: dict[str, tuple[str, ...]] = {}
        for entrant in entrants:
            known = self._roles.get(entrant.loading, ())
            self._roles[entrant.loading] = tuple(dict.fromkeys((*known, *entrant.run.game.roles)))
        self._loaded = ""
        self._policy: Any = None

    def sampler(self, entrant: Entrant, asked: Sequence[str], tokens: int | None = None) -> Sampler:
        """Plays what a suite asks.

        Args:
            asked: the suite's roles.
            tokens: the longest answer; None = as in the entrant's run.

        Raises:
            CannotMeasure: a role that nobody here plays.
            RecipeError: a base that cannot be loaded, or adapters that do not fit it.
        """
        plays = {role: stand_in(entrant, role) for role in asked}
        policy = self._take(entrant)
        config, game = entrant.run.config, entrant.run.game
        if not entrant.bare:
            table = adapter_table(game.roles, config.policy.adapters, list(config.policy.frozen))
            try:
                policy.load(entrant.run.adapters, sorted({name for name in table.values() if name is not None}))
            except ValueError as error:
                raise RecipeError(f"{entrant.name}: {error}") from error
            policy.adapter_of.update(table)
        policy.adapter_of.update({role: policy.adapter_of[player] for role, player in plays.items()})
        node: Any = OmegaConf.to_container(config.sampler)
        limits = roles_of(node["max_new_tokens"], game.roles, "sampler.max_new_tokens")
        limits |= {role: limits[player] if tokens is None else tokens for role, player in plays.items()}
        sampler = build(config, "sampler", policy=policy, bare=entrant.bare, max_new_tokens=limits)
        return Reading(sampler, entrant)

    def _take(self, entrant: Entrant) -> Any:
        if entrant.loading != self._loaded:
            quieten()
            self._policy, self._loaded = None, ""  # its memory first
            roles = self._roles[entrant.loading]
            self._policy = build(entrant.run.config, "policy", roles=roles, frozen=[])
            if visible_gpus():
                self._policy.model.to("cuda")
            self._loaded = entrant.loading
        return self._policy


class Reading:
    """A model's sampler that refuses a suite in a language that the base was not made for.

    A closed vocabulary turns foreign words into the unknown token: what is then measured is noise. Models with an open
    one know everything.
    """

    def __init__(self, sampler: Any, entrant: Entrant) -> None:
        self.sampler, self.base = sampler, entrant.base

    def begin(self, *key: int | str) -> None:
        self.sampler.begin(*key)

    def sample(
        self, role: str, prompts_N: Sequence[Prompt], n: int = 1, *, temperature: float | None = None
    ) -> list[list[Turn]]:
        """Raises CannotMeasure where most prompts hold words that the base does not know."""
        self._check(prompts_N)
        return self.sampler.sample(role, prompts_N, n, temperature=temperature)

    def score(self, role: str, prompts_N: Sequence[Prompt], choices: Sequence[str]) -> list[list[float]]:
        self._check(prompts_N)
        return self.sampler.score(role, prompts_N, choices)

    def choose(
        self,
        role: str,
        prompts_N: Sequence[Prompt],
        choices: Sequence[str],
        n: int = 1,
        *,
        temperature: float | None = None,
    ) -> list[list[Turn]]:
        self._check(prompts_N)
        return self.sampler.choose(role, prompts_N, choices, n, temperature=temperature)

    def _check(self, prompts_N: Sequence[Prompt]) -> None:
        tokenizer = self.sampler.policy.tokenizer
        unknown = tokenizer.unk_token_id
        if unknown is None:
            return
        ids_N = encode(tokenizer, prompts_N, 1 << 30, self.sampler.template)
        foreign = sum(unknown in ids for ids in ids_N)
        if 2 * foreign > len(ids_N):
            raise CannotMeasure(
                f"the base {self.base} does not know the suite's words: {foreign} of {len(ids_N)} prompts hold tokens "
                "outside its vocabulary"
            )
