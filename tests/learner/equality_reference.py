"""The oracle of the equality table: GRPO's losses on one process, one turn at a time, from full logits. No TRL.

It computes in double precision, so that what is measured is the learner's rounding alone. It shares with the learner
the base, the adapters (put on by ``Policy``) and the advantages; the losses are written out from their papers, the
optimizer is torch's own, and the arithmetic of ranks, micro-batches and fill rows is not there: a role's loss is
divided by the rows or tokens that exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from selfplay.advantages import assign_advantages
from selfplay.learner.seeds import SeedStream
from selfplay.policy import Policy
from selfplay.types import Turn
from tests.learner.equality_cells import ADAMW_RATE, EMPTY, KL, SEEDS_PER_WINDOW, SGD_MOVES, STEPS, Cell
from tests.learner.harness import ROLES, FixedGame, turn_logprobs, values

MAX_LENGTH = 1024  # divisor of dr_grpo: training_arguments' own default
EPSILONS = (0.02, 0.021, 0.022, 0.023, 0.024)
TIE = 2e-5  # nearer to the end of the clip range, rounding decides whether a token has a gradient
Values = dict[str, torch.Tensor]


@dataclass
class Run:
    """What a run came to. ``steps``: parameter values before the first step and after each, by name."""

    steps: list[Values] = field(default_factory=list)
    rate: float = ADAMW_RATE
    epsilon: float = 0.0
    clipped: int = 0  # tokens whose gradient the clip range took away
    tokens: int = 0
    nearest: float = float("inf")  # least distance of a ratio to the end of the clip range that could stop it


def fresh_policy(base: str, cell: Cell) -> Policy:
    """Adapters whose B is not zero, so that wearing the wrong one shows."""
    policy = Policy.build(base, ROLES, adapters=cell.adapters, rank=4, alpha=8, checkpointing=cell.checkpointing)
    generator = torch.Generator().manual_seed(1)
    for adapter in policy.adapters:
        for _, parameter in policy.parameters_of(adapter):
            parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    return policy


def train(base: str, cell: Cell) -> Run:
    """The cell's four optimizer steps, with a clip range that no ratio ties with."""
    for epsilon in EPSILONS:
        run = _train(base, cell, epsilon)
        if run.nearest > TIE:
            return run
    raise AssertionError(f"{cell.key}: a ratio ties with every clip range of {EPSILONS}")


def _train(base: str, cell: Cell, epsilon: float) -> Run:
    policy = fresh_policy(base, Cell(adapters=cell.adapters))
    policy.model.double()
    groups = [{"params": [p for _, p in policy.parameters_of(name)]} for name in policy.adapters]
    learning = [p for group in groups for p in group["params"]]
    adamw = {"weight_decay": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}
    optimizer = torch.optim.AdamW(groups, **adamw) if cell.optimizer == "adamw" else torch.optim.SGD(groups)
    run = Run([values(policy)], epsilon=epsilon)
    for step in range(STEPS):
        window, update = divmod(step, cell.updates)
        if not update:
            turns_W = turns_of_window(policy, cell, window)
            old_W = [_old_and_base(policy, turn) for turn in turns_W]
        chosen = chosen_for(turns_W, cell, window, update)
        optimizer.zero_grad()
        _loss(policy, cell, [(turns_W[at], *old_W[at]) for at in chosen], run).backward()
        if cell.max_grad_norm:
            torch.nn.utils.clip_grad_norm_(learning, cell.max_grad_norm)
        if cell.optimizer == "sgd" and not step:
            run.rate = SGD_MOVES / max(float(p.grad.abs().max()) for p in learning)
        roles = {turns_W[at].role for at in chosen}
        for adapter, group in zip(policy.adapters, optimizer.param_groups, strict=True):
            group["lr"] = run.rate if any(policy.adapter_of[role] == adapter for role in roles) else 0.0
        optimizer.step()
        run.steps.append(values(policy))
    return run


def turns_of_window(policy: Policy, cell: Cell, window: int) -> list[Turn]:
    """All ranks' turns in seed order, with advantages."""
    game = FixedGame(policy.model.config.vocab_size, cell.periods, EMPTY)
    episodes = game.play(SeedStream(["anything"], SEEDS_PER_WINDOW).window(window), None)
    turns = [turn for episode in episodes for turn in episode.turns]
    assign_advantages(turns, scale="group")
    return turns


def chosen_for(turns_W: Sequence[Turn], cell: Cell, window: int, update: int) -> list[int]:
    """Positions of the turns that one update learns from: every role's, shared out in turn."""
    taken: dict[str, list[int]] = {}
    for at, turn in enumerate(turns_W):
        if window % cell.periods.get(turn.role, 1) == 0:
            taken.setdefault(turn.role, []).append(at)
    return sorted(at for places in taken.values() for at in places[update :: cell.updates])


@torch.no_grad()
def _old_and_base(policy: Policy, turn: Turn) -> tuple[torch.Tensor, torch.Tensor]:
    policy.wear(turn.role)
    old = turn_logprobs(policy, turn)
    with policy.bare():
        return old, turn_logprobs(policy, turn)


def _loss(policy: Policy, cell: Cell, rows: Sequence[tuple[Turn, torch.Tensor, torch.Tensor]], run: Run):
    total = 0 * sum(p.sum() for adapter in policy.adapters for _, p in policy.parameters_of(adapter))
    for role in ROLES:
        own = [row for row in rows if row[0].role == role]
        tokens = sum(len(turn.text_ids or ()) for turn, _, _ in own)
        for turn, old, base in own:
            policy.wear(role)
            now = turn_logprobs(policy, turn)
            loss_T = LOSSES[cell.loss](now, old, turn.advantage, run.epsilon)
            if cell.kl:
                loss_T = loss_T + KL[role] * (torch.exp(base - now) - (base - now) - 1)
            total = total + _mean(cell.loss, loss_T, len(own), tokens)
            ratio_T = torch.exp(now - old).detach()
            beyond_T = ratio_T > 1 + run.epsilon if turn.advantage > 0 else ratio_T < 1 - run.epsilon
            run.clipped += int(beyond_T.sum()) if turn.advantage else 0
            edge = 1 + run.epsilon if turn.advantage > 0 else 1 - run.epsilon
            run.nearest = min(run.nearest, float((ratio_T - edge).abs().min()))
            run.tokens += len(ratio_T)
    return total


def _mean(loss: str, loss_T: torch.Tensor, rows: int, tokens: int) -> torch.Tensor:
    """One row's part of the role's loss: of a mean over rows or over tokens."""
    if loss in ("grpo", "sapo"):
        return loss_T.mean() / rows
    if loss == "luspo":
        return loss_T.sum() / rows
    return loss_T.sum() / (rows * MAX_LENGTH if loss == "dr_grpo" else tokens)


def _clipped(now, old, advantage, epsilon):
    """PPO's clipped surrogate (arXiv 1707.06347)."""
    ratio = torch.exp(now - old)
    return -torch.minimum(ratio * advantage, ratio.clamp(1 - epsilon, 1 + epsilon) * advantage)


def _cispo(now, old, advantage, epsilon):
    """A capped weight without gradient on the log-likelihood (arXiv 2506.13585); TRL caps at epsilon itself."""
    return -torch.exp(now - old).clamp(max=epsilon).detach() * advantage * now


def _sapo(now, old, advantage, epsilon):
    """A sigmoid instead of a clip (arXiv 2511.20347), temperatures 1 and 1.05."""
    heat = 1.0 if advantage > 0 else 1.05
    return -4 / heat * torch.sigmoid(heat * (torch.exp(now - old) - 1)) * advantage


def _vespo(now, old, advantage, epsilon):
    """A gamma-shaped weight of the whole sequence's ratio on the log-likelihood; k, lambda are TRL's defaults."""
    k, rate = (2.0, 3.0) if advantage >= 0 else (3.0, 2.0)
    log_w = (now - old).sum().detach()
    return -torch.exp(rate + k * log_w - rate * log_w.exp()) * advantage * now


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    **dict.fromkeys(("dapo", "grpo", "bnpo", "dr_grpo", "luspo"), _clipped),
    "cispo": _cispo,
    "sapo": _sapo,
    "vespo": _vespo,
}
