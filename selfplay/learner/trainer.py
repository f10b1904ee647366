"""The learner: TRL's GRPOTrainer, taught to train several LoRA roles on one base in one backward pass.

    get_batch_samples: play one window -> [{share: rows}]      compute_loss: sum over shares of TRL's own loss

THE RULE (measured under DDP and ZeRO-1/2/3; anything else is silently wrong in one of them): every micro-batch holds
rows of every learning role; each role's rows go forward under that role's adapter, in the same order on all ranks; the
role losses are summed; ONE backward follows.

TRL keeps what it is good at: loss types, clipping, entropy, optimizer, scheduler, DeepSpeed. Its generation, rewards
and data handling are not used, since they know one policy and one prompt per row. What we stand on, public and
private, is named in tests/learner/test_trl_contract.py; an upgrade of TRL fails there first.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from datasets import Dataset
from torch.utils.data import DataLoader
from transformers import PrinterCallback
from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from selfplay.learner import checkpoints
from selfplay.learner.agreement import together
from selfplay.learner.bad_steps import BadStepCallback, BadSteps
from selfplay.learner.batches import Share, Tensors, sampler_difference
from selfplay.learner.best import Best
from selfplay.learner.distinct import is_noisy, score_distinct
from selfplay.learner.loss_mix import LossMix
from selfplay.learner.ranks import gather_episodes, on_any_rank, whole_parameters
from selfplay.learner.step_record import step_record
from selfplay.learner.updates import Batch, Updates
from selfplay.learner.window import Arena, play_window
from selfplay.policy import Policy
from selfplay.tracking.journal import Journal


class SelfPlayTrainer(GRPOTrainer):
    """Trains the adapters of ``policy`` on what ``arena`` plays.

    Args:
        policy: base and adapters; its adapters are the only parameters that move.
        arena: game, sampler, seeds, control arm, alarms.
        journal: where measures and episodes go; silent on all ranks but the first.
        args: from ``selfplay.learner.arguments``.
        lr: learning rate of every role. Roles that share one adapter must agree on it.
        kl: weight of every role's KL term to the bare base (k3 estimator); 0 turns it off.
        updates_per_window: optimizer steps taken on one window's turns; above 1 the rows carry old log-probabilities.
        keep_checkpoints: how many checkpoints stay; 0 keeps all.
        bad_steps: steps in a row with a loss or gradient that is not finite, after which the run ends; 0 = never.
        best: the best measured window, whose checkpoint stays besides; None keeps none.
        mix: what the loss of each role counts; None counts all the same.
    """

    def __init__(
        self,
        policy: Policy,
        arena: Arena,
        journal: Journal,
        args: GRPOConfig,
        lr: Mapping[str, float],
        kl: Mapping[str, float],
        updates_per_window: int = 1,
        keep_checkpoints: int = 2,
        bad_steps: int = 3,
        best: Best | None = None,
        mix: LossMix | None = None,
    ) -> None:
        # TRL wants a dataset and a reward function; neither is ever read.
        super().__init__(
            policy.model,
            reward_funcs=_never_called,
            args=args,
            train_dataset=Dataset.from_dict({"prompt": ["unused"]}),
            processing_class=policy.tokenizer,
        )
        self.remove_callback(PrinterCallback)
        self.policy = policy
        self.arena = arena
        self.journal = journal
        self.learning_roles = tuple(role for role in arena.game.roles if policy.adapter_of[role] is not None)
        self.lr = {role: lr[role] for role in self.learning_roles}
        self.kl = {role: kl[role] for role in self.learning_roles}
        self.updates_per_window = updates_per_window
        self.mix = mix or LossMix(arena.game.roles, args.max_steps // updates_per_window)
        self.keep_checkpoints = keep_checkpoints
        self.bad_steps = BadSteps(Path(str(args.output_dir)) / "bad_steps", bad_steps, args.process_index)
        self.add_callback(BadStepCallback(self))
        self._noisy = is_noisy(policy.model)
        self.best = best
        self._cut = Updates(
            policy,
            self.kl,
            self.loss_type,
            updates_per_window,
            args.gradient_accumulation_steps,
            args.process_index,
            args.world_size,
            twins=not self._noisy,
            logprobs=self._logprobs,
        )
        self._updates: list[list[Batch]] = []  # of the window, still to come
        self._speakers: set[str] = set()  # roles with something to learn in the present update, on any rank
        self._seconds: dict[str, float] = defaultdict(float)
        self._played: dict[str, float] = {}  # the latest window's measures
        self._weights: dict[str, float] = {}  # of the roles' losses in the latest window
        self._updating_since = 0.0
        self._learner_logprobs = torch.empty(0)  # of the rows that went forward last
        for adapter in policy.adapters:
            self._adapter_lr(adapter)  # roles that cannot agree are told now, not after a window
        policy.learn_all()
        if is_deepspeed_zero3_enabled():
            policy.gathered, policy.any_rank = whole_parameters, on_any_rank

    @property
    def windows(self) -> int:
        """Windows that have been played and learned from."""
        return self.state.global_step // self.updates_per_window

    # ---- data: one call of get_batch_samples is one optimizer step -------------------------------------------------

    def get_train_dataloader(self) -> DataLoader:
        """Numbers of micro-steps. The data follow from the window's number, so the loader has no state to lose."""
        steps = self.args.max_steps * self.args.gradient_accumulation_steps
        return DataLoader([{"micro_step": number} for number in range(steps)], batch_size=1, collate_fn=_first)  # type: ignore[arg-type]

    def get_batch_samples(self, epoch_iterator, num_batches, device):
        for _ in range(num_batches):
            next(epoch_iterator)
        if not self._updates:
            self._play()
        update = self._updates.pop(0)
        self._speakers = {share.role for share, rows in update[0].items() if rows["num_items_in_batch"]}
        return update, None

    def _play(self) -> None:
        """The next window: played, recorded, and turned into the micro-batches of its updates."""
        started = time.perf_counter()
        number = self.windows
        window = play_window(self.arena, number, self.args.process_index, self.args.world_size, gather_episodes)
        self._seconds["play"] = time.perf_counter() - started
        sampled = sum(len(turn.text_ids or ()) for episode in window.everyone for turn in episode.turns)
        self._played = {**window.measures, "perf/tokens_per_second": sampled / self._seconds["play"]}
        together(lambda: self.journal.episodes(number + 1, window.everyone))
        for warning in window.warnings:
            self.journal.warn(number + 1, warning)
        self.bad_steps.window(window.turns_N)
        prepared = time.perf_counter()
        self._weights = self.mix.at(number)
        periods = self.arena.game.periods
        taught = [role for role in self.learning_roles if periods.get(role, 1)]
        self._played |= {f"learner/weight/{role}": self._weights[role] for role in taught}
        self._updates = self._cut.of([turn for turn in window.turns_N if self._weights[turn.role]])  # 0 rests
        self._updating_since = time.perf_counter()
        self._seconds["prepare"] = self._updating_since - prepared

    @torch.no_grad()
    def _logprobs(self, rows: Tensors) -> torch.Tensor:
        self.policy.model.eval()  # no dropout: it would blur both references; training_step switches it on again
        device = self.args.device
        ids = torch.cat([rows["prompt_ids"], rows["completion_ids"]], dim=1).to(device)
        mask = torch.cat([rows["prompt_mask"], rows["completion_mask"]], dim=1).to(device)
        return self._get_per_token_logps_and_entropies(self.model, ids, mask, rows["completion_ids"].size(1))[0]

    # ---- the step: one loss, one backward --------------------------------------------------------------------------

    def _prepare_inputs(self, inputs):
        """Only move to the device. TRL would generate here; transformers would, under DeepSpeed in bf16, round counts
        and old log-probabilities to bf16, and with them every ratio by several percent."""
        return {
            share: {name: tensor.to(self.args.device) for name, tensor in rows.items()}
            for share, rows in inputs.items()
        }

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        losses = [self._share_loss(model, share, rows) * self._weights[share.role] for share, rows in inputs.items()]
        return torch.stack(losses).sum()

    def _share_loss(self, model, share: Share, rows: Tensors) -> torch.Tensor:
        self.policy.wear(share.role)
        outer, self._metrics = self._metrics, {"train": defaultdict(list), "eval": defaultdict(list)}
        self.beta = self._cut.kl_of(share)
        loss = super().compute_loss(model, rows) * rows["correction"]
        loss = self.bad_steps.see(share, rows, loss, self._learner_logprobs)
        own, self._metrics = self._metrics["train"], outer
        if rows["real_rows"]:  # fill rows alone have nothing to tell
            own["logprob_difference"].append(sampler_difference(rows, self._learner_logprobs))
            own["loss"].append(cast(torch.Tensor, self.accelerator.reduce(loss.detach(), "mean")).item())
            for name, values in own.items():
                outer["train"][f"role/{share.role}/{name}"].extend(values)
        return loss

    def _get_per_token_logps_and_entropies(self, model, input_ids, attention_mask, logits_to_keep, **kwargs):
        def score(ids, mask, kept):
            return super(SelfPlayTrainer, self)._get_per_token_logps_and_entropies(model, ids, mask, kept, **kwargs)

        if self.aux_loss_enabled or (self._noisy and model.training):
            outputs = score(input_ids, attention_mask, logits_to_keep)
        else:
            zero3 = is_deepspeed_zero3_enabled()
            outputs = score_distinct(score, input_ids, attention_mask, logits_to_keep, fixed_calls=zero3)
        self._learner_logprobs = outputs[0].detach()
        return outputs

    # ---- optimizer: one parameter group, and one learning rate, per adapter ----------------------------------------

    def create_optimizer(self, model=None):
        if self.optimizer is None:
            self.policy.learn_all()
            cls, defaults = self.get_optimizer_cls_and_kwargs(self.args, self.policy.model)
            groups = [
                {"params": [p for _, p in self.policy.parameters_of(adapter)], "lr": self._adapter_lr(adapter)}
                for adapter in self.policy.adapters
            ]
            self.optimizer = cls(groups, weight_decay=self.args.weight_decay, **defaults)
        return self.optimizer

    def _adapter_lr(self, adapter: str) -> float:
        rates = {self.lr[role] for role in self.learning_roles if self.policy.adapter_of[role] == adapter}
        if len(rates) > 1:
            raise ValueError(f"learner.lr={self.lr} differs between roles that share the adapter {adapter!r}.")
        return rates.pop()

    def rest(self) -> None:
        """Hold adapters still of whose roles none has a turn to learn from in this update, be it that they rest or that
        nothing they said counts: without this, Adam's momentum moves them."""
        for adapter, group in zip(self.policy.adapters, self.optimizer.param_groups, strict=True):
            if self._rests(adapter):
                group["lr"] = 0.0  # the scheduler sets it anew after the step

    def _rests(self, adapter: str) -> bool:
        return not any(self.policy.adapter_of[role] == adapter for role in self._speakers)

    # ---- log and checkpoint ----------------------------------------------------------------------------------------

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """One record for each window, under the names of the house; the Trainer's closing totals are left out."""
        window, rest = divmod(self.state.global_step, self.updates_per_window)
        if "loss" not in logs or rest:
            return
        self._seconds["update"] = time.perf_counter() - self._updating_since
        groups = zip(self.policy.adapters, self.optimizer.param_groups, strict=True)
        rates = {adapter: 0.0 if self._rests(adapter) else group["lr"] for adapter, group in groups}
        record = self._played | step_record(logs, self._metrics["train"], rates, self._seconds)
        self._metrics["train"].clear()
        self._seconds.clear()
        together(lambda: self.journal.record(window, record))

    def _save_checkpoint(self, model, trial) -> None:
        checkpoints.save(self)

    def train(self, resume_from_checkpoint=None, trial=None, ignore_keys_for_eval=None):
        if resume_from_checkpoint is not None:
            checkpoints.load(self, Path(str(resume_from_checkpoint)))
        return super().train(resume_from_checkpoint, trial, ignore_keys_for_eval)

    def _load_from_checkpoint(self, resume_from_checkpoint, model=None) -> None:
        """Done by ``train`` already: transformers calls this without DeepSpeed only."""


def _never_called(completions, **_):
    raise AssertionError("rewards come from the game, not from TRL")


def _first(items):
    return items[0]
