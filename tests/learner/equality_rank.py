"""One rank of the equality table: train the cells of a file one after the other; rank 0 writes what they came to.

    accelerate launch --config_file launch/accelerate/zero3.yaml --num_processes 2 -m tests.learner.equality_rank \
        BASE CELLS.pt FOUND.pt
"""

from __future__ import annotations

import gc
import sys
import tempfile
from pathlib import Path

import torch
from accelerate.state import AcceleratorState
from transformers import TrainerCallback

from selfplay.learner.arguments import GRPOConfig
from selfplay.learner.ranks import end_processes, start_processes
from selfplay.policy import Policy
from tests.learner.equality_cells import EMPTY, KL, MICRO_BATCHES, SEEDS_PER_WINDOW, STEPS, Cell
from tests.learner.equality_faults import FAULTS, undo
from tests.learner.equality_reference import Run, fresh_policy
from tests.learner.harness import ROLES, FixedGame, arguments, make_trainer, values


class Record(TrainerCallback):
    """Parameters before the first step and after each."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.run = Run()

    def on_train_begin(self, args, state, control, **_):
        self.run.steps.append(values(self.policy))

    on_step_end = on_train_begin


def train(base: str, cell: Cell, rate: float, epsilon: float, folder: Path) -> Run:
    args = cell_arguments(cell, epsilon, folder)
    policy = fresh_policy(base, cell)
    game = FixedGame(policy.model.config.vocab_size, cell.periods, EMPTY)
    trainer = make_trainer(
        policy,
        folder,
        game=game,
        per_window=SEEDS_PER_WINDOW,
        args=args,
        lr=rate,
        kl=KL if cell.kl else dict.fromkeys(ROLES, 0.0),
        updates_per_window=cell.updates,
    )
    recorded = Record(policy)
    trainer.add_callback(recorded)
    if cell.fault:
        FAULTS[cell.fault](trainer)
    try:
        trainer.train()
    finally:
        undo()
    if spread_out(args):
        assert all(p.numel() == 0 < p.ds_numel for p in policy.model.parameters()), "a parameter is not spread"
    return recorded.run


def cell_arguments(cell: Cell, epsilon: float, folder: Path) -> GRPOConfig:
    """Of a run without checkpoints. Under ZeRO-3 every parameter is spread, however small: else a small model would not
    test it."""
    AcceleratorState._reset_state()
    args = arguments(
        folder,
        max_steps=STEPS,
        loss_type=cell.loss,
        epsilon=epsilon,
        micro_batches=MICRO_BATCHES,
        max_grad_norm=cell.max_grad_norm,
        optim="adamw_torch" if cell.optimizer == "adamw" else "sgd",
        weight_decay=0.01 if cell.optimizer == "adamw" else 0.0,
    )
    args.save_strategy = "no"
    if spread_out(args):
        args.deepspeed_plugin.deepspeed_config["zero_optimization"]["stage3_param_persistence_threshold"] = 0
    return args


def spread_out(args: GRPOConfig) -> bool:
    return args.deepspeed_plugin is not None and args.deepspeed_plugin.zero_stage == 3


def main(base: str, cells: str, found: str) -> None:
    start_processes()
    runs = {}
    with tempfile.TemporaryDirectory() as folder:
        for cell, rate, epsilon in torch.load(cells, weights_only=False):
            runs[cell.key] = train(base, cell, rate, epsilon, Path(folder))
            gc.collect()
    if torch.distributed.get_rank() == 0:
        torch.save(runs, found)
    end_processes()


if __name__ == "__main__":
    main(*sys.argv[1:])
