"""A learner without a method: turns with chosen token ids, and the loss computed a second, independent way."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from selfplay.guards.alarms import Alarms
from selfplay.guards.controls import Control
from selfplay.learner.arguments import GRPOConfig, training_arguments
from selfplay.learner.callbacks import StepCallback
from selfplay.learner.seeds import SeedStream
from selfplay.learner.trainer import SelfPlayTrainer
from selfplay.learner.window import Arena
from selfplay.policy import Policy
from selfplay.samplers.scripted import Scripted
from selfplay.tracking.journal import Journal
from selfplay.tracking.run_info import RunInfo
from selfplay.types import Episode, Seed, Turn

ROLES = ("proposer", "solver")
PROBE = list(range(5, 20))  # token ids to compare logits on
OF_TRAINER = ("lr", "kl", "updates_per_window", "keep_checkpoints", "bad_steps", "best", "mix")


class FixedGame:
    """Turns drawn from a generator seeded by the seed's index: ragged lengths, uneven roles, no model needed."""

    def __init__(self, vocabulary: int, periods: Mapping[str, int] | None = None, empty: Sequence[int] = ()) -> None:
        self.roles = ROLES
        self.periods = periods or {}
        self.rows_per_seed = {"proposer": 3, "solver": 6}
        self.vocabulary = vocabulary
        self.empty = empty  # seeds whose episode holds no turn at all
        self.memory: list[int] = []

    def play(self, seeds_B: Sequence[Seed], sampler) -> list[Episode]:
        return [Episode(seed, self._turns(seed)) for seed in seeds_B]

    def _turns(self, seed: Seed) -> list[Turn]:
        rng = random.Random(seed.index)
        if seed.index in self.empty:
            return []
        turns = []
        for role in ROLES:
            for number in range(self.rows_per_seed[role] - rng.randrange(2)):
                ids = [rng.randrange(5, self.vocabulary) for _ in range(rng.randint(1, 9))]
                prompt = [rng.randrange(5, self.vocabulary) for _ in range(rng.randint(1, 6))]
                turn = Turn(role, "p", "t", group=f"{seed.index}/{number % 2}", prompt_ids=prompt, text_ids=ids)
                turn.rewards = {"luck": rng.random()}
                turns.append(turn)
        return turns

    def remember(self, episodes: Sequence[Episode]) -> None:
        self.memory += [episode.seed.index for episode in episodes]

    def state_dict(self):
        return {"memory": self.memory}

    def load_state_dict(self, state):
        self.memory = list(state["memory"])


def arguments(folder: Path, **settings) -> GRPOConfig:
    """Arguments of a short run; ``settings`` are those of ``training_arguments``."""
    plain = {"max_steps": 3, "seed": 0, "save_every": 0, "max_grad_norm": 0.0, "weight_decay": 0.0}
    return training_arguments(output_dir=str(folder), **(plain | settings))


def make_trainer(
    policy: Policy, folder: Path, game=None, per_window: int = 2, args=None, **settings
) -> SelfPlayTrainer:
    """A trainer on ``FixedGame``; ``settings`` are those of SelfPlayTrainer and, without ``args``, of ``arguments``."""
    own = {"lr": 1e-2, "kl": 0.0} | {name: settings.pop(name) for name in OF_TRAINER if name in settings}
    for name in ("lr", "kl"):
        own[name] = own[name] if isinstance(own[name], Mapping) else dict.fromkeys(ROLES, own[name])
    args = args or arguments(folder, **settings)
    arena = Arena(
        game=game or FixedGame(policy.model.config.vocab_size),
        sampler=Scripted({}),
        seeds=SeedStream(["anything"], per_window),
        control=Control("none"),
        alarms=Alarms(),
        scale="group",
        baselines=None,
        run_seed=0,
    )
    trainer = SelfPlayTrainer(policy, arena, Journal.silent(folder, RunInfo("test", 0, 3)), args, **own)
    trainer.add_callback(StepCallback(trainer))
    return trainer


def reference_loss(
    policy: Policy,
    turns_N: Sequence[Turn],
    kl: Mapping[str, float],
    unbiased_kl: bool = False,
    weights: Mapping[str, float] | None = None,
) -> torch.Tensor:
    """GRPO on policy with a token mean over each role, one turn at a time, from full logits: the oracle.

    ``weights`` of the roles in the sum; None = 1 each.
    """
    total = torch.zeros(())
    for role in ROLES:
        rows = [turn for turn in turns_N if turn.role == role and turn.objective == "reinforce"]
        tokens = sum(len(turn.text_ids or ()) for turn in rows)
        for turn in rows:
            policy.wear(role)
            now = turn_logprobs(policy, turn)
            with policy.bare(), torch.no_grad():
                base = turn_logprobs(policy, turn)
            ratio = torch.exp(now - now.detach())  # 1, with a gradient
            gain = turn.advantage * ratio
            penalty = kl[role] * (torch.exp(base - now) - (base - now) - 1) * (ratio if unbiased_kl else 1)
            total = total - (weights or {}).get(role, 1.0) * (gain - penalty).sum() / tokens
    return total


def turn_logprobs(policy: Policy, turn: Turn) -> torch.Tensor:
    """(T,) nats of the turn's text under whatever is worn."""
    prompt, text = turn.prompt_ids or [], turn.text_ids or []
    logits = policy.model(torch.tensor([prompt + text])).logits[0, len(prompt) - 1 : -1]
    return logits.log_softmax(-1).gather(1, torch.tensor(text)[:, None])[:, 0]


def gradients(policy: Policy) -> dict[str, torch.Tensor]:
    """Of all learning parameters; a missing gradient counts as zero."""
    named = [pair for adapter in policy.adapters for pair in policy.parameters_of(adapter)]
    return {name: (p.grad if p.grad is not None else torch.zeros_like(p)).clone() for name, p in named}


def values(policy: Policy) -> dict[str, torch.Tensor]:
    """Copies of all learning parameters. Collective under ZeRO-3."""
    named = [pair for adapter in policy.adapters for pair in policy.parameters_of(adapter)]
    with policy.gathered([parameter for _, parameter in named]):
        return {name: parameter.detach().clone() for name, parameter in named}
