"""Runs and episodes to record, small enough to read."""

from pathlib import Path

from selfplay.evaluation.metrics import Metric
from selfplay.tracking.journal import Journal, Tracking
from selfplay.tracking.run_info import RunInfo
from selfplay.types import Episode, Seed, Turn

RUN = RunInfo(
    recipe="sqlm_small",
    seed=3,
    steps=40,
    name="quickstart",
    config={"seed": 3, "learner": {"lr": 1e-3}},
    versions={"selfplay": "0.1.0"},
)

UNSEEN = Tracking(wandb="disabled", transcripts_every=0)


def opened(folder: Path, resume_step: int | None = None, tracking: Tracking = UNSEEN) -> Journal:
    return Journal.open(folder, RUN, tracking, resume_step)


def pass_at_1(value: float) -> Metric:
    return Metric("yardstick/arithmetic/pass@1", value, value - 0.05, value + 0.05, "mean share right, n=8")


def episode(index: int, paid: float = 1.0) -> Episode:
    """Two proposals, of which one is turned away, and four answers."""
    group = f"{index}/proposer"
    proposals = [
        Turn("proposer", "propose addition", "27+85", group, rewards={"calibration": paid}, advantage=0.5),
        Turn("proposer", "propose addition", "2+", group, objective=None),
    ]
    answers = [
        Turn("solver", "solve 27+85", text, f"{index}/solver/0", rewards={"majority": reward}, advantage=reward - 0.5)
        for text, reward in [(">112", 1.0), (">112", 1.0), (">113", 0.0), (">112", 1.0)]
    ]
    answers[2].stopped = False
    answers[0].text_ids, answers[0].logprobs = [5, 1, 1, 2], [-0.5, -0.25, -0.25, 0.0]
    answers[0].measures = {"truth": 1.0}
    facts, notes = {"vote_share": 0.75, "vote_accuracy": 1.0}, {"asked": "27+85"}
    return Episode(Seed(index, "addition"), proposals + answers, facts, notes)
