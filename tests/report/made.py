"""Run folders for the report's tests, written by the real journal and the real episode store."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from selfplay.evaluation.metrics import Metric
from selfplay.tracking.episodes import EpisodeStore
from selfplay.tracking.journal import Journal, Tracking
from selfplay.tracking.metrics_file import EPISODES
from selfplay.tracking.run_info import RunInfo
from selfplay.types import Episode, Seed, Turn

UNSEEN = Tracking(wandb="disabled", transcripts_every=0)
ANSWERS = 6
PASS = "yardstick/arithmetic/pass@1"


def made_run(
    folder: Path,
    control: str = "none",
    seed: int = 0,
    gain: float = 0.5,
    recipe: str = "sqlm_small",
    episodes: Sequence[Episode] = (),
    finish: bool = True,
    steps: int = 4,
    base: str = "small",
) -> Path:
    """A run whose pass@1 rises evenly from 0.3 by ``gain``, measured in steps 0, 2 and 4."""
    config = {
        "recipe": recipe,
        "policy": {"base": base},
        "control": {"arm": control},
        "seed": seed,
        "max_steps": 4,
        "run_name": folder.name,
        "guards": {"alarms": {"barren_windows": 3, "saturated": 0.95, "one_answer": 0.5, "cut_off": 0.5}},
    }
    info = RunInfo(recipe, seed, 4, control, folder.name, config, versions={})
    journal = Journal.open(folder, info, UNSEEN)
    for step in range(steps + 1):
        value = 0.3 + gain * step / 4 + 0.01 * seed
        if step % 2 == 0:
            wins = Metric("duel/base/win_rate", value, value - 0.1, value + 0.1, "wins of 86")
            journal.measured(step, [Metric(PASS, value, value - 0.05, value + 0.05, "share right, n=8, T=1"), wins])
        if step:
            journal.record(step, numbers_of(step, seed))
            journal.episodes(step, episodes or [episode(2 * step), episode(2 * step + 1)])
    if finish:
        journal.finish()
    else:
        journal.close()
    return folder


def numbers_of(step: int, seed: int) -> dict[str, float]:
    return {
        "reward/solver/majority": 0.2 * step,
        "reward/proposer/calibration": 0.5 + 0.1 * seed,
        "guard/cut_off_solver": 0.2 * step,
        "game/vote_share": 0.25 * step,
        "game/difficulty_0": 1.0,
        "game/difficulty_1": 3.0 * step,
        "perf/play_seconds": 1.5,
        "perf/endpoint/judge/calls": 2.0,
        "perf/endpoint/judge/replayed": 1.0,
    }


def episode(index: int, text: str = "", notes: dict[str, str] | None = None) -> Episode:
    """Two proposals, one of them turned away, and the answers to the other: sums that differ with ``index``."""
    rng = random.Random(index)
    one, other = rng.randrange(10, 999), rng.randrange(10, 999)
    question, right = f"{one}+{other}", one + other
    proposer = f"{index}/proposer"
    turns = [
        Turn("proposer", "propose addition", question, proposer, rewards={"calibration": float(index % 2)}),
        Turn("proposer", "propose addition", f"{one}+", proposer, objective=None),
    ]
    wrong = rng.randrange(ANSWERS)
    for number in range(ANSWERS):
        said = right + (number < wrong)
        answer = text or f"{one % 10}+{other % 10}+0={(one + other) % 100:02d}>{said}"
        paid = {"majority": float(said == right)}
        turn = Turn("solver", f"solve {question}", answer, f"{index}/solver/0", rewards=paid)
        turn.measures, turn.advantage = {"truth": paid["majority"]}, paid["majority"] - 0.5
        turn.text_ids, turn.logprobs = [1] * len(answer), [-rng.random()] * len(answer)
        turns.append(turn)
    facts = {"admitted": 1.0, "vote_share": 1 - wrong / ANSWERS, "difficulty_0": 0.0, "level": rng.random()}
    return Episode(Seed(index, "addition"), turns, facts, notes or {"asked": question, "elected": str(right)})


def fill_store(folder: Path, steps: int, per_step: int) -> None:
    """``steps`` files of ``per_step`` episodes each, beside whatever the run's folder holds."""
    store = EpisodeStore(folder / EPISODES)
    for step in range(1, steps + 1):
        store.write(step, [episode(step * per_step + number) for number in range(per_step)])
