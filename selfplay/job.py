"""One training job on this rank: the rooms built from the config, then trained, measured and saved.

config --build--> game, policy, sampler, arena, journal --SelfPlayTrainer--> adapters/, checkpoints/, summary.json
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from omegaconf import DictConfig

from selfplay.arena import arena_of, journal_of
from selfplay.checks import loss_mix, micro_batches
from selfplay.configuration import RecipeError, build, one_line, roles_of
from selfplay.learner.agreement import reason, together
from selfplay.learner.arguments import GRPOConfig, training_arguments
from selfplay.learner.best import Best
from selfplay.learner.callbacks import ExamineCallback, StepCallback, StopCallback
from selfplay.learner.checkpoint_names import CheckpointError, latest_checkpoint
from selfplay.learner.examiner import Examiner
from selfplay.learner.loss_mix import LossMix
from selfplay.learner.ranks import gather_objects
from selfplay.learner.trainer import SelfPlayTrainer
from selfplay.model_card import FAULTS, write_cards
from selfplay.players import endpoint_facts, endpoint_rows, keep_answers, sampler_of
from selfplay.policy import Policy
from selfplay.run_folder import RunFolder
from selfplay.suites import yardstick_of
from selfplay.types import Game, Sampler

GRPO_CONFIG_KEYS = ("loss_type", "epsilon", "max_grad_norm", "weight_decay", "lr_scheduler", "unbiased_kl")
"""Keys of the recipe's ``learner`` that are handed on under their own names."""


class Job:
    """Joins the rooms that a recipe names. Nothing is trained before ``run``."""

    def __init__(
        self, config: DictConfig, folder: RunFolder, game: Game, policy: Policy, args: GRPOConfig, header: str = ""
    ) -> None:
        self.config, self.folder, self.game, self.policy, self.header = config, folder, game, policy, header
        updates = config.learner.updates_per_window
        self.args = args
        self.args.output_dir = str(folder.path)
        self.policy.model.to(self.args.device)
        self.model = build(config, "sampler", policy=self.policy)
        self.journal = together(lambda: journal_of(config, folder, self.args.process_index))
        self.best = Best(config.learner.keep_best) if config.learner.keep_best else None
        self.trainer = SelfPlayTrainer(
            self.policy,
            arena_of(config, self.game, self._sampler()),
            self.journal,
            self.args,
            lr=roles_of(config.learner.lr, self.game.roles, "learner.lr"),
            kl=roles_of(config.learner.kl, self.game.roles, "learner.kl"),
            updates_per_window=updates,
            keep_checkpoints=config.learner.keep,
            bad_steps=config.learner.bad_steps,
            best=self.best,
            mix=LossMix(self.game.roles, config.max_steps, loss_mix(config, self.game)),
        )
        self.stop = StopCallback(updates)
        for callback in (StepCallback(self.trainer), *self._examine(), self.stop):
            self.trainer.add_callback(callback)

    def run(self) -> bool:
        """Train to the end or to the first Ctrl-C; True when the run is complete."""
        self.stop.install()
        gc.collect()
        gc.freeze()  # libraries and model stay till the end: going through them again costs 0.3 s every few windows
        checkpoint = self.folder.checkpoint
        with self.journal:
            self.trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            self.trainer.bad_steps.complain(latest_checkpoint(self.folder.path / "checkpoints"))
            complete = self.trainer.state.global_step >= self.args.max_steps
            if complete:
                asked = [row for rows in gather_objects(endpoint_rows(self.trainer.arena.sampler)) for row in rows]
                facts = {
                    "base_digest": self.policy.base_digest(),
                    "recipe_header": self.header,
                    **endpoint_facts(asked, self.folder.path),
                }
                if self.journal.finish(self._save_adapters(), facts=facts):
                    self._write_cards()
            else:
                saved = latest_checkpoint(self.folder.path / "checkpoints")
                self.journal.warn(self.trainer.windows, f"stopped here, saved in {saved}; go on with resume=auto.")
        gather_objects(None)  # the launcher ends whoever is left when one has stopped: the first rank closes its record
        return complete

    def _sampler(self) -> Sampler:
        sampler = sampler_of(self.config, self.game, lambda: self.model)
        keep_answers(sampler, self.folder.path, self.args.process_index)
        return sampler

    def _save_adapters(self) -> Path:
        adapters = self.folder.path / "adapters"
        try:
            together(lambda: self.policy.save(adapters, write=self.args.process_index == 0))
        except OSError as error:
            saved = latest_checkpoint(self.folder.path / "checkpoints")
            raise CheckpointError(f"cannot save the adapters ({reason(error)}); they are also in {saved}.") from error
        return adapters

    def _write_cards(self) -> None:
        """A README beside every adapter. The run is whole without, so what stands against one is only told."""
        try:
            write_cards(self.folder.path)
        except FAULTS as error:
            print(f"selfplay: no model card was written ({type(error).__name__}: {one_line(error)})", file=sys.stderr)

    def _examine(self) -> list[ExamineCallback]:
        settings = self.config.evaluation
        if not settings.every:
            return []
        yardsticks = {name: yardstick_of(self.config, name, self.game) for name in settings.yardsticks}
        frozen = build(self.config, "sampler", policy=self.policy, bare=True) if settings.duel else None
        examiner = Examiner(yardsticks, self.model, frozen, self.journal)
        return [ExamineCallback(examiner, settings.every, self.config.learner.updates_per_window, self.best)]


def arguments_of(config: DictConfig) -> GRPOConfig:
    """What TRL is told. Made before the policy, and kept alive beside it: through this object transformers knows, while
    it loads the base, whether ZeRO-3 wants the weights spread.

    Raises:
        RecipeError: the recipe's precision and the launch config's do not go together.
    """
    learner = config.learner
    limits = config.sampler.max_new_tokens
    try:
        return training_arguments(
            output_dir=str(config.output_dir),  # until the run's folder is open
            max_steps=config.max_steps * learner.updates_per_window,
            seed=config.seed,
            temperature=config.sampler.temperature,
            micro_batches=micro_batches(config, world_size=int(os.environ.get("WORLD_SIZE", "1"))),
            warmup_steps=learner.warmup,
            save_every=learner.save_every * learner.updates_per_window,
            dtype=config.policy.dtype,
            max_completion_length=limits if isinstance(limits, int) else max(limits.values()),
            **{key: learner[key] for key in GRPO_CONFIG_KEYS},
        )
    except ValueError as error:
        raise RecipeError(str(error)) from error
