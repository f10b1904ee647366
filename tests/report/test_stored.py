"""Which episodes a page carries, and that what it carries is what was stored."""

from __future__ import annotations

import base64
import gzip
import json

import numpy as np
import pytest

from selfplay.report.embedding import embed
from selfplay.report.stored import choose, scan_run, spread_order
from selfplay.tracking.episodes import EpisodeStore
from selfplay.types import Episode, Seed, Turn
from tests.report.made import episode, fill_store


def unpacked(text: str) -> dict:
    return json.loads(gzip.decompress(base64.b64decode(text)))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 64])
def test_an_order_that_is_spread_names_everybody_once(n):
    order = spread_order(n)
    assert sorted(order) == list(range(n))
    assert order[:2] == [0, n - 1][:n]


def test_all_episodes_are_taken_when_they_fit(tmp_path):
    fill_store(tmp_path, steps=3, per_step=4)
    assert choose(scan_run(tmp_path), 10**6) == [[0, 1, 2, 3]] * 3


def test_a_part_is_spread_over_steps_and_rewards(tmp_path):
    fill_store(tmp_path, steps=6, per_step=10)
    files = scan_run(tmp_path)
    total = sum(int(file.characters_E.sum()) for file in files)
    chosen = choose(files, total // 3)
    taken = sum(int(file.characters_E[some].sum()) for file, some in zip(files, chosen, strict=True))
    assert 0.25 * total < taken <= total // 3
    assert {len(some) for some in chosen} <= {2, 3, 4}, "every step gives as many, within one or two"
    for file, some in zip(files, chosen, strict=True):
        pays = file.rewards_E[some]
        assert (pays.min(), pays.max()) == (file.rewards_E.min(), file.rewards_E.max())


def test_one_episode_is_taken_however_long(tmp_path):
    fill_store(tmp_path, steps=2, per_step=2)
    assert sum(map(len, choose(scan_run(tmp_path), 1))) == 1


def test_what_is_carried_is_what_was_stored(tmp_path):
    stored = [episode(0), episode(1, notes={"skill/reasoner/1": "ä\n多"}), episode(2)]
    stored[1].turns[3].failure, stored[1].turns[4].stopped = "HTTP 503", False
    stored[2].turns[2].objective = "imitate"
    EpisodeStore(tmp_path / "episodes").write(1, stored[:1])
    EpisodeStore(tmp_path / "episodes").write(2, stored[1:])
    files = scan_run(tmp_path)
    made = embed(["a"], [files], [choose(files, 10**9)])
    index, (pack,) = unpacked(made.index), map(unpacked, made.packs)
    assert (made.shown, made.stored, index["step"], index["seed"]) == (3, 3, [1, 2, 2], [0, 1, 2])
    row = 0
    for place, one in enumerate(stored):
        assert pack["turns"][place] == len(one.turns)
        assert json.loads(pack["strings"][pack["notes"][place]]) == one.notes
        facts = json.loads(pack["strings"][pack["facts"][place]])
        assert facts == pytest.approx(one.facts, rel=1e-5)
        for turn in one.turns:
            text = {name: pack["strings"][pack[name][row]] for name in ("role", "prompt", "text", "failure", "group")}
            assert text == {name: getattr(turn, name) for name in text}
            assert json.loads(pack["strings"][pack["rewards"][row]]) == turn.rewards
            assert pack["objective"][row] == {None: 0, "reinforce": 1, "imitate": 2}[turn.objective]
            assert pack["stopped"][row] == turn.stopped
            row += 1


def test_pay_is_of_the_turns_that_were_paid(tmp_path):
    turns = [
        Turn("solver", "p", "a", rewards={"majority": 1.0, "format": 0.5}),
        Turn("solver", "p", "b", rewards={"majority": 0.0}),
        Turn("solver", "p", "c", objective=None),
        Turn("judge", "p", "d", objective=None),
    ]
    EpisodeStore(tmp_path / "episodes").write(1, [Episode(Seed(0, "t"), turns), Episode(Seed(1, "t"), [turns[3]])])
    files = scan_run(tmp_path)
    index = unpacked(embed(["a"], [files], [choose(files, 10**9)]).index)
    assert index["reward"] == [0.75, None]
    assert index["roles"] == {"solver": [0.75, None], "judge": [None, None]}
    assert index["spoke"] == [0b11, 0b10]


def test_a_long_step_is_cut_into_packs(tmp_path):
    long = [episode(number, "x" * 300_000) for number in range(3)]
    EpisodeStore(tmp_path / "episodes").write(1, long)
    files = scan_run(tmp_path)
    made = embed(["a"], [files], [choose(files, 10**9)])
    index = unpacked(made.index)
    assert index["pack"] == sorted(index["pack"])
    assert len(made.packs) == index["pack"][-1] + 1 >= 2
    assert sum(len(unpacked(pack)["turns"]) for pack in made.packs) == 3


def test_an_episode_without_turns_and_a_step_without_episodes_are_nothing(tmp_path):
    EpisodeStore(tmp_path / "episodes").write(1, [])
    EpisodeStore(tmp_path / "episodes").write(2, [Episode(Seed(0, "t"))])
    files = scan_run(tmp_path)
    assert [len(file.starts_E) for file in files] == [0, 0]
    assert embed(["a"], [files], [choose(files, 100)]).shown == 0


def test_pay_that_is_not_finite_is_no_number(tmp_path):
    turn = Turn("solver", "p", "a", rewards={"majority": float("nan")})
    EpisodeStore(tmp_path / "episodes").write(1, [Episode(Seed(0, "t"), [turn])])
    files = scan_run(tmp_path)
    assert unpacked(embed(["a"], [files], [choose(files, 100)]).index)["reward"] == [None]
    assert np.isnan(files[0].rewards_E).all()
