"""What is compared with what. Each section plays its contenders in rounds and gives ratios and what they are made of.

Suffix ``_per_row``: seconds of a whole step divided by the rows (turns) that it played and learned from.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

from tests.benchmarks.figures import Ratio, ratio
from tests.benchmarks.rounds import ROOT, Contender, play_rounds
from tests.benchmarks.turnstile import MARK

OURS, THEIRS, RELAY = "tests.benchmarks.ours", "tests.benchmarks.theirs", "tests.benchmarks.relay"
KL = "learner.kl={proposer: 0.1, solver: 0.02}"
TRL_ROWS = 104  # 13 prompts, 8 answers each; a window of the game has 92 to 108

ABOVE_BASE = "peak RSS over what the process held before adapters and first step; adapters included; update only"

Steps = list[dict[str, Any]]


@dataclass(frozen=True)
class Bench:
    """A run of the benchmark: where it writes, and how many rounds it plays."""

    folder: Path
    rounds: int
    warm_up: int

    def ours(
        self, name: str, *words: str, processes: int = 1, threads: int = 1, jobs: int = 1, **more: Any
    ) -> Contender:
        settings: dict[str, Any] = {"folder": str(self.folder / name), "words": list(words), **more}
        return Contender(OURS, settings, processes, threads, jobs)

    def theirs(self, prompts: list[str], beta: float = 0.0, late: bool = False) -> Contender:
        settings: dict[str, Any] = {"prompts": prompts, "beta": beta, "rows": TRL_ROWS}
        if late:
            settings["adapter"] = str(self.folder / "trained" / "adapters" / "solver")
        return Contender(THEIRS, settings)

    def relay(self, name: str, roles: int, sampled: bool) -> Contender:
        return Contender(RELAY, {"folder": str(self.folder / name), "roles": roles, "sampled": sampled})

    def play(self, **contenders: Contender) -> dict[str, Steps]:
        return play_rounds(contenders, self.rounds, self.folder / "logs", self.warm_up)


@dataclass(frozen=True)
class Section:
    ratios: list[Ratio]
    contenders: dict[str, dict[str, Any]]


def against_trl(bench: Bench) -> Section:
    """The same step through plain TRL, at the start of the shipped recipe and after its 40 windows."""
    trained = train(bench)
    start, late = prompts_of(trained, first=True), prompts_of(trained, first=False)
    adapters = str(trained / "adapters")
    played = bench.play(
        coin=bench.ours("coin", "control=random"),
        kl=bench.ours("kl", KL),
        vote=bench.ours("vote"),
        trl=bench.theirs(start),
        trl_kl=bench.theirs(start, beta=0.02),
        every_row=bench.ours("every_row", "control=random", every_row=True),
        coin_late=bench.ours("coin_late", "control=random", adapters=adapters),
        vote_late=bench.ours("vote_late", adapters=adapters),
        trl_late=bench.theirs(late, late=True),
    )
    equal, dead = "<= 0.6", "<= 0.5"
    return Section(
        [
            per_row(played, "coin", "trl", "step / TRL, no KL, no row left out, start", equal),
            per_row(played, "every_row", "trl", "the same, rows that say the same computed each by itself"),
            per_row(played, "kl", "trl_kl", "step / TRL, KL on both, no row left out, start", equal),
            per_row(played, "coin_late", "trl_late", "step / TRL, no KL, no row left out, after 40 windows", equal),
            per_row(played, "vote", "trl", "step / TRL, dead groups left out, start", dead),
            per_row(played, "vote_late", "trl_late", "step / TRL, dead groups left out, after 40 windows", dead),
        ],
        summaries(played),
    )


def quick_trl(bench: Bench) -> Section:
    prompts = [f"solve {number}+{number * 7 % 90}" for number in range(1, 27)]
    played = bench.play(vote=bench.ours("vote"), trl=bench.theirs(prompts))
    return Section([per_row(played, "vote", "trl", "step / TRL, dead groups left out, start")], summaries(played))


def quick_roles(bench: Bench) -> Section:
    played = bench.play(one=bench.relay("one", 1, True), three=bench.relay("three", 3, True))
    return Section([per_row(played, "three", "one", "three roles / one role, whole step")], summaries(played))


def quick_processes(bench: Bench) -> Section:
    played = bench.play(
        one=bench.ours("small_one"),
        two=bench.ours("small_two", processes=2),
        unrelated=bench.ours("unrelated", jobs=2),
    )
    ratios = [
        per_row(played, "one", "two", "rows/s, two processes / one, 2 seeds a window"),
        per_row(played, "one", "unrelated", "rows/s, two unrelated jobs / one"),
    ]
    return Section(ratios, summaries(played))


def three_roles(bench: Bench) -> Section:
    """Three roles against one at equal rows and rounds."""
    played = bench.play(
        one=bench.relay("one", 1, False),
        three=bench.relay("three", 3, False),
        one_sampled=bench.relay("one_sampled", 1, True),
        three_sampled=bench.relay("three_sampled", 3, True),
    )
    memory = [above_base(played[name]) for name in ("three", "one")]
    return Section(
        [
            per_row(played, "three", "one", "three roles / one role, update only", "<= 1.10"),
            per_row(played, "three_sampled", "one_sampled", "three roles / one role, whole step", "<= 1.10"),
            ratio("three roles / one role, peak memory", ABOVE_BASE, [(memory[0], memory[1])], "<= 1.05"),
        ],
        summaries(played),
    )


def processes(bench: Bench) -> Section:
    """Two processes of one thread against one of one thread, and one of two threads; rows/s at equal rows in all.

    The bound is held at 64 seeds a window, the default of job.yaml: on fewer rows a step costs little besides what
    every process pays by itself, and how that falls off is shown. Two jobs that know nothing of each other, on 32 seeds
    each, are what the machine itself allows: cores share their memory and their neighbours.
    """
    wide, middle, half = "seeds.per_window=64", "seeds.per_window=16", "seeds.per_window=32"
    played = bench.play(
        one=bench.ours("wide_one", wide, KL),
        two=bench.ours("wide_two", wide, KL, processes=2),
        unrelated=bench.ours("unrelated", half, KL, jobs=2),
        threads=bench.ours("wide_threads", wide, KL, threads=2),
        middle_one=bench.ours("middle_one", middle, KL),
        middle_two=bench.ours("middle_two", middle, KL, processes=2),
        small_one=bench.ours("small_one", KL),
        small_two=bench.ours("small_two", KL, processes=2),
    )
    return Section(
        [
            per_row(played, "one", "two", "rows/s, two processes / one, 64 seeds a window", ">= 1.7"),
            per_row(played, "one", "unrelated", "rows/s, two unrelated jobs / one, 64 seeds in all"),
            per_row(played, "unrelated", "two", "rows/s, two processes / two unrelated jobs"),
            per_row(played, "middle_one", "middle_two", "rows/s, two processes / one, 16 seeds a window"),
            per_row(played, "small_one", "small_two", "rows/s, two processes / one, 2 seeds a window"),
            per_row(played, "one", "threads", "rows/s, two threads / one, 64 seeds a window"),
        ],
        summaries(played),
    )


def copies(bench: Bench) -> Section:
    """What a further role costs in memory: an adapter or a copy of the model."""
    peaks: dict[str, dict[str, Any]] = {}
    for kind in ("adapters", "copies"):
        for roles in (1, 3):
            words = [sys.executable, "-m", "tests.benchmarks.copies", json.dumps({"kind": kind, "roles": roles})]
            said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
            line = next(line for line in said.splitlines() if line.startswith(MARK))
            peaks[f"{kind}_{roles}"] = json.loads(line[len(MARK) :])
    further = {}
    for kind in ("adapters", "copies"):
        further[kind] = (peaks[f"{kind}_3"]["peak_mib"] - peaks[f"{kind}_1"]["peak_mib"]) / 2
        peaks[f"{kind}_3"]["further_role_mib"] = further[kind]
    definition = "growth of peak RSS for each further role, one AdamW step done, 11M parameters, LoRA rank 8"
    pair = [(further["adapters"], further["copies"])]
    return Section([ratio("memory of a further role, adapter / copy", definition, pair)], peaks)


SECTIONS: dict[str, Callable[[Bench], Section]] = {
    "trl": against_trl,
    "roles": three_roles,
    "processes": processes,
    "copies": copies,
}

QUICK = SECTIONS | {"trl": quick_trl, "roles": quick_roles, "processes": quick_processes}
"""The same names and hardly any contenders: does everything run?"""


def train(bench: Bench) -> Path:
    """The shipped recipe, 40 windows: where adapters and prompts of a late stage come from."""
    words = ["recipe=sqlm_small", f"output_dir={bench.folder}", "run_name=trained", "evaluation.every=0"]
    quiet = ["tracking.wandb=disabled", "tracking.transcripts_every=0", "learner.save_every=0"]
    command = [sys.executable, "-m", "selfplay.train", *words, *quiet]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return bench.folder / "trained"


def prompts_of(run: Path, first: bool) -> list[str]:
    """The prompts of the first or last six windows, proposer's among them in the game's own proportion of rows."""
    files = sorted((run / "episodes").glob("step-*.parquet"))
    rows = [row for file in (files[:6] if first else files[-6:]) for row in parquet.read_table(file).to_pylist()]
    solver = list(dict.fromkeys(row["prompt"] for row in rows if row["role"] == "solver"))
    proposer = next(row["prompt"] for row in rows if row["role"] == "proposer")
    share = sum(row["role"] == "proposer" for row in rows) / len(rows)
    every = round(1 / share)
    return [prompt for at, asked in enumerate(solver) for prompt in ([proposer, asked] if at % every == 0 else [asked])]


def per_row(played: dict[str, Steps], first: str, second: str, name: str, bound: str = "") -> Ratio:
    def seconds(step: dict[str, Any]) -> float:
        return step["seconds"] / step["rows"]

    definition = f"seconds a row of {first} / {second}, whole step, median of rounds"
    pairs = zip(played[first][1:], played[second][1:], strict=True)
    return ratio(name, definition, [(seconds(a), seconds(b)) for a, b in pairs], bound)


def above_base(steps: Steps) -> float:
    """Peak memory beyond what the process held before its adapters and its first step."""
    return steps[-1]["peak_mib"] - steps[-1]["base_mib"]


def summaries(played: dict[str, Steps]) -> dict[str, dict[str, Any]]:
    return {name: summary(steps[1:]) for name, steps in played.items()}


def summary(steps: Steps) -> dict[str, Any]:
    """Medians of one contender's rounds; the split is of means, so that it adds up to the step."""
    mean = statistics.fmean
    parts = sorted({part for step in steps for part in step["split"]})
    facts = [name for name in ("rows", "tokens", "distinct", "dead") if name in steps[0]]
    return {
        "seconds": statistics.median(step["seconds"] for step in steps),
        "rows_per_second": statistics.median(step["rows"] / step["seconds"] for step in steps),
        "cpu_seconds_mean": mean(step["cpu"] for step in steps),
        "seconds_mean": mean(step["seconds"] for step in steps),
        "split_mean": {part: mean(step["split"].get(part, 0.0) for step in steps) for part in parts},
        "peak_mib": steps[-1]["peak_mib"],
        **{name: mean(step[name] for step in steps) for name in facts},
    }
