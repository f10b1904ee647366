"""One rank of a job whose disk takes no more, on one rank only: for real, by a limit that the kernel sets on files.

python -m torch.distributed.run --nproc_per_node 2 -m tests.learner.full_disk BASE FOLDER
"""

import json
import os
import resource
import sys
from pathlib import Path

from transformers import TrainerCallback

from selfplay.learner.checkpoint_names import CheckpointError, latest_checkpoint
from selfplay.learner.ranks import end_processes, gather_objects, start_processes
from selfplay.policy import Policy
from tests.learner.harness import ROLES, FixedGame, make_trainer

BYTES = 4096  # less than any optimizer, adapter or random state


class FullDisk(TrainerCallback):
    """From the second step on, no file of this process can grow beyond BYTES."""

    def on_step_end(self, args, state, control, **_):
        if state.global_step == 2:
            limit_files(BYTES)


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def trainer_of(base: str, folder: Path):
    policy = Policy.build(base=base, roles=ROLES, rank=4, alpha=8, seed=0)
    game = FixedGame(policy.model.config.vocab_size)
    return make_trainer(policy, folder, game=game, per_window=4, max_steps=3, save_every=1)


def fail_and_go_on(base: str, folder: Path, failing: int) -> dict:
    """What every rank was told, what was left, and whether a resume then came to the end."""
    trainer = trainer_of(base, folder)
    if trainer.args.process_index == failing:
        trainer.add_callback(FullDisk())
    said = None
    try:
        trainer.train()
    except CheckpointError as error:
        said = str(error)
    limit_files(resource.RLIM_INFINITY)
    told = gather_objects(said)
    left = sorted(path.name for path in (folder / "checkpoints").iterdir())
    gather_objects(None)
    resumed = trainer_of(base, folder)
    resumed.train(resume_from_checkpoint=str(latest_checkpoint(folder / "checkpoints")))
    return {"told": told, "left": left, "steps": resumed.state.global_step}


if __name__ == "__main__":
    start_processes()
    found = {f"rank {rank}": fail_and_go_on(sys.argv[1], Path(sys.argv[2]) / f"rank-{rank}", rank) for rank in (0, 1)}
    if os.environ["RANK"] == "0":
        (Path(sys.argv[2]) / "found.json").write_text(json.dumps(found))
    end_processes()
