"""The budget of Ctx2Skill holds for the longest replies: every agent says as much as it may, in every setting."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from selfplay.domains.documents import Documents
from selfplay.games.ctx2skill import Ctx2Skill
from selfplay.games.ctx2skill_budget import CHARACTERS_A_TOKEN
from selfplay.types import Context, Seed, Turn

LIMIT = 600
"""Tokens of a reply of each role."""

ROUNDS, TASKS, VISITS = 3, 2, 3
NAMES = ("reasoner_proposer", "challenger_proposer")


class Longwinded:
    """Plays every role with replies of just ``LIMIT`` tokens, of which it counts the prompts'."""

    def __init__(self, met: tuple[str, ...]) -> None:
        self.met = met  # "yes" or "no" of the round's tasks: A, B
        self.prompts: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()

    def begin(self, *key) -> None:
        """Nothing depends on it."""

    def sample(self, role, prompts_N, n=1, *, temperature=None):
        return [[Turn(role, prompt, self._reply(role, prompt)) for _ in range(n)] for prompt in prompts_N]

    def _reply(self, role: str, prompt) -> str:
        self.calls[role] += 1
        text = "".join(message["content"] for message in prompt)
        self.prompts[role] += len(text)
        empty = self._filled(role, text, "")
        reply = self._filled(role, text, "x" * ((int(LIMIT * CHARACTERS_A_TOKEN) - len(empty)) // self._places(role)))
        assert LIMIT - 1 <= len(reply) / CHARACTERS_A_TOKEN <= LIMIT
        return reply

    def _places(self, role: str) -> int:
        return TASKS if role == "challenger" else 1

    def _filled(self, role: str, text: str, long: str) -> str:
        agent = role.split("_")[-1]
        if role == "challenger":
            tasks = [{"task": f"Say {at}.{long}", "rubrics": [f"Says {at}."] * 15} for at in "AB"]
            return json.dumps({"tasks": tasks})
        if agent == "proposer":
            words = {"action": "create", "skill_name": "exact", "description": "D.", "proposed_skill": f"x{long}"}
            return json.dumps(words)
        if agent == "generator":  # a name of its own, so that a set grows where it may
            skill = f"---\nname: exact-{self.calls[role]:03}\ndescription: D.\n---\n\nx{long}"
            return json.dumps({"skill_content": skill})
        if role == "judge":
            met = self.met["Says B." in text]
            return json.dumps({"rationale": long, "statuses": [met] * 15})
        return f"It is A. {long}"


def spent_and_planned(met: tuple[str, ...], visits: int = VISITS, **changes):
    contexts = [Context("handbook", "Be brief.", "The fee is 7 euros. " * 50)]
    domain = Documents(contexts, 0.0, existing=changes.pop("existing", "names"))
    game = Ctx2Skill(domain, **({"rounds": ROUNDS, "tasks": TASKS, "closed_book": 1} | changes))
    sampler = Longwinded(met)
    for number in range(visits):
        game.remember(game.play([Seed(number, "contexts")], sampler))
    planned = game.budget(visits, dict.fromkeys(game.roles, LIMIT))
    tokens = {role: sampler.prompts[role] / CHARACTERS_A_TOKEN for role in game.roles}
    return sampler.calls, tokens, planned


@pytest.mark.parametrize("met", [("yes", "no"), ("no", "no"), ("yes", "yes")])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rounds": 1},
        {"carry": True},
        {"existing": "whole"},
        {"merged": True},
        {"evolves": ["reasoner"]},
        {"replacement": "append", "existing": "whole"},
        {"replacement": "append", "existing": "whole", "most_skills": 2},
        {"replacement": "append", "existing": "whole", "carry": True},
    ],
    ids=lambda changes: " ".join(f"{key}={value}" for key, value in changes.items()) or "the paper's",
)
def test_no_prompts_are_longer_than_was_planned(changes, met):
    calls, tokens, planned = spent_and_planned(met, **changes)
    assert all(calls[role] <= planned[role].calls for role in calls)
    for role in planned.keys() - {*NAMES}:
        if not changes.get("merged") or not role.endswith("generator"):
            assert tokens[role] <= planned[role].prompt_tokens, role
    writers = [role for role in planned if role.endswith("generator" if changes.get("merged") else "proposer")]
    assert sum(tokens[role] for role in writers) <= sum(planned[role].prompt_tokens for role in writers)


def test_the_bound_is_near():
    """Where all is asked for, seven tenths of what is planned are used."""
    _, tokens, planned = spent_and_planned(("yes", "no"), visits=1)
    assert tokens["reasoner"] > 0.7 * planned["reasoner"].prompt_tokens
    assert tokens["judge"] > 0.7 * planned["judge"].prompt_tokens


def test_a_document_is_planned_for_as_often_as_it_is_visited():
    domain = Documents([Context("a", "", "A."), Context("b", "", "B.")], 0.0)
    once = Ctx2Skill(domain, visits=1)
    limits = dict.fromkeys(once.roles, LIMIT)
    assert once.budget(6, limits) == once.budget(2, limits) == Ctx2Skill(domain).budget(2, limits)
    played = [once.play([Seed(at, "c") for at in seeds], Longwinded(("yes", "no"))) for seeds in ([1, 2], [2])]
    assert [[episode.seed.index for episode in episodes] for episodes in played] == [[1], []]
