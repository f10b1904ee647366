"""A loss or gradient that is NaN or infinite: the step is skipped, its rows are kept, several in a row end the run.

    loss --see--> loss (all NaN if any of it is not finite) --backward, reduce--> gradients --judge--> step or none

Skipped means exactly that: parameters and Adam's moments stay as they are, on every process, and the window counts as
played. A NaN on one process is a NaN on all of them once gradients are summed over processes, so nobody has to ask.
Without DeepSpeed the gradients are taken away before the optimizer sees them. DeepSpeed steps inside backward and looks
first: ZeRO-1, 2 and 3 drop a step, gradients of its earlier micro-batches included, when the gradient's norm is not
finite (``overflow`` in stage_1_and_2.py and stage3.py of deepspeed 0.19).

A row of bad steps ends the run, not their total: since nothing moved, the next window has the same parameters and other
rows. One bad step blames the rows; several in a row blame the parameters, and no window will mend those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from transformers import TrainerCallback

from selfplay.learner.batches import Share, Tensors
from selfplay.types import Turn

if TYPE_CHECKING:
    from selfplay.learner.trainer import SelfPlayTrainer


class TooManyBadSteps(RuntimeError):
    """Nothing could be learned in a row of steps; the message names the dump and the way on."""


class BadSteps:
    """What one update has shown so far, and how many bad ones there have been in a row.

    Args:
        folder: where dumps go, ``step-000007/rank-0.pt`` and ``.json``; a dump that exists is never overwritten.
        limit: bad steps in a row that end the run; 0 = never.
    """

    def __init__(self, folder: Path, limit: int, rank: int = 0) -> None:
        self.folder, self.limit, self.rank = folder, limit, rank
        self.in_a_row = 0
        self._turns_N: Sequence[Turn] = ()
        self._seen: list[dict[str, Any]] = []

    def window(self, turns_N: Sequence[Turn]) -> None:
        """A new window's turns, of all processes."""
        self._turns_N = turns_N

    def see(self, share: Share, rows: Tensors, loss: torch.Tensor, logprobs_R_T: torch.Tensor) -> torch.Tensor:
        """Note a share's loss; one that is not finite comes back as NaN, so that no gradient of it is."""
        self._seen.append({"share": share, "rows": rows, "loss": loss.detach(), "logprobs": logprobs_R_T})
        return loss if bool(loss.isfinite()) else loss * torch.nan

    def judge(self, bad: bool, step: int) -> str:
        """Close update ``step`` (1 is the first); what to say of it, '' for a good one. The same on every process."""
        seen, self._seen = self._seen, []
        if not bad:
            self.in_a_row = 0
            return ""
        self.in_a_row += 1
        limit = f" of {self.limit}" if self.limit else ""
        try:
            folder = self._dump(step, seen).parent
            kept = f"its rows are in {folder}"
        except OSError as error:  # one rank's full disk must not end the others
            kept = f"its rows could not be kept ({error})"
        return (
            f"loss or gradient is not finite: nothing was learned from this step (bad step {self.in_a_row}{limit} in a "
            f"row); {kept}."
        )

    @property
    def too_many(self) -> bool:
        return bool(self.limit) and self.in_a_row >= self.limit

    def complain(self, saved: Path | None) -> None:
        """Raises TooManyBadSteps when the run was ended for them."""
        if self.too_many:
            raise TooManyBadSteps(
                f"stopped: learner.bad_steps={self.limit} steps in a row had a loss or gradient that is not finite. "
                f"Their rows are in {self.folder}; the parameters that they left alone are in {saved}. "
                "Lower learner.lr or mend the game."
            )

    def state_dict(self) -> dict[str, Any]:
        return {"in_a_row": self.in_a_row}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.in_a_row = state["in_a_row"]

    def _dump(self, step: int, seen: Sequence[Mapping[str, Any]]) -> Path:
        """This process's rows, losses and log-probabilities, and everybody's turns; a readable summary beside them."""
        folder = self.folder / f"step-{step:06d}"
        path, again = folder / f"rank-{self.rank}.pt", 1
        while path.exists():  # an earlier attempt at the same step
            path, again = folder / f"rank-{self.rank}.{again}.pt", again + 1
        folder.mkdir(parents=True, exist_ok=True)
        turns = [asdict(turn) for turn in self._turns_N]
        torch.save({"step": step, "turns": turns, "micro_batches": [_plain(one) for one in seen]}, path)
        summary = {
            "step": step,
            "losses": [{"share": "/".join(one["share"]), "loss": str(one["loss"].item())} for one in seen],
            "bad_rows": [_bad_rows(one) for one in seen],
            "turns": turns,
        }
        path.with_suffix(".json").write_text(json.dumps(summary, indent=1, ensure_ascii=False), encoding="utf-8")
        return path


class BadStepCallback(TrainerCallback):
    """Looks at the gradients between backward and the optimizer's step."""

    def __init__(self, trainer: SelfPlayTrainer) -> None:
        self.trainer = trainer

    def on_pre_optimizer_step(self, args, state, control, **_):
        trainer = self.trainer
        sharded = trainer.is_deepspeed_enabled
        bad = cast(Any, trainer.model_wrapped).optimizer.overflow if sharded else not _finite(trainer)
        if warning := trainer.bad_steps.judge(bool(bad), state.global_step + 1):
            trainer.journal.warn(trainer.windows + 1, warning)
            if sharded:
                cast(Any, trainer.lr_scheduler).step()  # left out where DeepSpeed skipped; resting roles need it
            else:
                for group in trainer.optimizer.param_groups:
                    for parameter in group["params"]:
                        parameter.grad = None

    def on_step_end(self, args, state, control, **_):
        bad_steps = self.trainer.bad_steps
        if bad_steps.too_many and state.global_step % self.trainer.updates_per_window == 0:
            control.should_save = True
            control.should_training_stop = True
        elif bad_steps.in_a_row and state.global_step < state.max_steps:
            control.should_save = False  # nothing has moved, and an older checkpoint may be the one to go back to


def _finite(trainer: SelfPlayTrainer) -> bool:
    parameters = [parameter for group in trainer.optimizer.param_groups for parameter in group["params"]]
    largest = [parameter.grad.abs().max() for parameter in parameters if parameter.grad is not None]
    return not largest or bool(torch.stack(largest).isfinite().all())


def _plain(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "share": tuple(one["share"]), "logprobs": one["logprobs"].cpu(), "loss": one["loss"].cpu()}


def _bad_rows(one: Mapping[str, Any]) -> list[int]:
    """Rows of a micro-batch whose advantage or log-probabilities under the learner are not finite."""
    mask_R_T = one["rows"]["completion_mask"].bool().cpu()
    unknown_R = (~one["logprobs"].cpu().isfinite() & mask_R_T).any(dim=1)
    return torch.nonzero(unknown_R | ~one["rows"]["advantages"].cpu().isfinite()).flatten().tolist()
