"""Whole jobs in which a server process plays a role, as a user types them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from selfplay.domains.open_ended import WordLists
from selfplay.duel import main as duel
from selfplay.games.serl import SERL
from selfplay.patient_stop import ECHO_SECONDS
from selfplay.roles.schedules import AllPairs
from selfplay.samplers.per_role import PerRole
from selfplay.tracking.metrics_file import read_rows
from selfplay.types import Seed
from tests.made_run import made_run, serl_recipe

KEY = "sk-test-0123456789"


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "A_TEST_KEY": KEY, "WANDB_SILENT": "true"}


def command_of(verb: str, folder: Path, url: str, *words: str, recipe: str = "sqlm_small") -> list[str]:
    return [
        sys.executable, "-m", f"selfplay.{verb}", f"recipe={recipe}", f"output_dir={folder}", "tracking.wandb=offline",
        f"endpoint.url={url}", "endpoint.api_key_env=A_TEST_KEY", "endpoint.backoff=0.02", *words,
    ]  # fmt: skip


def job(verb: str, folder: Path, url: str, *words: str, **recipe: str) -> subprocess.CompletedProcess[str]:
    command = command_of(verb, folder, url, *words, **recipe)
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=250, check=False)


def on_two_ranks(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """The same job on two processes that meet: exit status, and what they and their launcher said."""
    python, *verb = command
    launched = [python, "-m", "torch.distributed.run", "--nproc_per_node", "2", *verb]
    done = subprocess.run(launched, env={**ENVIRONMENT, **environment}, capture_output=True, text=True, timeout=250)
    return done.returncode, done.stdout + done.stderr


def assert_the_key_is_nowhere(folder: Path, done: subprocess.CompletedProcess[str]) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"config.yaml", "metrics.jsonl"} <= {path.name for path in files}
    assert any(path.suffix == ".wandb" for path in files)
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert KEY not in done.stdout + done.stderr


def test_one_role_is_asked_and_the_other_learns(endpoint, tmp_path):
    endpoint.misbehave(["status", 503])
    done = job(
        "train", tmp_path, endpoint.url, "players.proposer=endpoint", "endpoint.model=proposer",
        "policy.frozen=[proposer]", "max_steps=2", "evaluation.every=0", "seeds.per_window=2", "learner.save_every=1",
        "game.proposals=3", "game.answers=4",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = tmp_path / "sqlm_small"
    first, second = (row for row in read_rows(run / "metrics.jsonl") if "perf/endpoint/proposer/calls" in row)
    assert (first["perf/endpoint/proposer/retries"], second["perf/endpoint/proposer/retries"]) == (1, 0)
    assert (first["perf/endpoint/proposer/calls"], second["perf/endpoint/proposer/calls"]) == (3, 2)
    assert (first["perf/endpoint/proposer/replies"], second["perf/endpoint/proposer/replies"]) == (6, 6)
    assert first["game/admitted"] > 0  # the server plays the very base: its proposals are good ones
    (row,) = json.loads((run / "summary.json").read_text())["facts"]["endpoints"]
    assert (row["role"], row["calls"], row["replies"]) == ("proposer", 5, 12)
    assert [path.name for path in (run / "adapters").iterdir()] == ["solver"]
    assert {request["key"] for request in endpoint.seen} == {f"Bearer {KEY}"}
    assert list((run / "checkpoints").iterdir())
    assert_the_key_is_nowhere(tmp_path, done)


def test_all_roles_are_asked(endpoint, tmp_path):
    done = job(
        "train", tmp_path, endpoint.url, "players=endpoint", "endpoints.proposer.model=proposer",
        "endpoint.model=solver", "max_steps=2", "evaluation.every=0", "game.proposals=2", "game.answers=3",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "sqlm_small" / "summary.json").read_text())
    assert {row["role"] for row in summary["facts"]["endpoints"]} == {"proposer", "solver"}
    assert {request["body"]["model"] for request in endpoint.seen} == {"proposer", "solver"}
    assert_the_key_is_nowhere(tmp_path, done)


def test_an_endpoint_that_stays_away_ends_the_run_in_one_line(endpoint, tmp_path):
    endpoint.misbehave(*[["status", 503, "loading {key}"]] * 9)
    words = ("players=endpoint", "endpoint.model=solver", "endpoint.retries=1", "endpoint.at_once=1")
    for verb in ("train", "play"):
        done = job(verb, tmp_path, endpoint.url, *words)
        assert done.returncode == 1
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("selfplay: endpoint")]
        assert line.startswith(f"selfplay: endpoint.url={endpoint.url}: HTTP 503")
        assert "after 2 tries" in line
        assert "Traceback" not in done.stderr
        assert KEY not in done.stdout + done.stderr


def test_the_rank_whose_endpoint_stays_away_says_so(endpoint, tmp_path):
    """And it alone: the first rank's endpoint answers."""
    command = command_of(
        "train", tmp_path, "'${oc.env:ENDPOINT_OF_${oc.env:RANK}}'", "players.proposer=endpoint",
        "policy.frozen=[proposer]", "endpoint.model=proposer", "endpoint.retries=0", "seeds.per_window=2",
        "game.proposals=2", "game.answers=4", "evaluation.every=0", "max_steps=1", "tracking.wandb=disabled",
    )  # fmt: skip
    addresses = {"ENDPOINT_OF_0": endpoint.url, "ENDPOINT_OF_1": "http://127.0.0.1:9/v1"}
    status, said = on_two_ranks(command, addresses)
    assert status != 0
    (line,) = [line for line in said.splitlines() if line.startswith("selfplay: endpoint")]
    assert line.startswith("selfplay: endpoint.url=http://127.0.0.1:9/v1: ")
    assert line.endswith(f"(on rank 1, {socket.gethostname()})")


def test_prompts_that_one_rank_cannot_read_are_said_once(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text('{"prompt": "Say something kind."}\n')
    (tmp_path / "asked.yaml").write_text(
        "defaults: [job, override game: serl, override domain: hub_prompts, override evaluation: none, _self_]\n"
        "seeds: {per_window: 2, topics: [questions]}\nlearner: {lr: 1.0e-3}\n"
        "sampler: {max_new_tokens: 24}\ndomain: {held_out: 0}\n"
    )
    words = ["domain.path='${oc.env:PROMPTS_OF_${oc.env:RANK}}'", "tracking.wandb=disabled"]
    command = command_of(
        "train", tmp_path, "null", "endpoint.api_key_env=null", *words, recipe=f"{tmp_path}/asked.yaml"
    )
    environment = {"PROMPTS_OF_0": f"{tmp_path}/data", "PROMPTS_OF_1": "nobody/nothing"}
    status, said = on_two_ranks(command, {**environment, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")})
    assert status != 0
    (line,) = [line for line in said.splitlines() if line.startswith("selfplay:")]
    assert line.startswith("selfplay: domain.path=nobody/nothing: cannot be loaded")
    assert line.endswith(f"(on rank 1, {socket.gethostname()})")


def test_a_judge_is_asked_while_the_actor_learns(endpoint, tmp_path):
    (tmp_path / "judged.yaml").write_text(
        "defaults: [job, override game: serl, override domain: word_lists, _self_]\n"
        "seeds: {per_window: 2, topics: [lists]}\nsampler: {max_new_tokens: 24}\nlearner: {lr: 1.0e-3}\n"
        "evaluation: {every: 0}\nmax_steps: 2\ngame: {answers: 3, schedule: {judgments: 2}}\n"
    )
    done = job(
        "train", tmp_path, endpoint.url, "players.judge=endpoint", "policy.frozen=[judge]", "endpoint.model=solver",
        recipe=str(tmp_path / "judged.yaml"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "judged" / "metrics.jsonl")
    assert [row["perf/endpoint/judge/replies"] for row in rows] == [12, 12]
    assert all(row["role/judge/stopped"] > 0 for row in rows)
    assert [path.name for path in (tmp_path / "judged" / "adapters").iterdir()] == ["actor"]


def test_a_second_ctrl_c_does_not_wait_for_the_server(endpoint, tmp_path):
    endpoint.misbehave(*[["slow", 30]] * 4)
    command = command_of("train", tmp_path, endpoint.url, "players=endpoint", "endpoint.model=solver")
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as running:
        while not endpoint.seen:
            time.sleep(0.1)
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        time.sleep(ECHO_SECONDS + 0.5)
        assert running.poll() is None, "the first waits for what was sent"
        started = time.monotonic()
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=20) == 130
        assert time.monotonic() - started < 10


def test_a_judge_is_asked(endpoint):
    """The base knows the judge's language whatever the name it is served under."""
    asked = endpoint.sampler(max_new_tokens={"actor": 24, "judge": 4}, at_once=4)
    game = SERL(WordLists(wording="compact", categories=None), AllPairs(judgments=2), answers=3)
    (episode,) = game.play([Seed(0, "lists")], PerRole(actor=asked, judge=asked))
    verdicts = [turn for turn in episode.turns if turn.role == "judge"]
    assert len(verdicts) == 6
    assert sum(turn.measures["format"] for turn in verdicts) >= 4
    assert all(turn.objective is None and not turn.failure for turn in episode.turns)
    assert asked.ledger.total("judge").calls == 6


def test_a_duel_is_judged_at_an_endpoint(endpoint, tmp_path, capsys):
    """What the server says is given: the small base cannot read plain English, nor is its window long enough for it."""
    run = made_run(tmp_path / "run", [serl_recipe(tmp_path)])
    words = [str(run), "base", "--judge", f"{endpoint.url}#big", "--requests", "2"]
    said = json.dumps({"choices": [{"message": {"content": r"The first: \boxed{1}"}, "finish_reason": "stop"}]})
    endpoint.misbehave(*[["say", said]] * 4)
    assert duel([*words, "--write", str(tmp_path / "out")]) == 0
    bodies = [request["body"] for request in endpoint.seen]
    assert [body["model"] for body in bodies] == ["big"] * 4  # two requests in both orders
    assert '"answer_1": ' in bodies[0]["messages"][0]["content"]
    metrics = json.loads((tmp_path / "out" / "duel.json").read_text())["pairs"][0]["metrics"]
    found = {name: metrics[f"duel/base/{name}"]["value"] for name in ("win_rate", "order_flips", "unreadable")}
    assert found == {"win_rate": 0.5, "order_flips": 1, "unreadable": 0}
    endpoint.misbehave(*[["status", 401]] * 4)  # several are under way at once, and the first to fail is told
    capsys.readouterr()
    assert duel(words) == 1
    assert "401" in capsys.readouterr().err
