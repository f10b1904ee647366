"""A whole build of a few steps: caching, the lock, atomicity, refusals, reproducibility."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from selfplay.small_base import builder, command, rule_book_scoring, scoring, training
from selfplay.small_base.recipes import FIRST_CORPUS, RECIPES, Architecture, Phase, Recipe
from selfplay.small_base.records import corpus_of

TINY = dataclasses.replace(
    RECIPES["small"],
    name="tiny",
    phases=(Phase(3, {"solve_worked": 0.5, "judge": 0.5}, rows=8), Phase(2, {"list": 0.5, "propose": 0.5}, rows=8)),
    architecture=Architecture(hidden=16, layers=1, heads=2, intermediate=16),
    bands={"solve/pass@1": (0.9, 1.0)},
)

ASK = """
import sys
from selfplay.small_base import builder
from tests.small_base.test_builder import TINY
steps = []
print(builder.build(TINY, watch=lambda step, loss: steps.append(step), n=2), len(steps))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "selfplay" / "small-base"


def test_two_who_ask_at_once_get_one_build(cache: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", ASK]
    asking = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=240)[0].splitlines()[-1].split() for process in asking]
    assert [process.returncode for process in asking] == [0, 0]
    assert [folder for folder, _ in answers] == [str(cache / TINY.digest())] * 2
    assert sorted(steps for _, steps in answers) == ["0", "5"]  # one trained, the other waited and found it
    assert sorted(path.name for path in cache.iterdir()) == [TINY.digest(), f"{TINY.digest()}.lock"]


def test_the_record_says_what_was_built_and_that_it_misses_its_band(tmp_path: Path) -> None:
    folder = builder.build(TINY, tmp_path / "tiny", n=2)
    record = builder.read_record(folder)
    assert record["hash"] == TINY.digest()
    assert record["recipe"] == json.loads(json.dumps(TINY.as_dict()))
    assert record["outside_bands"] == [f"solve/pass@1 is {record['scores']['solve/pass@1']:.3f}, expected 0.9 to 1"]
    assert set(record["versions"]) == {"python", "torch", "transformers", "tokenizers"}
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert builder.build(TINY, folder, watch=_must_not_train) == folder
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_failed_build_leaves_nothing_behind_and_can_be_repeated(cache: Path) -> None:
    def fail(step: int, loss: float) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        builder.build(TINY, watch=fail, n=2)
    assert [path.name for path in cache.iterdir()] == [f"{TINY.digest()}.lock"]
    assert builder.read_record(builder.build(TINY, n=2))["hash"] == TINY.digest()


def test_a_killed_build_leaves_no_base_and_the_next_one_cleans_up(cache: Path) -> None:
    die = ASK.replace("steps.append(step)", "__import__('os')._exit(9)")  # as sudden as a kill: nothing is tidied
    assert subprocess.run([sys.executable, "-c", die], env=os.environ | {"OMP_NUM_THREADS": "1"}).returncode == 9
    left = [path.name for path in cache.iterdir() if path.is_dir()]
    assert len(left) == 1
    assert left[0].startswith(f"{TINY.digest()}.unfinished-")
    assert builder.build(TINY, n=2) == cache / TINY.digest()
    assert [path.name for path in cache.iterdir() if path.is_dir()] == [TINY.digest()]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="no built base"):
        builder.build(TINY, tmp_path / "taken")
    folder = builder.build(TINY, tmp_path / "tiny", n=2)
    with pytest.raises(ValueError, match="another recipe"):
        builder.build(dataclasses.replace(TINY, seed=5), folder)


def test_an_unknown_name_is_refused_by_naming_the_known() -> None:
    with pytest.raises(ValueError, match=r"name='nano'.*small"):
        builder.build("nano")


def test_the_verb_builds_shows_the_scores_and_says_plainly_what_is_outside_its_band(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(RECIPES, "tiny", TINY)
    words = ["build", "--name", "tiny", "--seed", "4", "--folder", str(tmp_path / "tiny")]
    assert command.main(words) == 1
    said = capsys.readouterr().out
    assert "OUTSIDE ITS BAND: solve/pass@1 is 0.000, expected 0.9 to 1" in said
    assert "judge/greedy" in said
    assert said.split()[-1] == str(tmp_path / "tiny")
    assert builder.read_record(tmp_path / "tiny")["recipe"]["seed"] == 4
    assert command.main(["build", "--name", "tiny", "--folder", str(tmp_path / "tiny")]) == 2  # seed 4 lies there


TINY_RULE_BOOKS = dataclasses.replace(
    RECIPES["contexts"],
    phases=(Phase(3, {"pairs": 0.5, "judge": 0.5}, rows=8), Phase(2, {"task": 0.5, "generate": 0.5}, rows=8)),
    architecture=TINY.architecture,
    bands={},
)


def _weights(recipe: Recipe) -> dict[str, torch.Tensor]:
    return training.train(recipe, lambda step, loss: None)[0].state_dict()


def test_a_base_of_rule_books_is_built_scored_and_known_by_its_record(tmp_path: Path) -> None:
    folder = builder.build(TINY_RULE_BOOKS, tmp_path / "tiny", n=2)
    assert set(builder.read_record(folder)["scores"]) == set(rule_book_scoring.CASES)
    assert corpus_of(folder) == "rule_books"
    assert corpus_of(tmp_path) == FIRST_CORPUS
    assert set(scoring.score(folder, n=1)) == set(rule_book_scoring.CASES)  # without being told


@pytest.mark.parametrize("recipe", [TINY, TINY_RULE_BOOKS], ids=lambda recipe: recipe.corpus)
def test_the_same_seed_gives_the_same_bytes_and_leaves_the_callers_randomness_alone(recipe: Recipe) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = _weights(recipe)
    assert torch.equal(torch.rand(2), expected)
    torch.manual_seed(4)
    second, other = _weights(recipe), _weights(dataclasses.replace(recipe, seed=1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def _must_not_train(step: int, loss: float) -> None:
    raise AssertionError("trained although it was there")
