"""The other contender: plain TRL GRPOTrainer, its own generation and reward function. Settings as JSON, e.g.

    {"prompts": ["solve 3+4", ...], "beta": 0.0, "rows": 104, "adapter": "runs/bench/trained/adapters/solver"}

One batch of all rows (smaller ones were not tried), no gradient checkpointing, nothing reported, printed or saved, no
shuffling, as many threads as ours; 8 answers a prompt, top_p and top_k off.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import trl  # noqa: F401  # before transformers' trainer, or its lazy modules meet half-made
from datasets import Dataset
from peft import LoraConfig, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from selfplay.policy.adapters import PROJECTIONS, WEIGHTS_FILE
from selfplay.policy.bases import BaseSource, load_base
from selfplay.quiet import quieten
from tests.benchmarks.turnstile import Stopwatch, Turnstile

ANSWERS = 8


def main() -> None:
    settings = json.loads(sys.argv[1])
    quieten()
    trainer = make_trainer(settings)
    if settings.get("adapter"):
        set_peft_model_state_dict(
            trainer.model, load_file(Path(settings["adapter"]) / WEIGHTS_FILE), adapter_name="default"
        )
    counted: dict[str, float] = {"rows": settings["rows"]}
    stopwatch = Stopwatch()
    stopwatch.watch(trainer, "training_step", "backward")
    stopwatch.watch(trainer, "_generate", "generate")
    trainer.add_callback(Turnstile(stopwatch, lambda: {**counted, "dead": trainer.dead}))
    trainer.train()


class Measured(GRPOTrainer):
    """Remembers the share of dead groups that it logs anyway."""

    dead = 0.0

    def log(self, logs, start_time=None):
        self.dead = float((self._metrics["train"].get("frac_reward_zero_std") or [0.0])[-1])
        super().log(logs, start_time)


def make_trainer(settings: dict[str, Any]) -> Measured:
    base, tokenizer = load_base(BaseSource.find("small", None), "float32", None)
    args = GRPOConfig(
        output_dir=tempfile.mkdtemp(),
        max_steps=100_000,
        per_device_train_batch_size=settings["rows"],
        num_generations=ANSWERS,
        max_completion_length=48,
        temperature=1.0,
        top_p=1.0,
        top_k=0,
        learning_rate=1e-12,
        lr_scheduler_type="constant",
        weight_decay=0.0,
        beta=settings["beta"],
        loss_type="dapo",
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        disable_tqdm=True,
        shuffle_dataset=False,
    )
    talks = [[{"role": "user", "content": prompt}] for prompt in settings["prompts"]]
    lora = LoraConfig(r=8, lora_alpha=16, target_modules=list(PROJECTIONS), task_type="CAUSAL_LM")
    trainer = Measured(
        base,
        reward_funcs=vote,
        args=args,
        train_dataset=Dataset.from_dict({"prompt": talks}),
        processing_class=tokenizer,
        peft_config=lora,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def vote(completions: list[list[dict[str, str]]], **_: Any) -> list[float]:
    """One point for the answer that most of the eight gave: the game's own reward, without its ties."""
    answers = [talk[0]["content"].rpartition(">")[2] for talk in completions]
    paid: list[float] = []
    for start in range(0, len(answers), ANSWERS):
        group = answers[start : start + ANSWERS]
        elected = Counter(group).most_common(1)[0][0]
        paid += [float(answer == elected) for answer in group]
    return paid


if __name__ == "__main__":
    main()
