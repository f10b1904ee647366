"""What SERL is compared with, each by one word on the command line: whole jobs on the small base, a window or two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from selfplay.tracking.metrics_file import read_rows

RECIPE = """
defaults:
  - job
  - override game: serl
  - override domain: word_lists
  - override evaluation: none
  - _self_
max_steps: 2
seeds: {per_window: 2, topics: [lists]}
policy: {adapters: shared}
sampler: {max_new_tokens: {actor: 12, judge: 2}}
learner: {lr: 1.0e-3, kl: 0.0}
tracking: {wandb: disabled, transcripts_every: 0}
"""


def train(folder: Path, *words: str) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl."""
    (folder / "arm.yaml").write_text(RECIPE)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HOME": str(folder / "hub"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "selfplay.train", f"recipe={folder}/arm.yaml", f"output_dir={folder}", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (folder / "arm" / "adapters").iterdir() if path.is_dir()] == ["shared"]
    return list(read_rows(folder / "arm" / "metrics.jsonl"))


BOTH = {"actor", "judge"}


@pytest.mark.parametrize(
    ("word", "weights", "learning"),
    [
        ("learner.loss_mix=sum", [(1, 1), (1, 1)], [BOTH, BOTH]),
        ("learner.loss_mix=ramp", [(0, 1), (0.5, 0.5)], [{"judge"}, BOTH]),
        ("learner.loss_mix={actor:1,judge:0}", [(1, 0), (1, 0)], [{"actor"}, {"actor"}]),
        ("learner.loss_mix={actor:0,judge:1}", [(0, 1), (0, 1)], [{"judge"}, {"judge"}]),
        ("policy.frozen=[judge]", [(1, None), (1, None)], [{"actor"}, {"actor"}]),
    ],
)
def test_who_learns_in_an_arm(tmp_path, word, weights, learning):
    rows = train(tmp_path, word)
    assert [(row.get("learner/weight/actor"), row.get("learner/weight/judge")) for row in rows] == weights
    learned = [{role for role in BOTH if f"role/{role}/loss" in row} for row in rows]
    assert learned[0] == learning[0]
    assert learned[1] <= learning[1]  # groups that agree by now teach nothing
    assert all("game/judge_accuracy" in row for row in rows)  # the judge judges in all of them


@pytest.mark.parametrize("arm", ["random", "format", "truth"])
def test_what_is_paid_in_an_arm(tmp_path, arm):
    (row,) = train(tmp_path, f"control={arm}", "max_steps=1")
    paid = {name for name in row if name.startswith("reward/")}
    assert paid == {f"reward/actor/{arm}", f"reward/judge/{arm}"}


def test_training_on_the_prompts_of_a_dataset(tmp_path):
    (tmp_path / "data").mkdir()
    chats = [[{"role": "user", "content": f"list {topic} " + "cat " * 60}] for topic in ("animals", "tools", "fruits")]
    lines = [json.dumps({"chat": chat}) for chat in chats]
    (tmp_path / "data" / "train.jsonl").write_text("\n".join(lines))
    words = ["domain=hub_prompts", f"domain.path='{tmp_path}/data'", "domain.field=chat", "domain.held_out=0"]
    limits = [
        "sampler.truncate=middle",
        "sampler.max_prompt_tokens=32",
        "game.request_chars=40",
        "game.answer_chars=40",
    ]
    rows = train(tmp_path, *words, *limits)
    assert [row["step"] for row in rows] == [1, 2]
    assert "game/judge_accuracy" not in rows[0]  # nobody knows which answer is better
