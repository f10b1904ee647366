"""W&B offline: what is copied, and that losing it does not cost the run. Needs no login and no network."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from selfplay.tracking.journal import Journal, Tracking
from selfplay.tracking.metrics_file import read_rows
from selfplay.tracking.wandb_log import wished_mode
from tests.tracking.fakes import RUN, episode, pass_at_1

OFFLINE = Tracking(wandb="offline", transcripts_every=1, transcripts=1)


@pytest.mark.parametrize(
    ("asked", "environment", "mode"),
    [
        ("auto", None, "auto"),
        ("auto", "offline", "offline"),
        ("auto", "disabled", "disabled"),
        ("auto", "dryrun", "auto"),
        ("online", "offline", "online"),
        ("disabled", "online", "disabled"),
    ],
)
def test_the_recipe_goes_before_the_environment(monkeypatch, asked, environment, mode):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    if environment:
        monkeypatch.setenv("WANDB_MODE", environment)
    assert wished_mode(asked) == mode


def test_an_offline_run_lies_in_the_run_folder(tmp_path, capsys):
    with Journal.open(tmp_path, RUN, OFFLINE) as journal:
        journal.measured(0, [pass_at_1(0.3)])
        journal.episodes(1, [episode(0)])
        journal.record(1, {"game/vote_share": float("nan")})
        name = journal.run_id
        journal.finish()
    (run,) = (tmp_path / "wandb").glob("offline-run-*")
    assert run.name.endswith(str(name))
    words = (b"yardstick/arithmetic/pass@1", b"sqlm_small", b"quickstart")
    deadline = time.monotonic() + 20  # W&B's service writes on after finish() has returned
    while not all(word in (run / f"run-{name}.wandb").read_bytes() for word in words):
        assert time.monotonic() < deadline, "the offline run lacks what was logged"
        time.sleep(0.05)
    (table,) = (run / "files" / "media" / "table").glob("transcripts_*.json")
    rows = json.loads(table.read_text())
    assert rows["columns"][:4] == ["step", "seed", "topic", "role"]
    assert len(rows["data"]) == 6
    assert "wandb sync" in capsys.readouterr().out


def test_a_resumed_run_keeps_its_id(tmp_path):
    with Journal.open(tmp_path, RUN, OFFLINE) as journal:
        journal.record(1, {"game/vote_share": 0.5})
        name = journal.run_id
    with Journal.open(tmp_path, RUN, OFFLINE, resume_step=1, run_id=name) as journal:
        assert journal.run_id == name


def run_python(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess:
    home = {"HOME": str(folder), "NETRC": str(folder / "no-netrc"), **environment}
    return subprocess.run(
        [sys.executable, "-c", code, str(folder / "run")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={key: value for key, value in os.environ.items() if not key.startswith("WANDB_")} | home,
        timeout=120,
        check=False,
    )


AUTO = """
import sys
import time
from pathlib import Path
from selfplay.tracking import wandb_log
from selfplay.tracking.journal import Journal, Tracking
from tests.tracking.fakes import RUN
wandb_log.SECONDS_TO_CONNECT = 2
with Journal.open(Path(sys.argv[1]), RUN, Tracking(wandb="{mode}")) as journal:
    journal.record(1, {{"game/vote_share": 0.5}})
"""

UNREACHABLE = {"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9"}


@pytest.mark.parametrize("environment", [{}, UNREACHABLE], ids=["not logged in", "no network"])
def test_auto_asks_nobody_and_goes_offline(tmp_path, environment):
    done = run_python(AUTO.format(mode="auto"), tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2  # where W&B's copy lies, and step 1
    assert "W&B: offline" in done.stdout
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*"))


def test_online_insists(tmp_path):
    done = run_python(AUTO.format(mode="online"), tmp_path)
    assert done.returncode == 1
    assert "nobody is logged in. Log in with `wandb login`" in done.stderr.strip().splitlines()[-1]


def test_losing_wandb_does_not_cost_the_run(tmp_path, capsys, monkeypatch):
    with Journal.open(tmp_path, RUN, OFFLINE) as journal:
        assert journal.sinks is not None
        assert journal.sinks.wandb is not None
        wandb_run = journal.sinks.wandb.run

        def lost(_):
            raise ConnectionResetError("Connection lost")

        with monkeypatch.context() as patch:  # what wandb.log raises once its service has died
            patch.setattr(wandb_run, "log", lost)
            journal.record(1, {"game/vote_share": 0.5})
        journal.record(2, {"game/vote_share": 0.5})
    assert wandb_run is not None
    wandb_run.finish()
    assert capsys.readouterr().out.count("W&B stopped answering (Connection lost)") == 1
    assert len(read_rows(tmp_path / "metrics.jsonl")) == 2
