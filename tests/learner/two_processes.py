"""One rank of the job that test_two_processes.py launches: train on FixedGame, and let rank 0 write what came of it.

python -m torch.distributed.run --nproc_per_node 2 -m tests.learner.two_processes BASE FOLDER JSON_SETTINGS
"""

import json
import sys
from pathlib import Path

import torch
from accelerate.state import AcceleratorState
from transformers import TrainerCallback

from selfplay.learner.checkpoint_names import whole_checkpoints
from selfplay.learner.loss_mix import LossMix
from selfplay.learner.ranks import end_processes, start_processes
from selfplay.policy import Policy
from tests.learner.harness import OF_TRAINER, PROBE, ROLES, FixedGame, arguments, gradients, make_trainer, values


class Gradients(TrainerCallback):
    """Every optimizer step's gradients, as they are when the optimizer sees them. DeepSpeed has taken them by then."""

    def __init__(self, policy):
        self.policy = policy
        self.steps = []

    def on_pre_optimizer_step(self, args, state, control, **_):
        self.steps.append(gradients(self.policy))


def train(base: str, folder: Path, empty=(), resume=False, adapters="per_role", dropout=0.0, **settings) -> None:
    AcceleratorState._reset_state()  # of the run before, in this same process
    own = {name: settings.pop(name) for name in OF_TRAINER if name in settings}
    if "mix" in own:
        own["mix"] = LossMix(ROLES, windows=3, mix=own["mix"])
    args = arguments(folder, weight_decay=0.01, **settings)  # before the policy: it may be spread while it is loaded
    policy = Policy.build(base=base, roles=ROLES, adapters=adapters, rank=4, alpha=8, seed=0, dropout=dropout)
    game = FixedGame(policy.model.config.vocab_size, periods={"proposer": 2}, empty=empty)
    trainer = make_trainer(policy, folder, game=game, per_window=4, args=args, **own)
    recorded = Gradients(policy)
    trainer.add_callback(recorded)
    checkpoint = str(whole_checkpoints(folder / "checkpoints")[0]) if resume else None
    trainer.train(resume_from_checkpoint=checkpoint)
    found = {"gradients": recorded.steps, "values": values(policy), "memory": game.memory, "world": args.world_size}
    found |= {"steps": trainer.state.global_step, "digest": policy.base_digest()}
    found["logits"] = {role: logits(trainer, role) for role in ROLES}
    policy.save(folder / "adapters", write=args.should_save)
    if args.process_index == 0:
        torch.save(found, folder / ("resumed.pt" if resume else "found.pt"))


@torch.no_grad()
def logits(trainer, role: str) -> torch.Tensor:
    """Of fixed ids, (1, T, V), under a role's adapter. Collective under ZeRO-3."""
    trainer.model.eval()
    trainer.policy.wear(role)
    return trainer.model(torch.tensor([PROBE])).logits


if __name__ == "__main__":
    start_processes()
    for name, settings in json.loads(sys.argv[3]).items():
        train(sys.argv[1], Path(sys.argv[2]) / name.removesuffix("+"), **settings)
    end_processes()
