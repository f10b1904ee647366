"""The best measured window: saved when it comes, kept besides the last ones, named, and forgotten by going back."""

import json
import math

import pytest

from selfplay.evaluation.metrics import Metric
from selfplay.learner.best import Best
from selfplay.learner.callbacks import ExamineCallback
from selfplay.learner.checkpoint_names import CheckpointError, whole_checkpoints
from tests.learner.test_checkpoints import trainer_of
from tests.tiny import tiny_base

SCORE = "yardstick/sums/pass@1"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


class Told:
    """An examiner that measures what it is told, by window."""

    def __init__(self, values):
        self.values = values

    def begin(self, step):
        return self.examine(0) if step == 0 else []

    def examine(self, step):
        return [Metric(SCORE, self.values[step])]


def train(base, folder, values, updates=1, resume=None, metric=SCORE, **settings):
    best = Best(metric) if metric else None
    trainer = trainer_of(base, folder, best=best, updates_per_window=updates, **settings)
    trainer.add_callback(ExamineCallback(Told(values), 1, updates, best))
    trainer.train(resume_from_checkpoint=resume and str(folder / "checkpoints" / resume))
    parent = folder / "checkpoints"
    named = json.loads((parent / "best.json").read_text()) if (parent / "best.json").exists() else None
    return [path.name for path in whole_checkpoints(parent)], named


def test_the_best_window_is_saved_when_it_comes_and_outlives_the_others(base, tmp_path):
    values = [0.9, 0.1, 0.5, 0.4, 0.5, math.nan, 0.3]  # window 0 is the base; a tie and a NaN are not better
    kept, named = train(base, tmp_path, values, max_steps=6, save_every=4, keep_checkpoints=1)
    assert kept == ["step-000002", "step-000006"]
    assert named == {"checkpoint": "step-000002", "metric": SCORE, "value": 0.5, "step": 2, "window": 2}


def test_a_resume_remembers_the_best_and_going_back_forgets_a_later_one(base, tmp_path):
    settings = {"updates": 2, "save_every": 2, "keep_checkpoints": 0}
    _, named = train(base, tmp_path, [0, 0.4, 0.2, 0.8], max_steps=6, **settings)
    assert (named["checkpoint"], named["window"]) == ("step-000006", 3)
    (tmp_path / "checkpoints" / "step-000006").rename(tmp_path / "checkpoints" / "step-000006.1")  # as a resume does
    _, named = train(base, tmp_path, [0, 0, 0, 0.3], max_steps=6, resume="step-000004", **settings)
    assert (named["checkpoint"], named["value"]) == ("step-000002", 0.4)


def test_a_best_whose_checkpoint_is_gone_is_forgotten(base, tmp_path):
    settings = {"save_every": 1, "keep_checkpoints": 1}
    train(base, tmp_path, [0, 0.4, 0.2], max_steps=2, **settings)
    (tmp_path / "checkpoints" / "step-000001").rename(tmp_path / "elsewhere")
    _, named = train(base, tmp_path, [0, 0, 0, 0.3], max_steps=3, resume="step-000002", **settings)
    assert named["value"] == 0.3
    kept, named = train(base, tmp_path, [0, 0, 0, 0, 0.9], max_steps=4, resume="step-000003", metric=None, **settings)
    assert (kept, named) == (["step-000004"], None)


def test_a_name_that_nothing_measures_is_told_before_the_first_window(base, tmp_path):
    with pytest.raises(CheckpointError, match=r"keep_best=yardstick/sums/pas@1 is not measured; choose .*/pass@1\."):
        train(base, tmp_path, [0], metric="yardstick/sums/pas@1", max_steps=1)
    assert not (tmp_path / "checkpoints").exists()
