"""What is printed: plain lines where nobody watches a terminal, one live line where somebody does."""

import io

import pytest
from rich.console import Console

from selfplay.tracking.console import ConsoleLog
from selfplay.tracking.run_info import RunInfo
from selfplay.tracking.summary import summarise
from tests.tracking.fakes import RUN, episode


def plain(encoding: str = "utf-8") -> tuple[ConsoleLog, io.TextIOWrapper]:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return ConsoleLog(40, Console(file=stream, width=120)), stream


def printed(stream: io.TextIOWrapper) -> list[str]:
    stream.seek(0)
    return stream.read().splitlines()


def row(step: int, **more: float) -> dict[str, float | None]:
    return {"step": step, "time": step * 2.0, "reward/solver/majority": 0.75, "perf/tokens_per_second": 5214.4} | more


def test_progress_line_by_hand():
    log, _ = plain()
    log.row({"step": 0, "time": 0.5, "yardstick/arithmetic/pass@1": 0.3125, "duel/base/win_rate": 0.5})
    for step in (1, 2, 3):
        log.row(row(step, **{"reward/proposer/calibration": 0.5, "learner/loss": 0.0123}))
    # (6 - 2) seconds / (3 - 1) steps * 37 steps = 74 seconds
    assert log.progress() == (
        "step 3/40 | 1:14 left | pass@1 0.312 | win rate 0.50 | solver paid 0.75 | proposer paid 0.50 | loss 0.0123 "
        "| 5,214 tok/s"
    )


def test_plain_output_does_not_flood():
    log, stream = plain()
    for step in range(1, 41):
        log.row(row(step))
    shown = [line.split(" ")[1] for line in printed(stream)]
    assert shown == [f"{step}/40" for step in (1, *range(2, 41, 2))]


def test_measurements_have_a_line_of_their_own():
    log, stream = plain()
    log.row(
        {
            "step": 10,
            "time": 9.0,
            "yardstick/arithmetic/pass@1": 0.5,
            "yardstick/arithmetic/pass@1/low": 0.4,
            "yardstick/arithmetic/pass@1/high": 0.6,
            "yardstick/arithmetic/pass@1/digits_2": 0.1,
        }
    )
    assert printed(stream)[0] == "measured at step 10: arithmetic/pass@1 0.500 [0.400, 0.600]"


def test_a_terminal_has_one_live_line():
    stream = io.StringIO()
    log = ConsoleLog(40, Console(file=stream, width=120, force_terminal=True))
    for step in range(1, 6):
        log.row(row(step))
    log.say("a lasting line")
    log.close()
    shown = stream.getvalue()
    assert "a lasting line\n" in shown
    assert shown.count("\n") < 5, "the live line is drawn over, not added to"
    assert "step 5/40" in shown


def test_a_model_cannot_write_to_the_terminal():
    log, stream = plain()
    hostile = episode(0)
    hostile.turns[0].text = "\x1b]0;title\x07[bold]27+85[/bold] :smile:"
    log.transcripts(1, [hostile])
    text = "\n".join(printed(stream))
    assert "\x1b" not in text
    assert "\\x1b]0;title\\x07[bold]27+85[/bold] :smile:" in text


def test_a_narrow_encoding_is_no_crash():
    log, stream = plain("ascii")
    log.transcripts(1, [episode(0)])
    assert "seed 0 \\xb7 addition" in "\n".join(printed(stream))


def ending(rows: list[dict], tmp_path) -> str:
    log, stream = plain()
    run = RunInfo(RUN.recipe, RUN.seed, RUN.steps, versions={})
    log.ending(summarise(run, rows, {}, seconds=75.0), tmp_path, tmp_path / "adapters")
    return "\n".join(printed(stream))


def test_the_ending_says_what_was_gained_and_where_it_lies(tmp_path):
    name = "yardstick/arithmetic/greedy"
    rows = [
        {"step": 0, "time": 0.0, name: 0.25},
        {"step": 20, "time": 5.0, name: 0.9},
        {"step": 40, "time": 9.0, name: 0.85, f"{name}/low": 0.8, f"{name}/high": 0.9, f"{name}/digits_1": 1.0},
    ]
    text = ending(rows, tmp_path)
    (line,) = [line for line in text.splitlines() if "arithmetic/greedy" in line]
    assert line.strip("│ ").split() == ["arithmetic/greedy", "0.250", "0.900", "0.850", "[0.800,", "0.900]", "+60.0"]
    assert f"40 of 40 steps in 1:15. Everything lies in {tmp_path}:" in text
    assert f"adapters (PEFT format): {tmp_path / 'adapters'}" in text


@pytest.mark.parametrize("rows", [[], [{"step": 1, "time": 0.0, "yardstick/arithmetic/greedy": None}]])
def test_the_ending_of_a_run_with_nothing_to_show(rows, tmp_path):
    assert "Everything lies in" in ending(rows, tmp_path)
