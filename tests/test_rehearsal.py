"""Runs without a model have checkpoints: resume means what it means for training."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from selfplay.configuration import RecipeError, compose
from selfplay.learner.checkpoint_names import CheckpointError, named_checkpoints, read_state
from selfplay.learner.durable import fault
from selfplay.patient_stop import patient_stop
from selfplay.rehearsal import rehearse
from selfplay.run_folder import RunFolder, open_run_folder
from selfplay.samplers.endpoint.answered import CALLS, AnsweredCalls, Question
from selfplay.tracking.metrics_file import read_rows, timeless

WORDS = ("recipe=sqlm_small", "debug=scripted", "tracking.transcripts_every=0", "max_steps=4", "learner.keep=0")
WINDOW = {"proposer": ["12+30"], "solver": [">42"]}
"""Said again and again, so that a script which begins anew says the same."""


def run(root: Path, *words: str) -> RunFolder:
    script = [f"script.{role}={lines}" for role, lines in WINDOW.items()]
    config = compose([*WORDS, *script, f"output_dir={root}", *words])
    folder = open_run_folder(config)
    assert rehearse(config, folder) == 0
    return folder


def rows(folder: RunFolder) -> list[dict[str, float | None]]:
    return list(map(timeless, read_rows(folder.path / "metrics.jsonl")))


def test_a_resumed_run_ends_where_an_unbroken_one_ends(tmp_path, capsys):
    whole = run(tmp_path / "a")
    cut = run(tmp_path / "b", "max_steps=2")
    resumed = run(tmp_path / "b", "resume=auto")
    assert resumed.checkpoint == cut.path / "checkpoints" / "step-000002"
    assert rows(resumed) == rows(whole)
    states = [read_state(one.path / "checkpoints" / "step-000004") for one in (whole, resumed)]
    assert [(state["window"], state["game"], state["alarms"]) for state in states] == [
        (4, states[0]["game"], states[0]["alarms"])
    ] * 2
    assert states[0]["game"]["gate"]["asked"] == ["12+30"]
    said = " ".join(capsys.readouterr().out.split()).rpartition("2 of 2 steps")[2]
    assert "step 4: no proposal was admitted in 3 windows in a row" in said, "the second of them was another process's"


def test_a_checkpoint_after_every_window_whole_and_of_no_weights(tmp_path):
    folder = run(tmp_path, "learner.updates_per_window=3", "max_steps=2")
    found = named_checkpoints(folder.path / "checkpoints")
    assert [path.name for path in found] == ["step-000003", "step-000006"]
    assert [fault(path) for path in found] == ["", ""]
    assert {file.name for path in found for file in path.iterdir()} == {"state.json", "manifest.json"}
    resumed = run(tmp_path, "learner.updates_per_window=3", "max_steps=3", "resume=auto", "learner.keep=2")
    assert [path.name for path in named_checkpoints(folder.path / "checkpoints")] == ["step-000006", "step-000009"]
    assert [row["step"] for row in rows(resumed)] == [1, 2, 3]


def test_what_lies_after_the_checkpoint_is_played_again(tmp_path):
    folder = run(tmp_path)
    path = folder.path / "checkpoints" / "step-000002"
    resumed = run(tmp_path, f"resume={path}")
    assert [row["step"] for row in rows(resumed)] == [1, 2, 3, 4]
    assert [row["step"] for row in read_rows(resumed.path / "cut-1" / "metrics.jsonl")] == [3, 4]
    assert (folder.path / "checkpoints" / "step-000004.1").is_dir(), "put aside, not overwritten"


def test_never_begins_anew_and_auto_refuses_another_recipe(tmp_path):
    first = run(tmp_path)
    again = run(tmp_path)
    assert again.path == first.path
    assert (tmp_path / f"{first.path.name}.1" / "metrics.jsonl").exists()
    with pytest.raises(RecipeError, match=r"game\.answers 8 -> 4"):
        run(tmp_path, "resume=auto", "game.answers=4")


def test_however_many_processes_were_launched_one_plays(tmp_path, monkeypatch):
    """`accelerate launch --num_processes 2`, and then `selfplay train ... resume=auto`."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    run(tmp_path, "max_steps=1")
    monkeypatch.delenv("WORLD_SIZE")
    assert [row["step"] for row in rows(run(tmp_path, "max_steps=2", "resume=auto"))] == [1, 2]


def test_sigterm_is_ctrl_c_and_its_echo_nothing(capfd):
    heard = []
    with patient_stop(tell=True):
        for number in (signal.SIGTERM, signal.SIGINT):  # what waits for calls is not disturbed by the second
            try:
                os.kill(os.getpid(), number)
                time.sleep(0.05)
            except KeyboardInterrupt:
                heard.append(number)
    assert heard == [signal.SIGTERM]
    assert capfd.readouterr().err.count("calls that were sent are waited for, once more stops at once") == 1
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_another_runs_memory_can_be_taken_up(tmp_path):
    first = run(tmp_path, "max_steps=2")
    other = run(tmp_path, f"resume={first.path / 'checkpoints' / 'step-000002'}", "run_name=other")
    assert other.path.name == "other"
    assert [row["step"] for row in rows(other)] == [3, 4]


def test_a_disk_that_takes_no_checkpoint_ends_the_run_in_one_line(tmp_path, monkeypatch):
    folder = run(tmp_path, "max_steps=1")

    def full(*_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("selfplay.rehearsal.durable.publish", full)
    with pytest.raises(CheckpointError, match=r"checkpoint of step 2 \(No space left.*step-000001\. Make room"):
        run(tmp_path, "max_steps=2", "resume=auto")
    assert [path.name for path in (folder.path / "checkpoints").iterdir()] == ["step-000001"]


def answered(run: Path) -> Path:
    question = Question("chat/completions", {}, (0, 0, 0), "solver", ("a",))
    AnsweredCalls(run / CALLS / "rank-0.jsonl").keep(question, {"choices": [{"message": {"content": "x" * 600_000}}]})
    return run / CALLS / "rank-0.jsonl"


def opened(root: Path, *words: str) -> RunFolder:
    return open_run_folder(compose([*WORDS, f"output_dir={root}", *words]))


def test_a_run_killed_before_its_first_checkpoint_keeps_what_it_paid_for(tmp_path):
    first = opened(tmp_path)
    OmegaConf.save(
        compose([*WORDS, f"output_dir={tmp_path}", "learner.keep=7"]), first.path / "config.yaml", resolve=True
    )
    file = answered(first.path)
    kept = file.read_bytes()
    torn = first.path / "checkpoints" / ".step-000001.writing"
    torn.mkdir(parents=True)
    folder = opened(tmp_path, "resume=auto")
    assert (folder.path, folder.checkpoint, file.read_bytes()) == (first.path, None, kept)
    assert "keeps 0.6 MB of answered calls, which are not asked again" in folder.remark
    assert not torn.exists()
    assert OmegaConf.load(folder.path / "config.until-step-000000.yaml").learner.keep == 7
    assert not (tmp_path / f"{first.path.name}.1").exists()


@pytest.mark.parametrize("state", ["never", "nothing was answered", "it had ended", "another recipe"])
def test_else_it_moves_the_old_folder_aside(tmp_path, state):
    first = opened(tmp_path)
    seed = 8 if state == "another recipe" else 7
    words = [*WORDS, f"output_dir={tmp_path}", f"seed={seed}"]
    OmegaConf.save(compose(words), first.path / "config.yaml", resolve=True)
    file = answered(first.path)
    if state == "nothing was answered":
        shutil.rmtree(file.parent)
    elif state == "it had ended":
        (first.path / "summary.json").write_text(json.dumps({}))
    folder = opened(tmp_path, "seed=7", f"resume={'never' if state == 'never' else 'auto'}")
    assert not list(folder.path.iterdir())
    assert (tmp_path / f"{first.path.name}.1" / "config.yaml").exists()
