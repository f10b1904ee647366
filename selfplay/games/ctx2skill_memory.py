"""What Ctx2Skill knows of a context between its visits: skills, the versions' numbers, and the last visit's probes.

    visit 1: rounds 1..N, round 2 chosen --remember--> visit 2: begins with version 2, rounds N+1..2N, ...

The paper visits a context once. Where visits are carried on (`Settings.carry`), skills and weights grow together: a
visit begins with the version of the reasoner's skill that the last visit chose and with the challenger's latest. A
version never changes, so numbers go on; and the version that a visit began with competes in its replay, under the
weights of today, on the probes of both visits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

from selfplay.games.ctx2skill_facts import chosen_skill
from selfplay.games.ctx2skill_state import Loop
from selfplay.roles.replay import Probe
from selfplay.roles.skills import read_skills
from selfplay.types import Context, Episode, Seed, Side, Skill

SIDES: tuple[Side, Side] = ("reasoner", "challenger")


class Memory:
    """
    Args:
        carry: whether a visit goes on from the last one of its context; else every visit is the first.

    Attributes:
        skills: of the reasoner, as Markdown, by context: what the latest visit chose. One object for good: yardsticks
            hold it.
    """

    def __init__(self, carry: bool) -> None:
        self.carry = carry
        self.skills: dict[str, str] = {}
        self._visits: dict[str, dict[str, Any]] = {}  # of the latest one, by context; empty without ``carry``

    def loop(self, seed: Seed, context: Context) -> Loop:
        """A visit about to begin."""
        last = self._visits.get(context.key)
        if last is None:
            return Loop(seed, context)
        return Loop(
            seed,
            context,
            start=last["rounds"],
            origin=last["chosen"],
            begun={side: tuple(Skill(*parts) for parts in last["skills"][side]) for side in SIDES},
            probes=[Probe(kind, number, task, tuple(rubrics)) for kind, number, task, rubrics in last["probes"]],
        )

    def remember(self, episodes: Sequence[Episode]) -> None:
        """Of two visits to one context in one window the later counts."""
        for episode in episodes:
            notes = episode.notes
            self.skills[notes["context"]] = chosen_skill(notes)
            if self.carry:
                self._visits[notes["context"]] = _visit(notes)

    def state_dict(self) -> dict[str, Any]:
        return {"skills": dict(self.skills), "visits": dict(self._visits)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.skills.clear()
        self.skills.update(state["skills"])
        visits = state.get("visits", {}) if self.carry else {}  # checkpoints of before there were any have none
        self._visits = {key: _with_skills(visit, self.skills[key]) for key, visit in visits.items()}


def _with_skills(visit: Mapping[str, Any], chosen: str) -> dict[str, Any]:
    """Older checkpoints have the challenger's set as Markdown, and the reasoner's in ``skills`` alone."""
    if "skills" in visit:
        return dict(visit)
    texts = {"reasoner": chosen, "challenger": visit["challenger"]}
    skills = {side: [[*astuple(one)] for one in read_skills(texts[side]) or ()] for side in SIDES}
    return {"rounds": visit["rounds"], "chosen": visit["chosen"], "skills": skills, "probes": visit["probes"]}


def _visit(notes: Mapping[str, str]) -> dict[str, Any]:
    """What the next visit needs besides the chosen skill, as JSON takes it."""
    began = json.loads(notes["began"])["round"]
    probes = [one for one in json.loads(notes["probes"]) if one["round"] > began]
    return {
        "rounds": max(int(name.partition("/")[2]) for name in notes if name.startswith("round/")),
        "chosen": int(notes["selected"] or 0),
        "skills": json.loads(notes["left"]),
        "probes": [[one["kind"], one["round"], one["task"], one["rubrics"]] for one in probes],
    }
