"""Learning rates and weight decay after a resume: the recipe's, where a change was allowed, and not the checkpoint's.

Optimizer and scheduler bring theirs along: without this a changed ``learner.lr`` would be without effect, unsaid.
Where nothing has changed, nothing changes, to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.optim.lr_scheduler import LambdaLR
from transformers import TrainerCallback

if TYPE_CHECKING:
    from selfplay.learner.trainer import SelfPlayTrainer


class RecipeRates(TrainerCallback):
    """Acts once, when transformers has loaded optimizer and scheduler and before the first step."""

    def __init__(self, trainer: SelfPlayTrainer) -> None:
        self.trainer = trainer

    def on_train_begin(self, args, state, control, **_):
        scheduler, groups = self.trainer.lr_scheduler, self.trainer.optimizer.param_groups
        assert isinstance(scheduler, LambdaLR)  # all of transformers' schedules that a recipe can name
        scheduler.base_lrs = [self.trainer._adapter_lr(adapter) for adapter in self.trainer.policy.adapters]
        rates = zip(scheduler.base_lrs, scheduler.lr_lambdas, strict=True)
        for group, (rate, factor) in zip(groups, rates, strict=True):
            group["lr"] = rate * factor(scheduler.last_epoch)
            group["weight_decay"] = args.weight_decay
