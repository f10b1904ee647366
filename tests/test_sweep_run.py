"""A sweep at work: who may work in its folder, jobs that fail, are stopped or are taken by SLURM, and its end.

The jobs here are a line of Python each; tests/test_sweep_killed.py has real ones.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from selfplay import sweep as verb
from selfplay.configuration import RecipeError
from selfplay.sweep_file import read_sweep
from selfplay.sweep_folder import await_leftovers, leftovers, occupied
from selfplay.sweep_jobs import Job
from selfplay.sweep_run import Crew
from selfplay.sweep_slurm import refuse_queued, submit


def named(*names: str) -> list[Job]:
    return [Job(name, "a", "none", 0, ()) for name in names]


def test_one_sweep_at_a_time_in_a_folder(tmp_path):
    busy = f"another sweep runs there .process {os.getpid()} on"
    with occupied(tmp_path), pytest.raises(RecipeError, match=busy), occupied(tmp_path):
        pass
    with occupied(tmp_path):
        pass


def test_a_job_of_a_killed_start_is_waited_for_and_never_signalled(tmp_path):
    said: list[str] = []
    code = "import sys, time; print(flush=True); time.sleep(60)"
    environ = {**os.environ, "SELFPLAY_SWEEP": str(tmp_path)}
    words = [sys.executable, "-c", code, "-m", "selfplay.train"]
    with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE) as job:
        assert job.stdout
        job.stdout.readline()
        assert leftovers(tmp_path) == [job.pid]
        assert leftovers(tmp_path / "other") == []
        with pytest.raises(RecipeError, match=f"still runs there .process {job.pid}."):
            await_leftovers(tmp_path, said.append, patience=0.3)
        assert job.poll() is None
        assert len(said) == 1, "said once, not at every look"
        assert "saving and stopping" in said[0]
        job.kill()
        job.wait()
        await_leftovers(tmp_path, said.append, patience=0)


HEAD = """
import json, os, pathlib, signal, sys, time
def finish():
    run = pathlib.Path(sys.argv[1])
    run.mkdir()
    (run / "summary.json").write_text('{"seconds": 1}')
"""


def scripted(folder: Path, **codes: str) -> tuple[list[Job], dict[str, list[str]]]:
    """Jobs that run Python; ``finish()`` in it writes a summary."""
    commands = {name: [sys.executable, "-c", HEAD + code, str(folder / name)] for name, code in codes.items()}
    return named(*codes), commands


def test_a_failed_job_is_told_and_the_others_go_on(tmp_path):
    said: list[str] = []
    made, commands = scripted(
        tmp_path,
        broken="print('so far', 'so good'); sys.exit('selfplay: no such thing')",
        silent="pass",
        good="finish()",
    )
    outcome = Crew(tmp_path, commands, [None], said.append).run(made)
    assert (outcome.failed, outcome.done, outcome.asked) == (["broken", "silent"], ["good"], False)
    assert any(line.strip() == "selfplay: no such thing" for line in said)
    assert [line.split()[:3] for line in said if line.startswith("3/3")] == [
        ["3/3", "good", "started"], ["3/3", "good", "done"]]  # fmt: skip
    again = Crew(tmp_path, commands, [None, None], said.append).run(made)
    assert again.done == ["good"]
    assert (tmp_path / "logs" / "good.txt").read_text().count("$ ") == 1  # not started again
    assert (tmp_path / "logs" / "broken.txt").read_text().count("so far so good") == 2  # the earlier log is kept


def test_a_signal_ends_the_running_jobs_politely_and_starts_no_more(tmp_path):
    polite = (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(130)); os.kill(os.getppid(), signal.SIGINT); time.sleep(60)"
    )
    made, commands = scripted(tmp_path, first=polite, second="finish()")
    before = signal.getsignal(signal.SIGINT)
    outcome = Crew(tmp_path, commands, [None], lambda line: None).run(made)
    assert outcome.asked
    assert (outcome.stopped, outcome.done, outcome.failed) == (["first", "second"], [], [])
    assert signal.getsignal(signal.SIGINT) is before


def slurm(folder: Path, monkeypatch: pytest.MonkeyPatch, squeue: str) -> Path:
    """A cluster whose squeue is one line of shell; the file of its queue."""
    commands, queue = folder / "bin", folder / "queue"
    commands.mkdir()
    queue.write_text("")
    (commands / "sbatch").write_text(f"#!/bin/sh\necho 17 >>{queue}\necho '17;here'\n")
    (commands / "squeue").write_text(f"#!/bin/sh\n{squeue.format(queue=queue)}\n")
    for name in ("sbatch", "squeue"):
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    return queue


def test_slurm_takes_each_job_once(tmp_path, monkeypatch):
    queue = slurm(tmp_path, monkeypatch, "cat {queue}")
    made = named("a-method-seed0")
    argv = {made[0].name: ["sbatch", "--parsable"]}
    for _ in range(2):
        assert submit(tmp_path, made, argv).stopped == [made[0].name]
    assert queue.read_text() == "17\n"
    queue.write_text("")  # it has left the queue without a summary
    submit(tmp_path, made, argv)
    assert queue.read_text() == "17\n"
    with pytest.raises(RecipeError, match="was not taken"):
        submit(tmp_path, named("other"), {"other": ["sbatch-that-is-not-there"]})


@pytest.mark.parametrize(
    ("squeue", "line"),
    [
        ("echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1", "Unable to contact slurm"),
        ("exit 127", "status 127"),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", None),
        ("exit 0", None),
    ],
)
def test_a_queue_that_does_not_answer_is_not_an_empty_one(tmp_path, monkeypatch, squeue, line):
    queue = slurm(tmp_path, monkeypatch, squeue)
    made = named("a-method-seed0")
    argv = {made[0].name: ["sbatch", "--parsable"]}
    submit(tmp_path, made, argv)
    if line is None:
        submit(tmp_path, made, argv)
        refuse_queued(tmp_path, made)
        assert queue.read_text() == "17\n17\n"
        return
    for ask in (lambda: submit(tmp_path, made, argv), lambda: refuse_queued(tmp_path, made)):
        with pytest.raises(RecipeError, match=f"squeue does not say whether job 17 .*{line}"):
            ask()
    assert queue.read_text() == "17\n", "a second writer in one run"


def test_without_squeue_nobody_knows(tmp_path, monkeypatch):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a-method-seed0.slurm").write_text("17")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RecipeError, match=r"No such file.*or remove .*a-method-seed0.slurm if the job is gone"):
        refuse_queued(tmp_path, named("a-method-seed0"))
    (tmp_path / "a-method-seed0").mkdir()
    (tmp_path / "a-method-seed0" / "summary.json").touch()
    refuse_queued(tmp_path, named("a-method-seed0"))  # finished: nobody is asked


def test_what_slurm_still_has_is_not_started_here_as_well(tmp_path, monkeypatch, capsys):
    slurm(tmp_path, monkeypatch, "echo 17 RUNNING")
    (tmp_path / "mine.yaml").write_text("recipes: [sqlm_small]")
    logs = tmp_path / "out" / "logs"
    logs.mkdir(parents=True)
    (logs / "sqlm_small-method-seed0.slurm").write_text("17")
    monkeypatch.setattr(verb, "Crew", lambda *given: pytest.fail("a job was started"))
    assert verb.main([str(tmp_path / "mine.yaml"), "--folder", str(tmp_path / "out")]) == 2
    assert "sqlm_small-method-seed0 was handed to SLURM, which still has it as job 17" in capsys.readouterr().err


def test_what_is_finished_is_measured_and_reported_together(tmp_path, monkeypatch, capsys):
    """The arena, its standings and the report are asked in this order, with the finished runs alone."""
    asked = []
    fakes = {
        "selfplay.comparison": {},
        "selfplay.comparison.standings": {"standings": lambda folder: {"differences": DIFFERENCES}},
        "selfplay.comparison_arena": {"measure_all": lambda *given: asked.append(("arena", *given))},
        "selfplay.report": {"write_report": lambda *given: asked.append(("report", *given)) or Path("report.html")},
    }
    for name, members in fakes.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("selfplay.model_card.write_cards", lambda run, beside: asked.append(("card", run, beside)))
    made = tuple(named("a-method-seed0", "a-method-seed1", "gone-method-seed0"))
    runs = [tmp_path / job.name for job in made]
    for run in runs:
        run.mkdir()
    for run in (runs[0], runs[2]):
        (run / "summary.json").write_text("{}")
    (runs[0] / "adapters" / "solver").mkdir(parents=True)
    (runs[0] / "adapters" / "solver" / "adapter_model.safetensors").touch()
    written = tmp_path / "mine.yaml"
    written.write_text("recipes: [sqlm_small]")
    sweep = read_sweep(written)
    verb.conclude(verb.Plan(sweep, tmp_path, made, {}, {"sums": {}}))
    numbers = {"differences": DIFFERENCES}
    assert asked == [
        ("arena", runs[:1], {"sums": {}}, tmp_path / "arena"),
        ("card", runs[0], runs[2:]),
        ("card", runs[2], runs[:1]),
        ("report", tmp_path / "report", [runs[0], runs[2]], numbers, f"Comparison: {tmp_path.name}"),
    ]
    assert json.loads((tmp_path / "arena" / "standings.json").read_text()) == numbers
    out, err = capsys.readouterr()
    assert "sums: a (small) against a random (small): no evidence" in out
    gone = "gone-method-seed0 is finished, but its adapters and checkpoints are gone: it is not measured"
    assert err == f"selfplay: {gone}\n"


def test_a_card_that_cannot_be_made_costs_no_report(tmp_path, monkeypatch, capsys):
    report = ModuleType("selfplay.report")
    vars(report)["write_report"] = lambda *given: tmp_path / "report.html"
    monkeypatch.setitem(sys.modules, "selfplay.report", report)
    (tmp_path / "a-method-seed0").mkdir()
    (tmp_path / "a-method-seed0" / "summary.json").write_text("{}")
    (tmp_path / "mine.yaml").write_text("recipes: [sqlm_small]")
    plan = verb.Plan(read_sweep(tmp_path / "mine.yaml"), tmp_path, tuple(named("a-method-seed0")), {}, {})
    verb.conclude(plan)
    out, err = capsys.readouterr()
    assert f"report: {tmp_path / 'report.html'}" in out
    assert err.startswith("selfplay: a-method-seed0: no model card was written (ValueError: ")


DIFFERENCES = [
    {
        "suite": "sums",
        "a": {"recipe": "a", "arm": "none", "base": "small"},
        "b": {"recipe": "a", "arm": "random", "base": "small"},
        "words": "no evidence",
    }
]
