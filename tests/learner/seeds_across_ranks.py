"""One rank of the job that test_seeds_across_ranks.py launches: SQLM itself, played by a script that knows no rank.

python -m torch.distributed.run --nproc_per_node 2 -m tests.learner.seeds_across_ranks BASE FOLDER
"""

import hashlib
import json
import os
import sys
from dataclasses import replace
from itertools import compress
from pathlib import Path

from selfplay.advantages import RoleBaselines
from selfplay.domains.arithmetic import Arithmetic
from selfplay.games.sqlm import SQLM
from selfplay.guards.gate import TaskGate
from selfplay.learner import trainer as learner
from selfplay.learner.ranks import end_processes, start_processes
from selfplay.policy import Policy
from selfplay.samplers.prompts import encode
from selfplay.types import Turn
from tests.learner.harness import ROLES, make_trainer

CASES = {
    "group": {},
    "batch": {"scale": "batch"},
    "role_ema": {"scale": "none", "role_ema": True},
    "two_updates": {"updates_per_window": 2, "kl": 0.1},
    "ranks_reversed": {"reverse": True},
}
WINDOWS, SEEDS = 3, 4
TOPICS = [f"topic {number}" for number in range(6)]  # window 1 plays on rank 1 what window 0 played on rank 0


class Script:
    """What is said follows from the prompt and the sample's number alone; some of it twice, some of it wrong."""

    def __init__(self, policy):
        self.tokenizer = policy.tokenizer

    def begin(self, *key): ...

    def sample(self, role, prompts_N, n=1, *, temperature=None):
        ids_N = encode(self.tokenizer, prompts_N, 1 << 20)
        return [
            [self._turn(role, prompt, ids, k) for k in range(n)] for prompt, ids in zip(prompts_N, ids_N, strict=True)
        ]

    def _turn(self, role, prompt, prompt_ids, k):
        chance = int.from_bytes(hashlib.sha256(f"{role}/{prompt}/{k}".encode()).digest()[:4], "big")
        text = f"{chance % 90}+{chance // 90 % 90}" if role == "proposer" else f">{chance % 3}"
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return Turn(role, prompt, text, prompt_ids=prompt_ids, text_ids=[*ids, 1], logprobs=[-1.0] * (len(ids) + 1))


def train(base, folder, scale="group", role_ema=False, reverse=False, updates_per_window=1, kl=0.0):
    """Everything a rank saw, window by window, and what it learned from; as plain JSON."""
    policy = Policy.build(base=str(base), roles=ROLES, rank=4, alpha=8, seed=0)
    domain = Arithmetic()
    game = SQLM(domain, TaskGate(domain, max_level=3), proposals=3, answers=4, min_votes=2, proposer_period=1)
    steps = WINDOWS * updates_per_window
    trainer = make_trainer(policy, folder, game, SEEDS, max_steps=steps, updates_per_window=updates_per_window, kl=kl)
    baselines = RoleBaselines() if role_ema else None
    arena = trainer.arena
    arena.seeds.topics = TOPICS
    trainer.arena = replace(arena, sampler=Script(policy), scale=scale, baselines=baselines)
    windows = []
    play = learner.play_window

    def played(arena, number, rank, world, gather):
        def reversing(mine):
            return gather(mine)[::-1]

        window = play(arena, number, rank, world, reversing if reverse else gather)
        windows.append(
            {
                "seeds": [episode.seed.index for episode in window.everyone],
                "turns": [[turn.role, turn.group, turn.text, turn.reward, turn.advantage] for turn in window.turns_N],
                "duplicates": [episode.facts["rejected_duplicate"] for episode in window.everyone],
                "asked": list(game.state_dict()["gate"]["asked"]),
                "means": dict(baselines.means) if baselines else {},
                "measures": window.measures,
            }
        )
        return window

    learner.play_window = played
    learned = []
    cut = trainer._cut.of

    def cutting(turns_N):
        updates = cut(turns_N)
        learned.append([sorted(said(rows) for rows in batches[0].values()) for batches in updates])
        return updates

    object.__setattr__(trainer._cut, "of", cutting)
    try:
        trainer.train()
    finally:
        learner.play_window = play
    values = [p.detach().flatten().tolist() for name in policy.adapters for _, p in policy.parameters_of(name)]
    return {"windows": windows, "learned": learned, "values": values, "world": trainer.args.world_size}


def said(rows):
    """The real rows of a share: token ids of the prompt, of the text, and the advantage."""
    prompts, texts = (rows[f"{part}_ids"].tolist() for part in ("prompt", "completion"))
    seen, spoken = (rows[f"{part}_mask"].tolist() for part in ("prompt", "completion"))
    columns = zip(prompts, seen, texts, spoken, rows["advantages"].tolist(), strict=True)
    return sorted(
        [list(compress(prompt, visible)), list(compress(text, mask)), advantage]
        for prompt, visible, text, mask, advantage in columns
        if any(mask)
    )


def main(base: str, folder: Path) -> dict:
    return {name: train(base, folder / name, **settings) for name, settings in CASES.items()}


if __name__ == "__main__":
    start_processes()
    found = main(sys.argv[1], Path(sys.argv[2]))
    (Path(sys.argv[2]) / f"rank{os.environ['RANK']}.json").write_text(json.dumps(found))
    end_processes()
