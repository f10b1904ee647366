"""The cells of the equality table: what is trained on two processes and compared with the single-process reference.

A cell is one training run of four optimizer steps, two micro-batches each, on ``FixedGame``: ragged lengths, roles with
unequal rows, groups of one, a rank that has nothing to say in the first window, another with half of its seeds silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product

STRATEGIES = {"DDP": "ddp", "ZeRO-1": "zero1", "ZeRO-2": "zero2", "ZeRO-3": "zero3"}
"""Name in the table -> launch/accelerate/<file>.yaml."""

STEPS = 4
MICRO_BATCHES = 2
SEEDS_PER_WINDOW = 4
WORLD = 2
EMPTY = (2, 3, 12)  # seeds whose episode is empty: all that rank 1 has in window 0, half of rank 0's in window 3
KL = {"proposer": 0.3, "solver": 0.1}
OPTIMIZERS = ("sgd", "adamw")
ADAMW_RATE = 2e-3
SGD_MOVES = 0.1  # plain SGD's rate lets the most moved parameter of the reference's first step move this far
ADAPTERS = ("shared", "per_role")
GRID_LOSSES = ("dapo", "grpo", "bnpo")
OTHER_LOSSES = ("cispo", "dr_grpo", "luspo", "sapo", "vespo")


@dataclass(frozen=True)
class Cell:
    """One run; every field but ``optimizer``, ``checkpointing`` and ``fault`` changes what the reference computes."""

    adapters: str = "per_role"
    loss: str = "dapo"
    kl: bool = False
    checkpointing: bool = False
    optimizer: str = "sgd"
    updates: int = 2  # optimizer steps on one window: the second meets old log-probabilities and the clip range
    max_grad_norm: float = 0.0
    periods: Mapping[str, int] = field(default_factory=dict)  # a role that learns in every k-th window only
    fault: str = ""  # planted on purpose; see equality_faults.py

    @property
    def name(self) -> str:
        """As in the table's first column: ``per_role dapo kl checkpointing``."""
        words = [self.adapters, self.loss]
        words += ["kl"] * self.kl + ["checkpointing"] * self.checkpointing
        words += ["one-update"] * (self.updates == 1) + ["norm-clipped"] * (self.max_grad_norm > 0)
        words += ["resting"] * bool(self.periods) + [f"FAULT:{self.fault}"] * bool(self.fault)
        return " ".join(words)

    @property
    def key(self) -> str:
        return f"{self.name} {self.optimizer}"


def both(cell: Cell) -> list[Cell]:
    """The cell with plain SGD, whose movement is the gradient, and with AdamW, which tells other faults."""
    return [replace(cell, optimizer=optimizer) for optimizer in OPTIMIZERS]


def table() -> list[Cell]:
    """Every cell of one strategy."""
    grid = [
        Cell(adapters, loss, kl, checkpointing)
        for adapters, loss, kl, checkpointing in product(ADAPTERS, GRID_LOSSES, (False, True), (False, True))
    ]
    # TRL caps cispo's weight at epsilon itself: a KL term beside it would be nearly the whole gradient, and a small one
    more = [Cell(loss=loss, kl=loss != "cispo") for loss in OTHER_LOSSES] + EXTRA
    return [cell for plain in grid + more for cell in both(plain)]


EXTRA = [
    Cell(kl=True, updates=1),
    Cell(kl=True, max_grad_norm=0.05),
    Cell(kl=True, updates=1, periods={"proposer": 2}),
]
