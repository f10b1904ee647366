"""What a role's loss must be multiplied by, so that no count of ranks, micro-batches or fill rows changes the gradient.

TRL divides each loss type by something of its own (`GRPOTrainer._compute_loss`, 1.16), the Trainer averages over
ranks, and micro-batches add up. What we want is one number for the whole optimizer step:

| loss types         | wanted divisor, all ranks | TRL's divisor in a micro-batch on one rank      | by itself |
| ------------------ | ------------------------- | ----------------------------------------------- | --------- |
| dapo, cispo, vespo | tokens of the role        | the same, handed over as ``num_items_in_batch`` | invariant |
| bnpo               | tokens of the role        | its own tokens x micro-batches                  | not       |
| grpo, sapo, luspo  | rows of the role          | own rows, FILL ROWS INCLUDED, x micro-batches   | not       |
| dr_grpo            | rows x max length         | as grpo, x max length                           | not       |

The first three are told a count of the whole step, so that a token weighs the same wherever it lies. The others
divide by what one micro-batch on one rank holds: a mean of means, in which a row on a rank with few rows, or a token
beside few others, weighs more, and a fill row as much as a real one (gradients off by up to 37 %, measured in the
design of this package). ``correction`` puts the step's divisor in its place. With it all eight agree with a single
process: launch/equality.md.
"""

from __future__ import annotations

from dataclasses import dataclass

TOKEN_NORMALISED = frozenset({"dapo", "cispo", "vespo"})
ROW_NORMALISED = frozenset({"grpo", "dr_grpo", "sapo", "luspo"})
LOSS_TYPES = TOKEN_NORMALISED | ROW_NORMALISED | {"bnpo"}


@dataclass(frozen=True, slots=True)
class StepCounts:
    """Counts of one share over one optimizer step: all ranks, all micro-batches, rows left out for speed included."""

    rows: int
    tokens: int
    micro_batches: int
    world: int


def correction(loss_type: str, counts: StepCounts, padded_rows: int, local_tokens: int) -> float:
    """The factor for one micro-batch on one rank; 0 where the share has no row anywhere.

    Args:
        loss_type: one of ``LOSS_TYPES``.
        counts: over the whole optimizer step.
        padded_rows: rows of this micro-batch on this rank, fill rows included.
        local_tokens: completion tokens of this micro-batch on this rank.

    >>> correction("dapo", StepCounts(rows=6, tokens=60, micro_batches=1, world=2), 4, 30)
    1.0
    >>> correction("grpo", StepCounts(rows=6, tokens=60, micro_batches=1, world=2), 4, 30)  # 8 rows, 2 of them fill
    1.3333333333333333
    """
    if counts.rows == 0 or counts.tokens == 0:
        return 0.0
    if loss_type in TOKEN_NORMALISED:
        return 1.0
    spread = counts.micro_batches * counts.world
    if loss_type in ROW_NORMALISED:
        return padded_rows * spread / counts.rows
    return local_tokens * spread / counts.tokens
