"""A window's turns -> the micro-batches of its optimizer steps, with everything that a loss will ask of them.

    turns_N --spread, deal over ranks and micro-batches--> {share: turns_R} --count, pad, refer--> {share: tensors}

All ranks hold all turns and cut them alike, so nobody has to be asked. Shapes agree between ranks: every micro-batch
holds every share that any rank has, filled up to the most rows of any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from selfplay.learner.batches import Share, Tensors, deal, learnable, spread, tensors
from selfplay.learner.normalisation import StepCounts, correction
from selfplay.policy import Policy
from selfplay.types import Turn

Batch = dict[Share, Tensors]


@dataclass(frozen=True)
class Updates:
    """How windows are cut. ``logprobs`` scores rows under whatever adapter is worn, in eval mode: (R, T) nats."""

    policy: Policy
    kl: Mapping[str, float]  # of every learning role: weight of the KL term to the bare base
    loss_type: str
    per_window: int
    micro_batches: int
    rank: int
    world: int
    twins: bool  # whether rows that say the same are computed once
    logprobs: Callable[[Tensors], torch.Tensor]

    def of(self, turns_N: Sequence[Turn]) -> list[list[Batch]]:
        """``per_window`` lists of ``micro_batches`` batches, from the turns of all ranks; this rank's part of them."""
        learning = learnable(turn for turn in turns_N if turn.role in self.kl)  # a frozen role only plays
        parts = {share: spread(turns, self.per_window) for share, turns in learning.items()}
        # A learning role is always there, whether it said anything or not.
        shares = sorted({Share(role, "reinforce") for role in self.kl} | set(learning))
        updates = []
        for update in range(self.per_window):
            batches: list[Batch] = [{} for _ in range(self.micro_batches)]
            for share in shares:
                turns = parts[share][update] if share in parts else []
                for batch, rows in zip(batches, self._rows(share, turns), strict=True):
                    batch[share] = rows
            updates.append(batches)
        return updates

    def kl_of(self, share: Share) -> float:
        """Imitated turns have no KL term."""
        return self.kl[share.role] if share.objective == "reinforce" else 0.0

    def _rows(self, share: Share, turns_N: Sequence[Turn]) -> list[Tensors]:
        """One share's tensors for each micro-batch of one update."""
        # A row with no advantage and no KL has no gradient: it is counted, never computed.
        alive = [turn for turn in turns_N if turn.advantage != 0.0 or self.kl_of(share)]
        dealt = deal(alive, self.world, self.micro_batches, self.twins)
        counts = StepCounts(
            rows=len(turns_N),
            tokens=sum(len(turn.text_ids or ()) for turn in turns_N),
            micro_batches=self.micro_batches,
            world=self.world,
        )
        return [
            self._one(share, turns_R, counts, [len(of_rank[number]) for of_rank in dealt])
            for number, turns_R in enumerate(dealt[self.rank])
        ]

    def _one(self, share: Share, turns_R: Sequence[Turn], counts: StepCounts, sizes: Sequence[int]) -> Tensors:
        """One micro-batch; ``sizes`` are its rows on every rank."""
        padded = max(1, *sizes)
        rows = tensors(turns_R, padded, self.policy.tokenizer.pad_token_id)
        factor = correction(self.loss_type, counts, padded, int(rows["completion_mask"].sum()))
        rows["num_items_in_batch"] = torch.tensor(float(counts.tokens))
        rows["correction"] = torch.tensor(factor)
        rows["real_rows"] = torch.tensor(sum(sizes))
        # What must be measured before the first update moves the weights:
        if self.per_window > 1 and share.objective == "reinforce":
            self.policy.wear(share.role)
            rows["old_per_token_logps"] = self.logprobs(rows)
        if self.kl_of(share):
            with self.policy.bare():
                rows["ref_per_token_logps"] = self.logprobs(rows)
        return rows
