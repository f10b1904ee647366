"""Policies of a duel, loaded one after another: what comes next reuses the base where it can."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf

from selfplay.configuration import RecipeError, build
from selfplay.duel_contestants import Contestant, Run
from selfplay.learner.world import visible_gpus
from selfplay.quiet import quieten
from selfplay.roles.verdicts import REASONED_TOKENS, judged_text
from selfplay.types import Request, Sampler

VERDICT_TOKENS = 64
"""Of a judge whose run says nothing about one and whose wording leaves no room for a thought."""


class Stage:
    """Holds one policy at a time. A sampler that it gave is good until it is asked for the next."""

    def __init__(self) -> None:
        self._key = ""
        self._policy: Any = None

    def sampler(self, run: Run, role: str, bare: bool = False) -> Sampler:
        """Plays ``role`` with the run's adapters, or its frozen base.

        Raises:
            RecipeError: a base that cannot be loaded, or adapters that do not fit it.
        """
        roles = run.game.roles
        policy = self._take(run, roles if role in roles else (*roles, role))
        if not bare:
            try:
                policy.load(run.adapters)
            except ValueError as error:
                raise RecipeError(f"{run.name}: {error}") from error
        words: dict[str, Any] = {"bare": True} if bare else {}
        limits = OmegaConf.to_container(run.config.sampler).get("max_new_tokens")  # type: ignore[union-attr]
        if isinstance(limits, Mapping) and role not in limits:
            reasons = run.config.domain.get("wording", "boxed") != "compact"
            words["max_new_tokens"] = {**limits, role: REASONED_TOKENS if reasons else VERDICT_TOKENS}
        return build(run.config, "sampler", policy=policy, **words)

    def answers(
        self, contestant: Contestant, role: str, requests: Mapping[str, Request], n: int, temperature: float, key: tuple
    ) -> dict[str, list[str]]:
        """Item -> ``n`` answers of a run or its base, as they will be judged: without their thinking."""
        assert contestant.run is not None
        sampler = self.sampler(contestant.run, role, contestant.bare)
        sampler.begin(*key)
        turns_N_G = sampler.sample(role, [request.prompt for request in requests.values()], n, temperature=temperature)
        return {
            item: [judged_text(turn.text) for turn in turns_G]
            for item, turns_G in zip(requests, turns_N_G, strict=True)
        }

    def _take(self, run: Run, roles: tuple[str, ...]) -> Any:
        node: Any = OmegaConf.to_container(run.config.policy)
        key = json.dumps([{**node, "seed": None}, roles])
        if key != self._key:
            quieten()
            self._policy = None  # its memory first
            frozen = [*node.get("frozen", []), *(role for role in roles if role not in run.game.roles)]
            self._policy = build(run.config, "policy", roles=roles, frozen=frozen)
            if visible_gpus():
                self._policy.model.to("cuda")
            self._key = key
        return self._policy
