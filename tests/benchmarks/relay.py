"""One contender: equal rows learned by one role or by three. Settings as JSON, e.g.

    {"folder": "runs/bench/relay", "roles": 3, "sampled": true}

A window is three rounds of 12 prompts, 4 answers each (144 rows), whoever speaks: with one role all rounds are its own,
with three each has one. ``sampled`` draws the answers with the real sampler; otherwise they are 32 token ids from a
fixed row of chance, so that the update is nearly all there is to time.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfplay.quiet import quieten
from selfplay.types import Episode, Sampler, Seed, Turn
from tests.benchmarks.ours import watch
from tests.benchmarks.turnstile import Turnstile, rss_mib

ROUNDS, PROMPTS, ANSWERS, TOKENS = 3, 12, 4, 32
NAMES = ("first", "second", "third")


class Relay:
    """Three rounds a window; paid by a fair coin, so that no group is dead."""

    periods: Mapping[str, int] = {}

    def __init__(self, roles: int, sampled: bool) -> None:
        self.roles = NAMES[:roles]
        self.sampled = sampled
        self.rows_per_seed = dict.fromkeys(self.roles, ROUNDS // roles * PROMPTS * ANSWERS)

    def play(self, seeds_B: Sequence[Seed], sampler: Sampler) -> list[Episode]:
        return [Episode(seed, self._turns(seed, sampler)) for seed in seeds_B]

    def _turns(self, seed: Seed, sampler: Sampler) -> list[Turn]:
        chance = random.Random(seed.index)
        turns: list[Turn] = []
        for number in range(ROUNDS):
            role = self.roles[number % len(self.roles)]
            prompts_N = [f"solve {chance.randrange(10, 1000)}+{chance.randrange(10, 1000)}" for _ in range(PROMPTS)]
            answers_N_G = sampler.sample(role, prompts_N, ANSWERS) if self.sampled else _drawn(role, chance)
            for place, answers_G in enumerate(answers_N_G):
                for turn in answers_G:
                    turn.group, turn.rewards = f"{number}/{place}", {"coin": float(chance.random() < 0.5)}
                    turns.append(turn)
        return turns

    def remember(self, episodes: Sequence[Episode]) -> None: ...
    def state_dict(self):
        return {}

    def load_state_dict(self, state): ...


def _drawn(role: str, chance: random.Random) -> list[list[Turn]]:
    def turn(prompt: list[int]) -> Turn:
        text = [chance.randrange(5, 125) for _ in range(TOKENS)]
        return Turn(role, "p", "t", prompt_ids=prompt, text_ids=text, logprobs=[-1.0] * TOKENS)

    prompts_N = [[chance.randrange(5, 125) for _ in range(10)] for _ in range(PROMPTS)]
    return [[turn(prompt) for _ in range(ANSWERS)] for prompt in prompts_N]


def main() -> None:
    settings = json.loads(sys.argv[1])
    quieten()
    from selfplay.policy import Policy
    from selfplay.samplers.hf import HFSampler

    game = Relay(settings["roles"], settings["sampled"])
    policy = Policy.build("small", game.roles)
    trainer = make_trainer(policy, game, HFSampler(policy, TOKENS), Path(settings["folder"]))
    adapters = sum(p.numel() * p.element_size() for name in policy.adapters for _, p in policy.parameters_of(name))
    without_adapters = rss_mib() - adapters / 2**20
    rows = ROUNDS * PROMPTS * ANSWERS
    trainer.add_callback(Turnstile(watch(trainer), lambda: {"rows": rows, "base_mib": without_adapters}))
    trainer.train()


def make_trainer(policy, game: Relay, sampler: Sampler, folder: Path, **arguments):
    from selfplay.guards.alarms import Alarms
    from selfplay.guards.controls import Control
    from selfplay.learner.arguments import training_arguments
    from selfplay.learner.callbacks import StepCallback
    from selfplay.learner.seeds import SeedStream
    from selfplay.learner.trainer import SelfPlayTrainer
    from selfplay.learner.window import Arena
    from selfplay.tracking.journal import Journal
    from selfplay.tracking.run_info import RunInfo

    arena = Arena(
        game=game,
        sampler=sampler,
        seeds=SeedStream(["sums"], 1),
        control=Control("none"),
        alarms=Alarms(),
        scale="group",
        baselines=None,
        run_seed=0,
    )
    steps = 100_000
    args = training_arguments(output_dir=str(folder), max_steps=steps, seed=0, save_every=0, **arguments)
    journal = Journal.silent(folder, RunInfo("relay", 0, steps))
    rates = dict.fromkeys(game.roles, 1e-12)  # nothing moves, so that every window costs the same
    trainer = SelfPlayTrainer(policy, arena, journal, args, lr=rates, kl=dict.fromkeys(game.roles, 0.0))
    trainer.add_callback(StepCallback(trainer))
    return trainer


if __name__ == "__main__":
    main()
