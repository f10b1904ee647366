"""``selfplay duel`` on the small base: truth and model judges, files, ratings, and mistakes that cost no model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from selfplay import duel_judges
from selfplay.configuration import RecipeError, build
from selfplay.duel import duel, main
from selfplay.duel_contestants import answering_role, find_house, read_contestants, read_run
from selfplay.duel_requests import subject_of
from selfplay.duel_words import DuelWords, read_words
from selfplay.evaluation.alpaca import read_annotations, read_outputs
from selfplay.evaluation.contests import contest_metrics
from selfplay.policy import Policy
from selfplay.types import Seed
from tests.made_run import made_run, save_adapters, serl_recipe
from tests.noting import Noting

FEW = ["--requests", "21", "--seed", "3"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``serl``: its actor is ruined and its judge too, its checkpoint plays the base. ``sums``: SQLM, ruined."""
    folder = tmp_path_factory.mktemp("runs")
    words = [serl_recipe(folder)]
    made_run(folder / "serl", words, noise=0.1)
    save_adapters(folder / "serl" / "checkpoints" / "step-000010", words, noise=0.0)
    made_run(folder / "sums", ["recipe=sqlm_small"], noise=0.1)
    return folder


def figures(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "duel.json").read_text(encoding="utf-8"))


def test_by_the_truth_a_ruined_actor_loses_to_its_base(runs: Path, tmp_path: Path, capsys):
    words = [str(runs / "serl"), "base", *FEW, "--answers", "2", "--write", str(tmp_path / "out")]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "base is better than serl by this judge" in printed
    assert "not AlpacaEval LC" in printed
    assert "21 requests of the domain (7 different ones" in " ".join(printed.split())
    (pair,) = figures(tmp_path / "out")["pairs"]
    rate = pair["metrics"]["duel/base/win_rate"]
    assert rate["value"] < rate["high"] < 0.5
    assert "ground truth (hidden quality" in rate["definition"]
    assert "2 answers of each at temperature 1, seed 3, every answer of the one met" in rate["definition"]
    assert pair["metrics"]["duel/base/order_flips"]["value"] == 0

    assert main(words) == 2  # nothing is overwritten, and no model is loaded to find that out
    assert "holds model_outputs_a.json already; name another folder" in capsys.readouterr().err
    again = [*words[:-1], str(tmp_path / "again")]
    assert main(again) == 0
    assert figures(tmp_path / "again") == figures(tmp_path / "out")


def test_the_frozen_base_judges_and_the_files_hold_what_it_said(runs: Path, tmp_path: Path, capsys):
    assert main([str(runs / "serl"), "base", "--judge", "base", *FEW, "--write", str(tmp_path / "out")]) == 0
    (pair,) = figures(tmp_path / "out")["pairs"]
    metrics = pair["metrics"]
    assert metrics["duel/base/win_rate"]["value"] < 0.4
    assert metrics["duel/base/unreadable"]["value"] < 0.5
    assert "the frozen base small (its role judge, one verdict at temperature 0)" in capsys.readouterr().out.replace(
        "\n", " "
    ).replace("  ", " ")
    outputs = read_outputs(tmp_path / "out" / "model_outputs_b.json")
    assert [output.instruction for output in outputs[:2]] == ["list animals", "list colours"]
    judged = read_annotations(tmp_path / "out" / "annotations.json")
    assert (judged.a, judged.b, len(judged.comparisons)) == ("serl", "base", 42)

    assert main([str(tmp_path / "out" / "annotations.json")]) == 0  # the same figures, without any model
    shown = capsys.readouterr().out
    assert f"{metrics['duel/base/win_rate']['value']:.3f}" in shown
    assert f"{metrics['duel/base/order_flips']['value']:.3f}" in shown


def test_a_run_of_sums_is_asked_held_out_problems(runs: Path, capsys):
    report = duel(read_words([str(runs / "sums"), "base", "--requests", "30", "--answers", "4"]))
    assert report.bouts[0].setting.requests == "30 held-out problems"
    assert "right against wrong" in report.bouts[0].setting.judge
    rate = report.bouts[0].rate
    assert rate is not None
    assert rate.value < 0.5
    lengths = [len(one.request.shown.replace("+", " ").split()[0]) for one in report.rounds]
    assert {1, 2, 3} <= set(lengths)


def test_three_are_rated_around_the_base(runs: Path, tmp_path: Path, capsys):
    words = [str(runs / "serl"), str(runs / "serl/checkpoints/step-000010"), "base", *FEW]
    assert main([*words, "--write", str(tmp_path)]) == 0
    found = figures(tmp_path)
    elo = {rating["name"]: rating["elo"] for rating in found["ratings"]}
    assert elo["base"] == 1000
    assert elo["serl"] < elo["serl@10"]
    by_pair = {(pair["a"], pair["b"]): pair["finding"] for pair in found["pairs"]}
    assert by_pair["serl@10", "base"].startswith("no evidence of a difference")  # it plays the base, with other noise
    assert "not online Elo" in found["ratings_definition"]
    assert (tmp_path / "annotations_b_c.json").is_file()
    printed = capsys.readouterr().out
    assert "base = 1000" in printed


def test_files_meet_each_other_and_the_truth_is_known_by_the_judges_run(runs: Path, tmp_path: Path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    listed = {"list animals": "cat owl", "list tools": "saw axe"}
    good.write_text(json.dumps([{"instruction": asked, "output": said} for asked, said in listed.items()]))
    bad.write_text(json.dumps([{"instruction": asked, "output": "red"} for asked in ("list drinks", *listed)]))
    judge = str(runs / "serl" / "checkpoints" / "step-000010")
    report = duel(read_words([str(good), str(bad), "--judge", judge]))
    assert report.names == ("good", "bad")
    assert report.bouts[0].setting.requests == "2 of 2 instructions of good and bad"
    rate = report.bouts[0].rate
    assert rate is not None
    assert rate.value == 1
    one, other = (
        duel(read_words([*pair, str(runs / "serl"), *FEW])) for pair in ((str(good), str(bad)), (str(bad), str(good)))
    )
    assert "ground truth" in one.bouts[0].setting.judge
    rates = [bout.rate for bout in (one.bouts[0], other.bouts[0])]
    assert [rate.value for rate in rates if rate] == [1, 0]


def test_sums_of_a_file_are_recognised(runs: Path, tmp_path: Path):
    answers = [
        ("solve 3+4", ">7", 1.0),
        ("solve 27+85", ">1", 0.5),
        ("solve 1+1", "two", 0.5),
        ("add 1 and 1", ">2", 0),
    ]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps([{"instruction": asked, "output": said} for asked, said, _ in answers]))
    report = duel(read_words([str(file), str(runs / "sums")]))
    scores = {c.instruction: c.score for c in report.bouts[0].comparisons}
    assert scores["solve 3+4"] == 1  # a ruined solver is wrong
    assert scores["add 1 and 1"] is None  # not a prompt of this domain, so its truth is unknown
    assert all(scores[asked] == pytest.approx(score) for asked, _, score in answers[:3])


def test_an_endpoint_is_a_sampler_that_plays_the_judge(runs: Path, monkeypatch):
    server = Noting({"judge": [r"The first is better: \boxed{1}", r"\boxed{2}", "I cannot say."]})
    asked = []
    monkeypatch.setattr(
        duel_judges, "endpoint_sampler", lambda url, model, key: asked.append((url, model, key)) or server
    )
    report = duel(
        read_words(
            [str(runs / "serl"), "base", "--judge", "http://localhost:8000/v1#big", "--api-key-env", "KEY", *FEW]
        )
    )
    assert asked == [("http://localhost:8000/v1", "big", "KEY")]
    ((role, prompts, n),) = server.calls
    assert (role, len(prompts), n) == ("judge", 42, 1)
    assert '"request": "list animals"' in prompts[0]  # plain English for a model that knows no small world
    found = report.bouts[0].figure("unreadable")
    assert found is not None
    assert found.value == pytest.approx(1 / 3)


def test_two_bases_meet(runs: Path, tmp_path: Path):
    other = made_run(tmp_path / "other", [serl_recipe(tmp_path), "policy.base=small-1", "policy.rank=4"])
    report = duel(read_words([str(runs / "serl"), str(other), *FEW]))
    assert report.names == ("serl", "other")
    rate = report.bouts[0].rate
    assert rate is not None
    assert rate.value < 0.5


def test_names_are_told_apart_and_noise_is_ones_own(runs: Path):
    step = str(runs / "serl" / "checkpoints" / "step-000010")
    report = duel(read_words([step, step, *FEW]))
    assert report.names == ("serl@10 (1)", "serl@10 (2)")
    assert any(one.answers["serl@10 (1)"] != one.answers["serl@10 (2)"] for one in report.rounds)


def test_the_answering_role_is_found_in_the_game(runs: Path):
    assert answering_role(read_run(str(runs / "serl"))) == "actor"
    assert answering_role(read_run(str(runs / "sums"))) == "solver"
    assert answering_role(read_run(str(runs / "sums")), "proposer") == "proposer"


def test_a_soft_preference_of_somebody_elses_file_counts(tmp_path: Path, capsys):
    row = {"output_1": "b", "output_2": "aa", "generator_1": "gpt4", "generator_2": "mine", "annotator": "weighted"}
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps([{**row, "instruction": str(n), "preference": 1 + n / 10} for n in range(11)]))
    assert main([str(path)]) == 0
    printed = capsys.readouterr().out
    assert "win_rate         0.500" in printed
    assert "order_flips" not in printed  # the file does not say who was shown first
    assert "no evidence of a difference" in printed


@pytest.fixture
def no_model(monkeypatch):
    def loaded(*args, **kwargs):
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(Policy, "build", loaded)


@pytest.mark.parametrize(
    "judge",
    [
        "https://bob:hunter2@host/v1#m",
        "https://bob:hunter2@host/v1",
        "bob:hunter2@host/v1#m",
        "sk-hunter2-0123",
        "http://host/v1?key=hunter2#m",
    ],
)
def test_an_endpoint_that_is_refused_is_not_shown(runs: Path, no_model, capsys, judge: str):
    assert main([str(runs / "serl"), "base", "--judge", judge]) == 2
    line = capsys.readouterr().err
    assert line.startswith("selfplay: --judge")
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: contestants"),
        (["{serl}"], "serl alone: a duel is between two"),
        (["{serl}", "bose"], "bose: there is no such folder or file; give a run's folder, base, or model_outputs.json"),
        (["base", "base"], "base: whose? Name a run's folder"),
        (["{serl}", "{empty}"], "holds no config.yaml; name one like runs/quickstart"),
        (["{serl}", "{unfinished}"], "it has no adapters; end it with resume=auto, or name its checkpoint"),
        (["{serl}", "{scripted}"], "has no adapters: no model played in it"),
        (["{serl}", "{scripted}/checkpoints/step-000010"], "has no adapters: no model played in it"),
        (["{serl}", "{sums}"], "they cannot be asked the same"),
        (["{serl}", "base", "--judge", "nobody"], "--judge nobody: is no judge; take truth, base"),
        (["{serl}", "base", "--judge", "{sums}"], "its game has no role judge, only proposer, solver"),
        (["{serl}", "base", "--judge", "http://localhost:8000/v1"], "names no model; say it behind the address"),
        (["{serl}", "base", "--requests", "0"], "--requests 0 must be a whole number from 1"),
        (["{serl}", "base", "--requests", "many"], "argument --requests: invalid int value: 'many'"),
        (["{serl}", "base", "--answers", "-1"], "--answers -1 must be"),
        (["{serl}", "base", "--temperature", "-1"], "--temperature -1 must be 0 (greedy) or above"),
        (["{serl}", "base", "--temperature", "nan"], "--temperature nan"),
        (["{serl}", "base", "--temperature", "0", "--answers", "2"], "greedy answers are all the same"),
        (["{serl}", "base", "--role", "solver"], "--role solver: the game of serl has no such role"),
        (["{serl}", "base", "--jduge", "truth"], "unrecognized arguments: --jduge truth; see selfplay duel --help"),
        (["{serl}", "{torn}"], "entry 1: has no text 'output'"),
        (["{outputs}", "{outputs}"], "--judge truth: how good an answer is, is not known here"),
        (["{outputs}", "{others}"], "answered no instruction in common"),
        (["{outputs}"], "holds the answers of one; add another file"),
        (["{annotations}", "base", "--judge", "{serl}"], "holds annotations, which are judged already"),
        (["{annotations}", "--write", "x"], "is only shown; leave --write out"),
    ],
)
def test_a_mistake_is_one_line_before_a_model_is_loaded(runs: Path, tmp_path: Path, no_model, capsys, words, told):
    (tmp_path / "empty").mkdir()
    shutil.copytree(runs / "serl" / "checkpoints", tmp_path / "unfinished" / "checkpoints")
    (tmp_path / "unfinished" / "checkpoints" / "step-000010" / "manifest.json").write_text("{}")
    shutil.copy(runs / "serl" / "config.yaml", tmp_path / "unfinished" / "config.yaml")
    files = {
        "torn": [{"instruction": "x"}],
        "outputs": [{"instruction": "x", "output": "y"}],
        "others": [{"instruction": "z", "output": "y"}],
        "annotations": [{"instruction": "x", "output_1": "", "output_2": "", "generator_1": "a", "generator_2": "b"}],
    }
    places = {"serl": runs / "serl", "sums": runs / "sums"}
    shutil.copytree(tmp_path / "unfinished", tmp_path / "scripted")
    shutil.rmtree(tmp_path / "scripted" / "checkpoints" / "step-000010" / "adapters")
    places |= {name: tmp_path / name for name in ("empty", "unfinished", "scripted")}
    for name, rows in files.items():
        places[name] = tmp_path / f"{name}.json"
        places[name].write_text(json.dumps(rows))
    assert main([word.format(**places) for word in words]) == 2
    line = capsys.readouterr().err
    assert told in line
    assert line.startswith("selfplay: ")
    assert line.count("\n") == 1


def test_adapters_that_do_not_fit_are_one_line(runs: Path, tmp_path: Path, capsys):
    broken = tmp_path / "broken"
    shutil.copytree(runs / "serl", broken)
    config = (broken / "config.yaml").read_text()
    (broken / "config.yaml").write_text(config.replace("rank: 8", "rank: 4"))
    assert main([str(broken), "base", *FEW]) == 2
    line = capsys.readouterr().err
    assert "set policy.rank and policy.alpha to what it was trained with" in line
    assert line.count("\n") == 1


def test_defaults_are_said():
    assert read_words(["a", "b"]) == DuelWords(("a", "b"), "truth", 100, 1, 1.0, 0, None, None, None)
    with pytest.raises(RecipeError, match="27 contestants are too many"):
        read_words(["x"] * 27)
    assert find_house(["base", "http://x/v1#m", "nothing.json"]) is None


def test_the_figures_of_a_report_are_those_of_its_comparisons(runs: Path):
    report = duel(read_words([str(runs / "serl"), "base", *FEW]))
    (bout,) = report.bouts
    assert list(bout.metrics) == contest_metrics(bout.comparisons, bout.setting, seed=3)


def test_prompts_of_a_file_are_asked_as_far_as_they_are_held_out(tmp_path: Path):
    lines = [json.dumps({"prompt": f"list animals number {number}"}) for number in range(60)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(lines))
    domain = ["domain=prompt_file", f"domain.path='{tmp_path}/prompts.jsonl'", "domain.held_out=0.2"]
    made_run(tmp_path / "run", [serl_recipe(tmp_path), *domain])
    house = find_house([str(tmp_path / "run")])
    assert house is not None
    subject = subject_of(house, read_contestants([str(tmp_path / "run"), "base"], house), requests=6, seed=1)
    asked = {str(request.prompt) for request in subject.requests.values()}
    assert (len(asked), subject.words, subject.truth) == (6, "6 held-out prompts", None)
    played = build(house.config, "domain")
    assert not asked & {str(played.request(Seed(index, "")).prompt) for index in range(60)}
