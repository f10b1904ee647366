"""Faults that several adapters on one base invite, planted in a cell: the comparison must find each of them."""

from __future__ import annotations

from collections.abc import Callable

from trl import GRPOTrainer

from selfplay.learner import updates
from selfplay.learner.trainer import SelfPlayTrainer


def two_backwards(trainer: SelfPlayTrainer) -> None:
    """Every role goes backward by itself, before one optimizer step. ZeRO-3 adds what the step before left behind."""
    state = trainer.accelerator.gradient_state

    def training_step(model, inputs, num_items_in_batch=None):
        *earlier, last = inputs.items()
        synced = state.sync_gradients
        state._set_sync_gradients(False)
        losses = [GRPOTrainer.training_step(trainer, model, {share: rows}, None) for share, rows in earlier]
        state._set_sync_gradients(synced)
        return sum(losses) + GRPOTrainer.training_step(trainer, model, dict([last]), None)

    trainer.training_step = training_step


def idle_adapter(trainer: SelfPlayTrainer) -> None:
    """A role that rests keeps its learning rate, and its momentum moves it."""
    trainer.rest = lambda: None


def plain_checkpointing(trainer: SelfPlayTrainer) -> None:
    """transformers' own: every layer is recomputed under the role that went forward last."""
    trainer.policy.base.gradient_checkpointing_enable({"use_reentrant": False})


def uncorrected_normaliser(trainer: SelfPlayTrainer) -> None:
    """TRL's own divisor, which counts fill rows. Undone by ``undo``, since the other cells share the process."""
    updates.correction = lambda *_: 1.0


def undo() -> None:
    from selfplay.learner.normalisation import correction

    updates.correction = correction


FAULTS: dict[str, Callable[[SelfPlayTrainer], None]] = {
    "two-backwards": two_backwards,
    "idle-adapter": idle_adapter,
    "plain-checkpointing": plain_checkpointing,
    "uncorrected-normaliser": uncorrected_normaliser,
}
