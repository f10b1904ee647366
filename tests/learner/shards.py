"""One rank of a job under DeepSpeed: four steps, the last two again from the checkpoint between, and a rank whose disk
takes no more.

    accelerate launch --config_file launch/accelerate/zero2.yaml --num_processes 2 -m tests.learner.shards BASE FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

from selfplay.learner.checkpoint_names import CheckpointError
from selfplay.learner.durable import fault, set_aside
from selfplay.learner.ranks import end_processes, gather_objects, start_processes
from selfplay.policy import Policy
from tests.learner.full_disk import FullDisk
from tests.learner.harness import ROLES, FixedGame, arguments, make_trainer


def trainer_of(base: str, folder: Path):
    AcceleratorState._reset_state()
    args = arguments(folder, max_steps=4, save_every=2, max_grad_norm=1.0, lr_scheduler="linear", weight_decay=0.01)
    policy = Policy.build(base=base, roles=ROLES, rank=4, alpha=8, seed=0)
    game = FixedGame(policy.model.config.vocab_size, periods={"proposer": 2})
    return make_trainer(policy, folder, game=game, per_window=4, args=args, kl=0.1, keep_checkpoints=0)


def resumed(base: str, folder: Path) -> dict:
    checkpoints = folder / "checkpoints"
    trainer = trainer_of(base, folder)
    trainer.train()
    if trainer.args.process_index == 0:
        set_aside(checkpoints / "step-000004")
    gather_objects(None)
    trainer_of(base, folder).train(resume_from_checkpoint=str(checkpoints / "step-000002"))
    one, other = checkpoints / "step-000004.1", checkpoints / "step-000004"
    files = sorted(str(path.relative_to(other)) for path in other.rglob("*") if path.is_file())
    return {"equal": _values(one) == _values(other), "fault": fault(other), "files": files,
            "launched": json.loads((other / "state.json").read_text())["launched"]}  # fmt: skip


def refused(base: str, folder: Path) -> dict:
    trainer = trainer_of(base, folder)
    if trainer.args.process_index == 1:
        trainer.add_callback(FullDisk())
    said = ""
    try:
        trainer.train()
    except CheckpointError as error:
        said = str(error)
    return {"told": gather_objects(said), "left": [path.name for path in (folder / "checkpoints").iterdir()]}


def _values(checkpoint: Path) -> dict[str, list]:
    found: dict[str, torch.Tensor] = {}
    for file in sorted((checkpoint / "adapters").glob("*/*.safetensors")):
        found |= {f"{file.parent.name}/{name}": tensor for name, tensor in load_file(file).items()}
    return {name: tensor.tolist() for name, tensor in found.items()}


if __name__ == "__main__":
    start_processes()
    root = Path(sys.argv[2])
    results = {"resumed": resumed(sys.argv[1], root / "whole"), "refused": refused(sys.argv[1], root / "full")}
    if torch.distributed.get_rank() == 0:
        (root / "found.json").write_text(json.dumps(results))
    end_processes()
