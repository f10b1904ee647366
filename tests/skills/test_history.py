"""What the store says of the past: two visits of one round, the second going on from the first."""

from __future__ import annotations

import pytest

from selfplay.games.ctx2skill import Ctx2Skill
from selfplay.samplers.scripted import Scripted
from selfplay.skills.history import probes_of, skills_at
from selfplay.skills.store import SkillStore, Visit
from selfplay.types import Seed
from tests.games import shelf


@pytest.fixture
def visits(tmp_path) -> list[Visit]:
    store, lines = SkillStore(tmp_path), Scripted(shelf.lines())
    game = Ctx2Skill(shelf.Shelf(), rounds=1, tasks=2, carry=True, select="last")
    for step in (1, 3):
        episodes = game.play([Seed(4, "x")], lines)
        game.remember(episodes)
        store.write(step, episodes)
    return store.visits()


@pytest.mark.parametrize(("window", "body"), [(0, None), (1, "write D"), (2, "write D"), (3, "write H")])
def test_the_skills_as_of_a_window(visits, window, body):
    found = skills_at(visits, window)
    assert found.keys() == ({"letters"} if body else set())
    assert all(body in text for text in found.values())


@pytest.mark.parametrize(("most", "tasks"), [(10, ["cd", "ab", "gh", "ef"]), (2, ["gh", "ef"])])
def test_the_latest_probes_each_once(visits, most, tasks):
    (found,) = probes_of(visits, most).values()
    assert [probe.task for probe in found] == tasks
    assert found[-1].rubrics == ("has E",)
