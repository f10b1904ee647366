"""A sweep before anything is started: its file read, its jobs named and checked, its folder compared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf, open_dict

from selfplay import sweep as verb
from selfplay.configuration import RecipeError, recipe_names
from selfplay.sweep_file import Launch, find_sweep, read_sweep, sweep_names
from selfplay.sweep_folder import keep_resolved, refuse_changed_recipes
from selfplay.sweep_jobs import Job, check_jobs, jobs_of, suites_of
from selfplay.sweep_launch import command_of, environment, places, visible_gpus, words_of
from selfplay.sweep_slurm import slurm_command


def file(folder: Path, text: str) -> Path:
    (folder / "mine.yaml").write_text(text)
    return folder / "mine.yaml"


def jobs(folder: Path, text: str, *words: str) -> tuple[Job, ...]:
    return jobs_of(read_sweep(file(folder, text), words))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("recipes: [sqlm_small]", ["sqlm_small-method-seed0"]),
        (
            "{recipes: [sqlm_small], seeds: [3, 1], arms: [none, random]}",
            [
                "sqlm_small-method-seed3",
                "sqlm_small-method-seed1",
                "sqlm_small-random-seed3",
                "sqlm_small-random-seed1",
            ],
        ),
        (
            "{recipes: [sqlm_small, {recipe: ctx2skill_small, arms: [none]}], arms: [truth]}",
            ["sqlm_small-truth-seed0", "ctx2skill_small-method-seed0"],
        ),
        (
            "{recipes: [sqlm_small], bases: [small, /models/mine, '/models/my own']}",
            ["sqlm_small-small-method-seed0", "sqlm_small-mine-method-seed0", "sqlm_small-my-own-method-seed0"],
        ),
        (
            "recipes: [sqlm_small, {recipe: sqlm_small, name: fast, overrides: [learner.lr=1e-2], seeds: [7]}]",
            ["sqlm_small-method-seed0", "fast-method-seed7"],
        ),
    ],
)
def test_one_job_for_each_recipe_base_arm_and_seed(tmp_path, text, names):
    assert [job.name for job in jobs(tmp_path, text)] == names


def test_a_job_s_words_say_what_is_learned(tmp_path):
    text = "{recipes: [{recipe: sqlm_small, overrides: [b=2]}], bases: ['a b'], arms: [random], overrides: [a=1]}"
    (job,) = jobs(tmp_path, text, "c=3")
    own = ("recipe=sqlm_small", "policy.base='a b'", "control=random", "seed=0")
    assert job.words == (*own, "a=1", "b=2", "c=3")  # the command line's last, as they win
    assert words_of(job, tmp_path / "out", "mine")[len(job.words) :] == [
        f"output_dir={tmp_path}/out", "run_name=sqlm_small-a-b-random-seed0", "tracking.group=mine",
        "tracking.job_type=random", "resume=auto",
    ]  # fmt: skip


def test_a_recipe_s_path_counts_from_the_sweep_s_file(tmp_path):
    (tmp_path / "own.yaml").write_text("defaults: [job]")
    (job,) = jobs(tmp_path, "recipes: [own.yaml]")
    assert (job.name, job.words[0]) == ("own-method-seed0", f"recipe={tmp_path}/own.yaml")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[sqlm_small]", "must hold keys and values"),
        ("recipes: [", "cannot be read as YAML"),
        ("{recipe: sqlm_small}", "recipe is not a key of a sweep; did you mean recipes?"),
        ("{recipes: [sqlm_small], seed: 1}", "seed is not a key of a sweep; did you mean seeds?"),
        ("recipes: []", "recipes=[] is empty"),
        ("recipes: sqlm_small", "recipes=sqlm_small must be a list"),
        ("{recipes: [sqlm_small], seeds: []}", "recipes[0].seeds=[] is empty"),
        ("{recipes: [sqlm_small], arms: []}", "recipes[0].arms=[] is empty"),
        ("{recipes: [sqlm_small], seeds: [a]}", "seeds=['a'] must be a list of whole numbers"),
        ("{recipes: [sqlm_small], seeds: [-1]}", "seeds=[-1] must be whole numbers from 0"),
        ("{recipes: [sqlm_small], seeds: [true]}", "must be a list of whole numbers"),
        ("recipes: [{name: x}]", "recipes[0].recipe=None must be the name"),
        ("recipes: [{recipe: sqlm_small, arm: none}]", "recipes[0].arm is not a key of a sweep; did you mean arms?"),
        ("{recipes: [sqlm_small], launch: {job: 2}}", "launch.job is not a key of a sweep; did you mean jobs?"),
        ("{recipes: [sqlm_small], launch: {jobs: 0}}", "launch.jobs=0 must be a whole number from 1"),
        ("{recipes: [sqlm_small], launch: {slurm: yes}}", "launch.slurm=True must be print, submit or null"),
        ("recipes: [sqlm_small, sqlm_small]", "the job sqlm_small-method-seed0 is there twice"),
        ("{recipes: [sqlm_small], seeds: [1, 1]}", "the job sqlm_small-method-seed1 is there twice"),
        ("{recipes: [sqlm_small], overrides: [seed=1]}", "overrides: seed=1 is the sweep's own business; say it with"),
        ("{recipes: [sqlm_small], overrides: [resume=never]}", "resume=never is the sweep's own business; leave it"),
        ("{recipes: [sqlm_small], overrides: [control.arm=random]}", "control.arm=random is the sweep's own business"),
        ("recipes: [{recipe: sqlm_small, name: my run/x}]", "recipes: a run called 'my run/x-method-seed0' cannot be"),
        (
            "{recipes: [a], launch: {slurm: print, words: [--num_processes]}}",
            "launch.words=['--num_processes'] are for",
        ),
    ],
)
def test_a_mistake_in_the_file_is_one_line(tmp_path, text, line):
    with pytest.raises(RecipeError) as caught:
        jobs(tmp_path, text)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("recipes: [sqlm_smal]", "sqlm_smal-method-seed0: recipe=sqlm_smal is unknown; did you mean sqlm_small"),
        ("{recipes: [sqlm_small], arms: [rando]}", "sqlm_small-rando-seed0: control=rando is unknown"),
        ("{recipes: [sqlm_small], overrides: [game.answers=1]}", "sqlm_small-method-seed0: game.answers=1"),
        ("{recipes: [sqlm_small], suites: {arithmetic: {per_levels: 40}}}", "suite arithmetic: "),
        ("{recipes: [sqlm_small], suites: {arithmetic: {samples: 1}}}", "suite arithmetic: samples=1 must be at least"),
    ],
)
def test_every_job_is_checked_before_the_first_starts(tmp_path, capsys, monkeypatch, text, line):
    monkeypatch.setattr(verb, "_work", lambda plan: 0)
    assert verb.main([str(file(tmp_path, text)), "--folder", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("selfplay: " + line)
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_shipped_sweeps_name_shipped_recipes_and_no_job_twice():
    assert "small" in sweep_names()
    for name in sweep_names():
        sweep = read_sweep(find_sweep(name))
        assert jobs_of(sweep)
        assert {entry.recipe for entry in sweep.entries} <= set(recipe_names())
    with pytest.raises(RecipeError, match="smal is neither a run's folder nor a sweep; did you mean small"):
        find_sweep("smal")


def test_suites_are_the_recipes_yardsticks_standing_by_themselves(tmp_path):
    made = jobs(tmp_path, "{recipes: [sqlm_small, {recipe: sqlm_small_collapse, arms: [random]}]}")
    configs = list(check_jobs(made, tmp_path).values())
    assert [config.run_name for config in configs] == [job.name for job in made]
    for config in configs:
        with open_dict(config):
            config.evaluation.yardsticks.mine = config.evaluation.yardsticks.arithmetic
    own = {"_target_": "mine.Yardstick"}
    suites = suites_of({"mine": {"per_level": 7}, "whole": own}, configs)
    assert suites["whole"] == own
    assert suites["mine"]["per_level"] == 7
    assert suites["mine"]["domain"]["_target_"] == "selfplay.domains.arithmetic.Arithmetic"
    with pytest.raises(RecipeError, match="suites: no recipe of this sweep has the yardstick poems"):
        suites_of({"poems": {}}, configs)
    configs[1].evaluation.yardsticks.mine.per_level = 3
    with pytest.raises(RecipeError, match="sqlm_small and sqlm_small_collapse have different yardsticks mine"):
        suites_of({"mine": {}}, configs)


def test_launchers(tmp_path):
    python, train = sys.executable, ["-m", "selfplay.train", "seed=0"]
    assert command_of(Launch(), ["seed=0"]) == [python, *train]
    command = command_of(Launch(config="zero2", words=("--num_processes", "2")), ["seed=0"])
    assert command[:4] == [python, "-m", "selfplay.launch", "--config_file"]
    assert command[4].endswith("launch/accelerate/zero2.yaml")
    assert command[5:] == ["--num_processes", "2", *train]
    with pytest.raises(RecipeError, match=r"launch.config=zero9: there is no .*zero9.yaml"):
        command_of(Launch(config="zero9"), [])
    job = Job("a-method-seed0", "a", "none", 0, ("recipe=a",))
    line = slurm_command(Launch(config="zero2", slurm="print", slurm_words=("--nodes", "2")), job, tmp_path, "mine")
    assert line[0] == "sbatch"
    assert line.index("--nodes") < line.index("launch/slurm.sh") < line.index("--config") < line.index("recipe=a")
    assert f"output_dir={tmp_path}" in line


def test_gpus_are_shared_out_and_cores_too(tmp_path, monkeypatch):
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "2, 5"}) == ["2", "5"]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == []
    assert places(Launch(jobs=3), ["0", "1"]) == [("0",), ("1",), ("0",)]
    with pytest.raises(RecipeError, match=r"launch.gpus_per_job=4, but this machine shows 2"):
        places(Launch(gpus_per_job=4), ["0", "1"])
    assert environment(tmp_path, 2, ("2", "5"))["CUDA_VISIBLE_DEVICES"] == "2,5"


@pytest.mark.parametrize(
    ("given", "at_once", "threads"),
    [
        ({}, 3, "2"),  # 8 cores for three jobs
        ({"OMP_NUM_THREADS": "1"}, 2, "1"),  # the user's own number stays,
        ({"OMP_NUM_THREADS": "6"}, 2, "6"),  # were it more than a share
        ({"OMP_NUM_THREADS": "2", "SELFPLAY_THREADS": "shared"}, 8, "1"),  # a script's is the most that a job takes
        ({"OMP_NUM_THREADS": "2", "SELFPLAY_THREADS": "shared"}, 2, "2"),
        ({"OMP_NUM_THREADS": "2", "SELFPLAY_THREADS": "shared"}, 1, "2"),
        ({}, 1, None),
    ],
)
def test_jobs_side_by_side_share_out_the_cores_unless_the_user_has_said(tmp_path, monkeypatch, given, at_once, threads):
    for name in ("OMP_NUM_THREADS", "SELFPLAY_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert environment(tmp_path, at_once, None).get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize(("given", "said"), [({}, "shared"), ({"OMP_NUM_THREADS": "3"}, "3 none")])
def test_the_script_says_whose_number_of_threads_it_is(tmp_path, given, said):
    root = Path(__file__).parents[1]
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$OMP_NUM_THREADS ${SELFPLAY_THREADS:-none}"\n')
    python.chmod(0o755)
    hidden = ("OMP_NUM_THREADS", "SELFPLAY_THREADS")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    environ |= {"SELFPLAY_VENV": str(tmp_path), **given}
    stamp = f". {root}/launch/environment.sh; wanted_stamp '' >{tmp_path}/.selfplay-installed"
    subprocess.run(["bash", "-c", stamp, str(root / "launch" / "compare.sh")], env=environ, check=True, cwd=root)
    done = subprocess.run(
        ["bash", str(root / "launch/compare.sh"), "small"], env=environ, capture_output=True, text=True
    )
    assert done.stdout.strip().endswith(said), done.stderr


BEFORE = {"a-method-seed0": ("recipe=a", "seed=0"), "a-method-seed1": ("recipe=a", "seed=1")}


def named(words_by_name: dict[str, tuple[str, ...]]) -> list[Job]:
    return [Job(name, "a", "none", 0, words) for name, words in words_by_name.items()]


@pytest.mark.parametrize(
    ("jobs", "suites", "line"),
    [
        ({**BEFORE, "b-method-seed0": ("recipe=b",)}, {"sums": {"n": 1}, "more": {}}, None),
        ({"a-method-seed0": BEFORE["a-method-seed0"]}, {"sums": {"n": 1}}, "jobs.a-method-seed1 (no longer there)"),
        ({**BEFORE, "a-method-seed1": ("recipe=a", "seed=1", "lr=2")}, {"sums": {"n": 1}}, "(without -> lr=2)"),
        (BEFORE, {"sums": {"n": 2}}, "suites.sums (n: 1 -> n: 2), measured in "),
        (BEFORE, {}, "suites.sums (no longer there), measured in "),
        (BEFORE, {"sums": {"n": 1}, "unmeasured": {"n": 2}}, None),
    ],
)
def test_a_folder_takes_more_jobs_and_no_others(tmp_path, jobs, suites, line):
    keep_resolved(tmp_path, named(BEFORE), {"sums": {"n": 1}, "unmeasured": {"n": 1}})
    (tmp_path / "arena" / "answers" / "base-small").mkdir(parents=True)
    (tmp_path / "arena" / "answers" / "base-small" / "sums.parquet").touch()
    if line is None:
        keep_resolved(tmp_path, named(jobs), suites)
        assert list(yaml.safe_load((tmp_path / "sweep.yaml").read_text())["jobs"]) == list(jobs)
        assert yaml.safe_load((tmp_path / "sweep.yaml").read_text())["suites"] == suites
        return
    before = (tmp_path / "sweep.yaml").read_text()
    with pytest.raises(RecipeError) as caught:
        keep_resolved(tmp_path, named(jobs), suites)
    assert line in str(caught.value)
    assert (tmp_path / "sweep.yaml").read_text() == before


@pytest.mark.parametrize("text", ["jobs: [", "[a]", "jobs: a"])
def test_a_sweep_yaml_that_is_none_is_one_line(tmp_path, text):
    (tmp_path / "sweep.yaml").write_text(text)
    with pytest.raises(RecipeError, match="remove it to have it written anew") as caught:
        keep_resolved(tmp_path, named(BEFORE), {})
    assert "\n" not in str(caught.value)
    assert (tmp_path / "sweep.yaml").read_text() == text


def test_a_disk_that_refuses_is_one_line(tmp_path, capsys, monkeypatch):
    def refuse(plan: verb.Plan) -> int:
        raise OSError(28, "No space left on device", "report/report.html")

    monkeypatch.setattr(verb, "_work", refuse)
    assert verb.main([str(file(tmp_path, "recipes: [sqlm_small]")), "--folder", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "No space left on device: 'report/report.html'; the same command goes on" in said
    assert said.count("\n") == 1


def test_a_recipe_that_has_changed_since_its_run_is_refused(tmp_path):
    (job,) = jobs(tmp_path, "recipes: [sqlm_small]")
    ((name, config),) = check_jobs([job], tmp_path).items()
    (tmp_path / name).mkdir()
    saved = tmp_path / name / "config.yaml"
    OmegaConf.save(config, saved, resolve=True)
    refuse_changed_recipes(tmp_path, {name: config})
    config.learner.epsilon = 0.3
    with pytest.raises(RecipeError, match=f"{name}: the recipe has changed since it was run .*epsilon 0.2 -> 0.3"):
        refuse_changed_recipes(tmp_path, {name: config})
