"""A checker that hangs or crashes is killed at its deadline, counts as unknown, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from selfplay.configuration import RecipeError, build, compose
from selfplay.domains.arithmetic import Arithmetic
from selfplay.domains.checker import Checker, Desk
from selfplay.domains.deadline import WithDeadline
from selfplay.guards.alarms import Alarms
from selfplay.roles.solver import hold_poll, poll_facts
from selfplay.types import Episode, Problem, Seed
from tests.domains.hanging import Hanging

ROOT = Path(__file__).parents[2]
SUM = Problem("85+27", "27+85", 2, "112")
SECONDS = 1.0


@pytest.fixture
def domain():
    built = WithDeadline(Hanging(), seconds=SECONDS)
    built.checker.troubles()  # a fresh count: equal domains share a checker
    built.checker._hopeless.clear()
    return built


def test_it_answers_what_the_domain_answers(domain):
    plain = Arithmetic()
    for text in ("85+27", "85+27=112", "no", "\x00\ud800", "1+" * 5000):
        assert domain.read_problem(text) == plain.read_problem(text)
        assert domain.read_answer(f">{text}>112") == plain.read_answer(f">{text}>112")
    assert domain.is_right(SUM, "112") is True
    assert domain.is_right(SUM, None) is False
    assert domain.solve_prompt(SUM) == plain.solve_prompt(SUM)
    assert domain.propose_prompt("addition") == plain.propose_prompt("addition")
    assert domain.is_held_out(SUM) == plain.is_held_out(SUM)
    assert domain.held_out_problems(3, 0) == plain.held_out_problems(3, 0)
    assert domain.checker.troubles() == []


@pytest.mark.parametrize("word", ["backtrack", "loop"])
def test_what_hangs_is_killed_at_its_deadline(domain, word):
    before = int(domain.read_answer("pid"))
    started = time.monotonic()
    assert domain.read_answer(word) is None
    assert SECONDS <= time.monotonic() - started < SECONDS + 10
    assert not psutil.pid_exists(before)
    assert domain.read_answer(">112") == "112"  # by a fresh process
    assert int(domain.read_answer("pid")) != before
    started = time.monotonic()
    assert domain.read_answer(word) is None  # known to hang, so not waited for again
    assert time.monotonic() - started < SECONDS
    assert domain.checker.troubles() == [
        f"hung read_answer('{word}',) over 1 s",
        f"hung read_answer('{word}',) asked before",
    ]


@pytest.mark.parametrize(
    ("word", "kind", "why"),
    [
        ("segfault", "died", "EOFError"),
        ("raise", "raised", "MemoryError: too much"),
        ("exit", "raised", "SystemExit: 3"),
    ],
)
def test_what_crashes_counts_as_unknown(domain, word, kind, why):
    assert domain.read_answer(word) is None
    assert domain.read_answer(">112") == "112"
    (line,) = domain.checker.troubles()
    assert line.startswith(f"{kind} read_answer('{word}',)")
    assert line.endswith(why)


def test_a_process_that_was_killed_while_idle_costs_no_answer(domain):
    os.kill(int(domain.read_answer("pid")), signal.SIGKILL)
    time.sleep(0.2)
    assert domain.read_answer(">112") == "112"
    assert domain.checker.troubles() == []


def test_signals_for_the_job_do_not_end_it(domain):
    pid = int(domain.read_answer("pid"))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        os.kill(pid, number)
    assert int(domain.read_answer("pid")) == pid


def test_what_it_prints_is_not_the_run_s_output(domain, capfd):
    domain.read_answer("print")
    assert domain.read_answer(">7") == "7"
    assert capfd.readouterr().out == ""


def test_after_so_many_in_one_window_the_rest_is_not_asked():
    domain = WithDeadline(Hanging(), seconds=0.5, at_most=2)
    texts = ["loop", "segfault", ">112", "backtrack"]
    assert [domain.read_answer(text) for text in texts] == [None] * 4
    assert [line.split()[0] for line in domain.checker.troubles()] == ["hung", "died", "skipped", "skipped"]
    assert domain.read_answer(">112") == "112"  # in the next window


def test_a_signal_in_mid_answer_does_not_shift_the_answers(domain):
    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            domain.read_answer("loop")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert domain.read_answer(">112") == "112"


@pytest.mark.parametrize("word", ["backtrack", "loop"])
def test_nothing_outlives_a_rank_that_is_killed_while_its_checker_hangs(word):
    rank = subprocess.Popen(
        [sys.executable, "-m", "tests.domains.hanging", word], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert rank.stdout is not None
    checker = psutil.Process(int(rank.stdout.readline()))
    busy = time.monotonic() + 60
    while checker.cpu_times().user < 0.3:  # it hangs by now
        assert time.monotonic() < busy
        time.sleep(0.05)
    rank.kill()
    rank.wait()
    rank.stdout.close()
    _, alive = psutil.wait_procs([checker], timeout=30)
    for process in alive:
        process.kill()
    assert alive == []


def test_left_alone_a_hanging_process_ends_itself_soon_after_the_deadline():
    """Where no signal tells of the parent's death (macOS), this is what is left; no parent's kill is involved here."""
    checker = Checker(pickle.dumps(Hanging()), 0.5, 20)
    checker._sent(pickle.dumps(("read_answer", ("loop",))))
    assert checker._process is not None
    assert checker._process.wait(timeout=60) == -signal.SIGALRM
    checker.close()


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"seconds": 0}, "domain.seconds=0"),
        ({"seconds": -1.0}, "domain.seconds=-1.0"),
        ({"seconds": float("nan")}, "domain.seconds=nan"),
        ({"seconds": "5"}, "domain.seconds='5'"),
        ({"at_most": 0}, "domain.at_most=0"),
    ],
)
def test_settings_that_cannot_work(settings, part):
    with pytest.raises(ValueError, match=part):
        WithDeadline(Arithmetic(), **settings)


def test_a_domain_that_cannot_be_pickled_is_told_in_one_line():
    class Local(Arithmetic):
        pass

    with pytest.raises(ValueError, match=r"domain\.domain=.*Local cannot work in another process .*can be imported"):
        WithDeadline(Local())


def test_a_process_that_cannot_start_is_told_with_the_reason():
    with pytest.raises(ValueError, match="cannot start: ModuleNotFoundError: No module named 'nowhere'"):
        Checker(b"cnowhere\nThing\n.", 1.0, 1)


def test_in_a_recipe(tmp_path):
    words = ["recipe=sqlm_small", "domain=arithmetic_deadline"]
    game = build(compose(words), "game")
    assert isinstance(game.domain, WithDeadline)
    assert game.domain.checker is game.gate.domain.checker  # one process serves both
    with pytest.raises(RecipeError, match=r"^domain\.seconds=0 must be"):
        build(compose([*words, "domain.seconds=0"]), "game")


def test_an_answer_of_unknown_rightness_is_left_out_of_the_accuracies(domain):
    poll = hold_poll(domain, SUM, [">112", ">0", ">112", ">7"])
    assert poll.rights_G == (True, None, True, False)
    facts = poll_facts([poll], 4)
    assert facts["answer_accuracy"] == pytest.approx(2 / 3)
    assert facts["vote_accuracy"] == 1.0
    unknown = hold_poll(domain, SUM, [">0", ">0", ">0", ">7"])  # the elected answer is the unknown one
    assert "vote_accuracy" not in poll_facts([unknown], 4)


def test_the_desk_tells_of_all_checkers_and_the_alarm_warns_once():
    desk = Desk()
    assert desk.troubles() is None
    checker = desk.checker(WithDeadline(Hanging(), seconds=SECONDS).checker.pickled, SECONDS, 20)
    checker.ask("read_answer", "raise")
    episode = Episode(Seed(0, "x"), notes={"checker": "\n".join(desk.troubles() or [])})
    alarms = Alarms()
    values, warnings = alarms.check([episode, Episode(Seed(1, "x"))])
    assert values["guard/checker_raised"] == 1.0
    assert values["guard/checker_hung"] == 0.0
    assert len(warnings) == 1
    assert "could not tell 1 times" in warnings[0]
    assert "read_answer('raise',)" in warnings[0]
    assert alarms.check([episode])[1] == []
    assert desk.troubles() == []
    desk.close()


MINE = """
import os, re, zlib
from selfplay.domains.arithmetic import Arithmetic

class Mine(Arithmetic):
    def read_answer(self, text):
        if os.environ.get("RANK") == "1" and zlib.crc32(text.encode()) % 4 == 0:
            re.match("(a+)+$", "a" * 60 + "!")
        return super().read_answer(text)
"""


def test_two_processes_train_on_while_one_s_checker_hangs(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain" / "mine.yaml").write_text(
        "_target_: selfplay.domains.deadline.WithDeadline\ndomain: {_target_: mine.Mine}\nseconds: 0.5\nat_most: 3\n"
    )
    (tmp_path / "mine.yaml").write_text("defaults: [job, override domain: mine, _self_]\n")
    small = ["seeds.per_window=4", "sampler.max_new_tokens=40", "evaluation.every=0", "tracking.wandb=disabled"]
    words = ["recipe=mine.yaml", "run_name=hangs", "max_steps=2", "processes=2", "learner.rows_per_role=null", *small]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "-m", "selfplay.train", *words]
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    rows = [json.loads(line) for line in (tmp_path / "runs" / "hangs" / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    assert all(1 <= row["guard/checker_hung"] <= 3 for row in rows)
    assert sum("the checker could not tell" in line for line in (done.stdout + done.stderr).splitlines()) >= 1
    left = [process.info for process in psutil.process_iter(["cmdline", "cwd"]) if process.info["cwd"] == str(tmp_path)]
    assert left == []
