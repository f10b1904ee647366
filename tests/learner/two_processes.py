"""One rank of the job that test_two_processes.py launches: train on FixedGame, and let rank 0 write what came of it.

python -m torch.distributed.run --nproc_per_node 2 -m tests.learner.two_processes BASE FOLDER JSON_SETTINGS
"""

import json
import sys
from pathlib import Path

import torch
from transformers import TrainerCallback

from selfplay.learner.checkpoint_names import whole_checkpoints
from selfplay.learner.ranks import end_processes, start_processes
from selfplay.policy import Policy
from tests.learner.harness import ROLES, FixedGame, gradients, make_trainer


class Gradients(TrainerCallback):
    """Every optimizer step's gradients, as they are when the optimizer sees them."""

    def __init__(self, policy):
        self.policy = policy
        self.steps = []

    def on_pre_optimizer_step(self, args, state, control, **_):
        self.steps.append(gradients(self.policy))


def train(base: str, folder: Path, empty=(), resume=False, adapters="per_role", dropout=0.0, **settings) -> None:
    policy = Policy.build(base=base, roles=ROLES, adapters=adapters, rank=4, alpha=8, seed=0, dropout=dropout)
    game = FixedGame(policy.model.config.vocab_size, periods={"proposer": 2}, empty=empty)
    trainer = make_trainer(policy, folder, game=game, per_window=4, weight_decay=0.01, **settings)
    recorded = Gradients(policy)
    trainer.add_callback(recorded)
    checkpoint = str(whole_checkpoints(folder / "checkpoints")[0]) if resume else None
    trainer.train(resume_from_checkpoint=checkpoint)
    values = {name: p.detach() for adapter in policy.adapters for name, p in policy.parameters_of(adapter)}
    if trainer.args.process_index == 0:
        found = {"gradients": recorded.steps, "values": values, "memory": game.memory, "world": trainer.args.world_size}
        torch.save(found, folder / ("resumed.pt" if resume else "found.pt"))


if __name__ == "__main__":
    start_processes()
    for name, settings in json.loads(sys.argv[3]).items():
        train(sys.argv[1], Path(sys.argv[2]) / name.removesuffix("+"), **settings)
    end_processes()
