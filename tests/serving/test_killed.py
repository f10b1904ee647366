"""kill -9 at random calls: what was answered is never asked again, and the skills are those of an undisturbed run.

The server holds everybody from its k-th request on; once the client has kept what came before, it is killed. So what
was answered is known exactly. Faults lie on the way: busy, broken, cut off, garbage.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from selfplay.samplers.endpoint.answered import CALLS, kept_calls
from selfplay.tracking.metrics_file import read_rows, timeless
from tests.serving.conftest import Endpoint
from tests.serving.test_whole_runs import ENVIRONMENT

FAULTS = (["status", 429, "slow down"], ["status", 500], ["half"], ["drop"], ["say", "<html>"])
WORDS = (
    "evaluation=none", "tracking.wandb=disabled", "players=endpoint", "seeds.per_window=1", "max_steps=2",
    "game.rounds=2", "game.tasks=2", "game.planted=1", "endpoint.timeout=20", "endpoint.retries=8",
    "endpoint.backoff=0.01", "endpoint.at_once=4", "endpoint.api_key_env=A_TEST_KEY", "resume=auto",
)  # fmt: skip


def client(endpoint: Endpoint, folder: Path, *words: str) -> subprocess.Popen[str]:
    roles = ("challenger", "reasoner", "judge")
    roles += tuple(f"{side}_{agent}" for side in roles[:2] for agent in ("proposer", "generator"))
    models = [f"endpoints.{role}.model={role}" for role in roles]
    command = [sys.executable, "-m", "selfplay.train", "recipe=ctx2skill_small", f"output_dir={folder}",
               f"endpoint.url={endpoint.url}", "endpoint.model=reasoner", *models, *WORDS, *words]  # fmt: skip
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def ended(running: subprocess.Popen[str]) -> str:
    _, said = running.communicate(timeout=200)
    assert running.returncode == 0, said
    return said


def kill_when_held(endpoint: Endpoint, running: subprocess.Popen[str], calls: Path, before: int) -> dict[str, Any]:
    """Kill the client once nobody but held requests is under way and the rest is kept; what the server knows then."""
    until = time.monotonic() + 150
    while time.monotonic() < until:
        assert running.poll() is None, running.communicate()[1]
        state = endpoint.state
        if state["held"] and state["held"] == state["now"] and kept(calls) == before + len(state["answered"]):
            running.send_signal(signal.SIGKILL)
            running.communicate()
            return state
        time.sleep(0.02)
    raise AssertionError(f"the client keeps {kept(calls) - before} of {len(endpoint.state['answered'])} answers")


def kept(calls: Path) -> int:
    return kept_calls(calls).get("calls", 0)


def skills(run: Path) -> dict[str, str]:
    files = (path for path in (run / "skills").rglob("*") if path.is_file())
    return {str(path.relative_to(run)): path.read_text() for path in files}


def ledger(run: Path) -> dict[str, int]:
    """Counts of the last process, over all roles and contexts."""
    rows = json.loads((run / "summary.json").read_text())["facts"]["endpoints"]
    return {name: sum(row[name] for row in rows) for name in rows[0] if name not in ("role", "label")}


def once(bodies: list[dict[str, Any]]) -> bool:
    """Whether no request is there twice; each has a seed of its own, so two equal ones are one call."""
    told = [json.dumps(body, sort_keys=True) for body in bodies]
    return len(set(told)) == len(told)


@pytest.fixture(scope="module")
def undisturbed(rule_books: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A run that nothing befalls, and what it was answered."""
    folder = tmp_path_factory.mktemp("undisturbed")
    rule_books.misbehave()
    ended(client(rule_books, folder))
    return folder / "ctx2skill_small", rule_books.state["answered"]


def test_killed_at_random_calls_nothing_is_lost_and_nothing_paid_twice(rule_books, undisturbed, tmp_path):
    whole, expected = undisturbed
    run, rng = tmp_path / "ctx2skill_small", random.Random(5)
    answered: list[dict[str, Any]] = []
    moments = sorted(rng.sample(range(5, len(expected) - 5), 3))
    assert len({moment < len(expected) // 2 for moment in moments}) == 2, (
        "in the first window, and after its checkpoint"
    )
    for moment in moments:
        faults = [rng.choice(FAULTS) if rng.random() < 0.1 else ["none"] for _ in range(moment - len(answered))]
        rule_books.misbehave(*faults, ["hold"])
        running = client(rule_books, tmp_path)
        answered += kill_when_held(rule_books, running, run / CALLS, before=len(answered))["answered"]
        with (run / CALLS / "rank-0.jsonl").open("ab") as file:
            file.write(b'{"key": "torn')  # as a kill within a line leaves it
    rule_books.misbehave(*[["status", 503], ["half"]])
    said = ended(client(rule_books, tmp_path))
    answered += rule_books.state["answered"]
    assert "MB of answered calls, which are not asked again" in said
    assert once(answered)
    assert sorted(map(str, answered)) == sorted(map(str, expected)), "the very calls of the undisturbed run"
    assert skills(run) == skills(whole)
    assert skills(run)
    assert list(map(timeless, read_rows(run / "metrics.jsonl"))) == list(
        map(timeless, read_rows(whole / "metrics.jsonl"))
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_keeps_the_answers_of_all_calls_that_were_sent(rule_books, tmp_path, number):
    rule_books.misbehave(*[["none"]] * 6, *[["slow", 1.5]] * 20)
    running, until = client(rule_books, tmp_path), time.monotonic() + 150
    while len(rule_books.seen) <= 6:
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.02)
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "calls that were sent are waited for, once more stops at once" in said
    assert kept(tmp_path / "ctx2skill_small" / CALLS) == len(rule_books.seen) > 6


def test_a_role_that_is_asked_while_another_learns_is_not_asked_twice(endpoint, tmp_path):
    """Killed before the first checkpoint; the learner plays its windows again, bit for bit, and asks the same."""
    words = ["recipe=sqlm_small", f"output_dir={tmp_path}", f"endpoint.url={endpoint.url}", "endpoint.model=proposer",
             "players.proposer=endpoint", "policy.frozen=[proposer]", "tracking.wandb=disabled", "evaluation.every=0",
             "seeds.per_window=2", "game.proposals=2", "game.answers=4", "max_steps=3", "resume=auto"]  # fmt: skip
    command = [sys.executable, "-m", "selfplay.train", *words]
    run = tmp_path / "sqlm_small"
    endpoint.misbehave(*[["none"]] * 4, ["hold"])
    running = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    answered = kill_when_held(endpoint, running, run / CALLS, before=0)["answered"]
    assert len(answered) == 4, "two windows"
    assert not (run / "checkpoints").exists()
    endpoint.misbehave()
    ended(subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
    assert len(endpoint.seen) == 2
    assert once([*answered, *endpoint.state["answered"]])
    rows = [row for row in read_rows(run / "metrics.jsonl") if "perf/endpoint/proposer/calls" in row]
    counts = [(row["perf/endpoint/proposer/calls"], row["perf/endpoint/proposer/replayed"]) for row in rows]
    assert counts == [(0, 2), (0, 2), (2, 0)]
    assert (run / "adapters" / "solver").is_dir()
