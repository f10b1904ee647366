"""The arena on the small base: who is measured, that it can be killed, and that everybody is asked the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf

from selfplay import comparison_arena
from selfplay.arena_digest import data_prints
from selfplay.arena_entrants import Entrant, bare, entrants_of, of_run
from selfplay.arena_suites import SuiteNode, read_suites, shipped_suites
from selfplay.comparison.answers_file import read, read_about
from selfplay.comparison.standings import standings
from selfplay.comparison_arena import measure_all
from selfplay.configuration import RecipeError, compose
from selfplay.evaluation.metrics import Metric
from selfplay.small_base import shipped_folder
from tests.made_run import made_run, save_adapters, serl_recipe

SUMS = {
    "_target_": "selfplay.evaluation.yardsticks.ArithmeticYardstick",
    "domain": {"_target_": "selfplay.domains.arithmetic.Arithmetic", "operators": "+", "digits": 2},
    "per_level": 6,
    "samples": 2,
    "max_new_tokens": 48,
}
LISTS = {
    "_target_": "selfplay.evaluation.answers.AnswersYardstick",
    "domain": {"_target_": "selfplay.domains.open_ended.WordLists"},
    "samples": 8,
    "max_new_tokens": 16,
}
MINE = {"_target_": "tests.test_comparison_arena.Length"}
SUITES = {"sums": SUMS, "lists": LISTS, "mine": MINE}


@dataclass(frozen=True)
class Lengths:
    metrics: tuple[Metric, ...]


class Length:
    """A user's yardstick, which records nothing."""

    roles = ("solver",)
    texts = 2

    def measure(self, sampler: Any, before: Any = None) -> Lengths:
        sampler.begin("length")
        turns = sampler.sample("solver", ["solve 1+2", "solve 3+4"], n=1)
        return Lengths((Metric("yardstick/length/mean", sum(len(turn.text) for (turn,) in turns) / 2),))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A run of SQLM whose adapters play the base, with a ruined checkpoint; a ruined run of SERL; one on `contexts`."""
    folder = tmp_path_factory.mktemp("runs")
    sqlm = ["recipe=sqlm_small", "max_steps=4"]
    made_run(folder / "sqlm", sqlm)
    save_adapters(folder / "sqlm" / "checkpoints" / "step-000002", sqlm, noise=0.1)
    (folder / "sqlm" / "checkpoints" / "step-000002" / "manifest.json").write_text("{}")
    made_run(folder / "serl", [serl_recipe(folder), "max_steps=4", "seed=1"], noise=0.1)
    made_run(folder / "books", ["recipe=ctx2skill_small", "max_steps=4"])
    return [folder / "sqlm", folder / "serl", folder / "books"]


@pytest.fixture(scope="module")
def arena(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("arena")
    measure_all(runs, SUITES, out, say=lambda _: None)
    return out


def test_who_stands_there(runs: list[Path]):
    names = ["base:contexts", "base:small", "sqlm@2", "sqlm@4", "serl@4", "books@4"]
    assert [entrant.name for entrant in entrants_of(runs)] == names
    assert [entrant.last for entrant in entrants_of(runs)] == [True, True, False, True, True, True]
    assert [entrant.name for entrant in entrants_of(runs, "last")] == [name for name in names if name != "sqlm@2"]


def outline(folder: Path, checkpoints: list[int], words: tuple[str, ...] = (), summary: int | None = None) -> Path:
    """A run's folder by its files alone: adapters/ and checkpoints whose weights are empty."""
    folder.mkdir(parents=True)
    OmegaConf.save(compose(["recipe=sqlm_small", "max_steps=40", *words]), folder / "config.yaml", resolve=True)
    for place in [folder, *(folder / "checkpoints" / f"step-{step:06d}" for step in checkpoints)]:
        (place / "adapters" / "solver").mkdir(parents=True)
        (place / "adapters" / "solver" / "adapter_model.safetensors").touch()
        (place / "manifest.json").write_text("{}")
    if summary is not None:
        (folder / "summary.json").write_text(json.dumps({"steps": summary}))
    return folder


@pytest.mark.parametrize(
    ("checkpoints", "summary", "removed", "stands"),
    [
        ([20], 40, False, {20: False, 40: True}),
        ([20, 30], None, False, {20: False, 30: True}),  # ended at 20, went on to 30: adapters/ is still that of 20
        ([], None, False, {40: True}),
        ([20], 40, True, {20: False}),  # what it ended with is gone, and 20 was not the end
        ([20, 40], 40, True, {20: False, 40: True}),
    ],
)
def test_adapters_stand_for_the_step_that_they_are_of(tmp_path: Path, checkpoints, summary, removed, stands):
    run = outline(tmp_path / "run", checkpoints, summary=summary)
    if removed:
        shutil.rmtree(run / "adapters")
    assert {one.step: one.last for one in of_run(run)} == stands
    for one in of_run(run):
        is_end = one.step == 40 and not removed
        assert (one.run.adapters == run / "adapters") == (is_end or not checkpoints)


def test_a_finished_run_without_a_policy_is_not_to_be_resumed(tmp_path: Path):
    run = outline(tmp_path / "run", [], summary=40)
    shutil.rmtree(run / "adapters")
    with pytest.raises(RecipeError, match="what the run ended with was removed; leave it out"):
        of_run(run)


def test_a_base_is_known_by_its_weights_and_its_revision(tmp_path: Path):
    mine = tmp_path / "mine"
    shutil.copytree(shipped_folder("small"), mine)
    (run,) = of_run(outline(tmp_path / "run", [], (f"policy.base={mine}",), summary=40))
    before = {one.name: one.digest() for one in (bare(run), run)}
    (mine / "optimizer.pt").write_text("no part of it")
    assert {one.name: one.digest() for one in (bare(run), run)} == before
    weights = mine / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")  # the size as it was
    after = {one.name: one.digest() for one in (bare(run), run)}
    assert all(after[name] != before[name] for name in before)
    words = ["policy.base=Qwen/Qwen3-0.6B"]
    folders = [outline(tmp_path / f"at-{word}", [], (*words, f"policy.revision={word}")) for word in ("abc", "def")]
    assert [one.name for one in entrants_of(folders)][:2] == ["base:Qwen/Qwen3-0.6B:abc", "base:Qwen/Qwen3-0.6B:def"]


def test_data_of_a_suite_is_known_by_its_bytes(tmp_path: Path):
    (tmp_path / "documents" / "a").mkdir(parents=True)
    (tmp_path / "documents" / "a" / "rules.md").write_text("one")
    (tmp_path / "pairs.json").write_text("[]")
    node = {"domain": {"path": str(tmp_path / "documents")}, "pairs": [{"path": str(tmp_path / "pairs.json")}]}
    before = data_prints(node)
    assert [(name, size) for name, size, _ in before] == [("a/rules.md", 3), ("pairs.json", 2)]
    (tmp_path / "documents" / "a" / "rules.md").write_text("two")
    assert [one != other for one, other in zip(before, data_prints(node), strict=True)] == [True, False]
    assert data_prints({"path": "owner/dataset", "split": "tests"}) == []  # of the hub; no path of anybody's


def test_edited_data_is_measured_anew(tmp_path: Path):
    (run,) = of_run(outline(tmp_path / "run", [], summary=40))
    pairs = tmp_path / "pairs.json"
    pairs.write_text("[1]")
    suite = SuiteNode("judge", {"_target_": "a.B", "pairs": {"path": str(pairs)}})
    before = comparison_arena._task(run, suite, tmp_path).digest
    assert comparison_arena._task(run, suite, tmp_path).digest == before
    pairs.write_text("[2]")
    assert comparison_arena._task(run, suite, tmp_path).digest != before


def test_adapters_that_play_the_base_score_as_it_does_answer_by_answer(arena: Path):
    for suite in ("sums", "lists"):
        base, sqlm = (pq.read_table(arena / "answers" / name / f"{suite}.parquet") for name in ("base-small", "sqlm@4"))
        assert base["text"].to_pylist() == sqlm["text"].to_pylist()  # the same noise, whatever the role is called
        assert base["request"].to_pylist() == sqlm["request"].to_pylist()
        assert base["contestant"].to_pylist() == ["base:small"] * base.num_rows
        ruined = pq.read_table(arena / "answers" / "sqlm@2" / f"{suite}.parquet")
        assert ruined["text"].to_pylist() != sqlm["text"].to_pylist()
    words = {
        (row["suite"], row["a"]["recipe"], row["b"]["recipe"]): row["words"] for row in standings(arena)["differences"]
    }
    assert words["sums", "sqlm_small", ""] == "no evidence: +0.0 points [+0.0, +0.0]"
    assert words["lists", "serl_words", ""].startswith("worse: -")


def test_an_actor_answers_where_a_solver_is_asked(arena: Path):
    sums = read(arena / "answers" / "serl@4" / "sums.parquet")
    assert sums.answers[0].prompt == "solve 1+2" or sums.answers[0].prompt.startswith("solve ")
    assert sums.about.arm == "none"
    assert (sums.about.seed, sums.about.step, sums.about.last) == (1, 4, True)


def test_a_base_that_does_not_know_the_words_is_not_measured(arena: Path):
    why = {(row["contestant"], row["suite"]): row["why"] for row in standings(arena)["unmeasured"]}
    for contestant in ("base:contexts", "books@4"):
        assert "contexts does not know the suite's words: 7 of 7 prompts" in why[contestant, "lists"]
    assert "records no answers" in why["base:small", "mine"]


def test_a_yardstick_without_records_still_gives_its_metrics(arena: Path):
    rows = standings(arena)["metrics"]
    assert {row["contestant"] for row in rows} == {"base:small", "sqlm@2", "sqlm@4", "serl@4"}
    assert all(row["name"] == "yardstick/length/mean" and row["value"] > 0 for row in rows)


def test_nobody_is_measured_twice_and_new_adapters_are(runs: list[Path], arena: Path, tmp_path: Path):
    said: list[str] = []
    files = measure_all(runs, SUITES, arena, say=said.append)
    assert (said, len(files)) == ([], 18)
    changed = {**SUITES, "sums": SUMS | {"samples": 3}}
    measure_all(runs[:1], {"sums": changed["sums"]}, tmp_path, "last", say=said.append)
    assert said == ["arena 1/2: base:small on sums", "arena 2/2: sqlm@4 on sums"]
    weights = runs[0] / "adapters" / "solver" / "adapter_model.safetensors"
    before = weights.read_bytes()
    weights.write_bytes((runs[0] / "checkpoints/step-000002/adapters/solver/adapter_model.safetensors").read_bytes())
    try:
        said.clear()
        measure_all(runs[:1], {"sums": changed["sums"]}, tmp_path, "last", say=said.append)
        assert said == ["arena 1/1: sqlm@4 on sums"]
    finally:
        weights.write_bytes(before)


def test_killed_and_started_again_it_ends_where_an_unbroken_one_does(runs: list[Path], arena: Path, tmp_path: Path):
    suite = tmp_path / "suites.yaml"
    suite.write_text(f"yardsticks: {{sums: {SUMS}, lists: {LISTS}}}".replace("'", '"'))
    words = [*map(str, runs), "--suites", str(suite), "--out", str(tmp_path / "arena")]
    command = [sys.executable, "-m", "selfplay.comparison_arena", *words]
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, start_new_session=True)
    until = time.monotonic() + 120
    while not list((tmp_path / "arena").glob("answers/*/*.parquet")) and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "arena").glob("answers/*/*.parquet")}
    assert 0 < len(done) < 12
    assert comparison_arena.main([*words, "--standings", str(tmp_path / "standings.json")]) == 0
    assert {path: path.stat().st_mtime_ns for path in done} == done
    whole = sorted((tmp_path / "arena").glob("answers/*/*.parquet"))
    assert len(whole) == 12
    for path in whole:
        other = arena / path.relative_to(tmp_path / "arena")
        assert read(path) == read(other)
        assert read_about(path) == read_about(other)
    assert (tmp_path / "standings.json").is_file()


def test_a_base_is_loaded_once_for_all_its_runs(runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from selfplay.policy import policy

    loaded: list[str] = []
    load = policy.load_base
    monkeypatch.setattr(policy, "load_base", lambda source, *rest: loaded.append(source.name) or load(source, *rest))
    measure_all(runs[:2], {"sums": SUMS | {"per_level": 1}}, tmp_path, say=lambda _: None)
    assert loaded == ["small"]


def test_skills_are_those_mined_by_the_step(runs: list[Path], tmp_path: Path):
    (entrant,) = (one for one in entrants_of(runs) if one.name == "books@4")
    for step, text in ((1, "bom swap"), (3, "bix front"), (5, "bix swap")):
        folder = tmp_path / "skills" / f"rules-0000~{step}"
        folder.mkdir(parents=True)
        (folder / "visit.json").write_text(f'{{"context": "rules-0000", "seed": {step}, "step": {step}}}')
        (folder / "SKILL.md").write_text(text)
    at = {step: Entrant("books", tmp_path, entrant.run, step, last=False).skills() for step in (0, 1, 4, 5)}
    assert at == {step: {} if not text else {"rules-0000": text} for step, text in
                  ((0, ""), (1, "bom swap"), (4, "bix front"), (5, "bix swap"))}  # fmt: skip
    assert entrants_of(runs)[1].skills() is None


@pytest.mark.parametrize(
    ("suites", "line"),
    [
        ({}, "suites: there is none"),
        ({"sums": {"per_level": 3}}, "suite sums: has no _target_"),
        ({"sums": SUMS | {"samples": 1}}, "suite sums: samples=1 must be at least 2"),
    ],
)
def test_a_bad_suite_costs_no_model(runs: list[Path], tmp_path: Path, suites: dict, line: str):
    with pytest.raises(RecipeError) as error:
        measure_all(runs, suites, tmp_path)
    assert str(error.value).startswith(line)
    assert not list(tmp_path.iterdir())


def test_bad_words_are_one_line(runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for words, line in (
        ([str(tmp_path), "--suites", "arithmetic"], f"{tmp_path} is no run's folder"),
        ([str(runs[0]), "--suites", "arithmatic"], "suite arithmatic is unknown; did you mean arithmetic?"),
        ([str(runs[0]), str(runs[0]), "--suites", "arithmetic"], "sqlm: two runs have this name"),
        ([str(runs[0])], "the following arguments are required: --suites"),
    ):
        assert comparison_arena.main([*words, "--out", str(tmp_path / "arena")]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"selfplay: {line}")
        assert said.count("\n") == 1


@pytest.mark.parametrize(("name", "skills"), [("contexts", {"rules-0000": "mip reverse"}), ("contexts_no_skill", None)])
def test_skills_of_a_run_are_shown_where_the_suite_leaves_them_open(name: str, skills: dict[str, str] | None):
    from selfplay.arena_suites import load_suite

    yardstick: Any = read_suites({name: load_suite(name)})[name].build({"rules-0000": "mip reverse"})
    assert yardstick.skills == skills


def test_every_shipped_suite_stands_by_itself():
    from selfplay.arena_suites import load_suite

    assert shipped_suites() == ["answers", "arithmetic", "contexts", "contexts_no_skill"]
    for name, node in read_suites({name: load_suite(name) for name in shipped_suites()}).items():
        assert node.tokens
        assert node.build().texts > 0, name
