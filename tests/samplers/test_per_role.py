import pytest

from selfplay.samplers.per_role import PerRole
from selfplay.samplers.scripted import Scripted


class Counting(Scripted):
    def __init__(self, lines) -> None:
        super().__init__(lines)
        self.begun: list[tuple[int | str, ...]] = []

    def begin(self, *key):
        self.begun.append(key)


def test_each_role_has_its_player():
    arena = PerRole(solver=Scripted({"solver": ["now"]}), default=Scripted({"judge": ["frozen"]}))
    assert arena.sample("solver", ["p"], n=2)[0][1].text == "now"
    assert arena.sample("judge", ["p"])[0][0].text == "frozen"
    assert arena.score("judge", ["p"], ["frozen"]) == [[0.0]]
    assert arena.choose("judge", ["p"], ["frozen", "now"], 2)[0][1].text == "frozen"


def test_the_temperature_reaches_the_player():
    class Warm(Scripted):
        def sample(self, role, prompts_N, n=1, *, temperature=None):
            return super().sample(role, [f"{prompt} at {temperature}" for prompt in prompts_N], n)

        def choose(self, role, prompts_N, choices, n=1, *, temperature=None):
            return self.sample(role, prompts_N, n, temperature=temperature)

    arena = PerRole(default=Warm({"solver": lambda prompt, k: str(prompt)}))
    assert arena.sample("solver", ["p"], temperature=0.0)[0][0].text == "p at 0.0"
    assert arena.choose("solver", ["p"], ["A", "B"], temperature=0.0)[0][0].text == "p at 0.0"


def test_a_player_of_two_roles_begins_once():
    both, other = Counting({"a": ["x"], "b": ["x"]}), Counting({"c": ["x"]})
    PerRole(a=both, b=both, default=other).begin(3, "window")
    assert (both.begun, other.begun) == ([(3, "window")], [(3, "window")])


def test_a_role_that_nobody_plays_is_named():
    with pytest.raises(ValueError, match="nobody plays the role 'judge'"):
        PerRole(solver=Scripted({"solver": ["x"]})).sample("judge", ["p"])
