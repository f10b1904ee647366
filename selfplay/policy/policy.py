"""A policy: one frozen base model, and the LoRA adapters that its roles wear.

    policy = Policy.build("small", ["proposer", "solver"])
    policy.wear("solver")              # the next forward pass of policy.model is the solver's
    with policy.bare(): ...            # the base as it was

One adapter for all roles is what the papers did; one for each role, and frozen roles on the bare base, are our
extension. All learning adapters stay trainable whatever is worn: one backward pass may hold several roles.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled

from selfplay.policy import adapters as lora
from selfplay.policy.bases import BaseSource, Gather, digest, load_base, stop_ids

_NOT_WORN = "(nothing worn yet)"


class Policy:
    """Made by ``Policy.build``. ``model`` is what a learner trains: a PeftModel, or the plain base without adapters.

    Attributes:
        adapter_of: role -> the adapter it wears, or None for the bare base.
        adapters: names of the learning adapters, in a fixed order.
        stop_ids: tokens that end a reply.
        version: grows with every change of the adapters (``advance``, ``load``); samplers refresh their copies by it.
        gathered: context in which given parameters are whole, and any_rank: whether a thing is true on any rank. The
            learner replaces both under ZeRO-3, where weights are spread and every forward pass is collective.
    """

    def __init__(
        self, model: Any, tokenizer: Any, adapter_of: Mapping[str, str | None], config: Any, base_name: str
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.adapter_of = dict(adapter_of)
        self.adapters = tuple(dict.fromkeys(name for name in adapter_of.values() if name is not None))
        self.base_name = base_name
        self.stop_ids = stop_ids(self.base, tokenizer)
        self.version = 0
        self.gathered: Gather = lambda _: nullcontext()
        self.any_rank: Callable[[bool], bool] = bool
        self.lora_layers = lora.lora_layers(self.base)
        self._config = config
        self._learning = [p for adapter in self.adapters for _, p in lora.parameters_of(model, adapter)]
        self._worn: str | None = _NOT_WORN
        self._flip(self.adapters[0] if self.adapters else None)
        self.learn_all()

    @classmethod
    def build(
        cls,
        base: str,
        roles: Sequence[str],
        *,
        adapters: str = "per_role",
        frozen: Sequence[str] = (),
        rank: int = 8,
        alpha: float = 16,
        dropout: float = 0.0,
        targets: Sequence[str] = lora.PROJECTIONS,
        seed: int = 0,
        dtype: str = "float32",
        checkpointing: bool = False,
        revision: str | None = None,
        attention: str | None = None,
        shape: Mapping[str, int] | None = None,
    ) -> Policy:
        """Load a base and put fresh adapters on it. These arguments are the config group ``policy``.

        Args:
            base: ``small``, ``small-1``, ``contexts`` or ``contexts-1`` (they ship with the package), a transformers
                folder, or a hub id.
            roles: the game's roles, e.g. ``("proposer", "solver")``.
            adapters: ``per_role``, ``shared`` (one for all) or ``none`` (every role plays the bare base).
            frozen: roles that play the bare base and never learn.
            rank, alpha, dropout, targets: LoRA's; B @ A is scaled by alpha / rank.
            seed: of the adapters' first weights; with the adapter's name, so that roles do not depend on one another.
            dtype: of the base: float32, bfloat16, float16 or auto. Adapters are float32, except under ZeRO-3.
            checkpointing: recompute activations in the backward pass, each under the role worn in the forward pass.
            revision: of a hub model.
            attention: transformers' ``attn_implementation``; None is its default.
            shape: the base's measures, for planning a run where the hub cannot be reached; not needed here.

        Raises:
            ValueError: naming the key, its value and the mend.
        """
        del shape
        table = lora.adapter_table(roles, adapters, frozen)
        lora_shape = lora.LoraShape(rank, alpha, dropout, (targets,) if isinstance(targets, str) else tuple(targets))
        source = BaseSource.find(base, revision)
        with torch.random.fork_rng(devices=[]):
            plain, tokenizer = load_base(source, dtype, attention)
        config = lora_shape.config(source.name)
        names = list(dict.fromkeys(name for name in table.values() if name is not None))
        adapter_dtype = None if is_deepspeed_zero3_enabled() else torch.float32
        model = lora.add_adapters(plain, names, config, seed, adapter_dtype)
        policy = cls(model, tokenizer, table, config, source.name)
        if checkpointing:
            policy._checkpoint_activations()
        return policy

    @property
    def base(self) -> Any:
        """The transformers model, with LoRA layers in place; its forward pass obeys ``wear``."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    @property
    def worn(self) -> str | None:
        """The adapter in use, or None for the bare base."""
        return self._worn

    def wear(self, role: str) -> None:
        """Let the next forward passes be this role's. Cheap: nothing is copied, and wearing twice does nothing.

        Raises:
            ValueError: a role that this policy was not built for.
        """
        self._flip(self.adapter(role))
        self.learn_all()

    def adapter(self, role: str) -> str | None:
        """The adapter of a role, None for the bare base; raises ValueError for an unknown role."""
        if role not in self.adapter_of:
            raise ValueError(f"role {role!r} is unknown to this policy; it was built for {sorted(self.adapter_of)}.")
        return self.adapter_of[role]

    @contextmanager
    def wearing(self, adapter: str | None) -> Iterator[None]:
        """Use an adapter (None: the bare base) for a while, then what was worn before."""
        before = self._worn
        self._flip(adapter)
        try:
            yield
        finally:
            self._flip(before)

    def bare(self) -> AbstractContextManager[None]:
        """The frozen base for a while, then what was worn before."""
        return self.wearing(None)

    def learn_all(self) -> None:
        """Make every learning adapter trainable, whoever froze one."""
        for parameter in self._learning:
            if not parameter.requires_grad:
                parameter.requires_grad_(True)

    def advance(self) -> None:
        """Say that an optimizer step has changed the adapters."""
        self.version += 1

    def parameters_of(self, adapter: str) -> list[tuple[str, nn.Parameter]]:
        """Names and parameters of one adapter, in the model's order."""
        return lora.parameters_of(self.model, adapter)

    def base_digest(self) -> str:
        """sha256 (hex) of the frozen weights: equal before and after training."""
        return digest(self.base, self.gathered)

    def save(self, folder: Path | str, write: bool = True) -> None:
        """Write all adapters, one PEFT folder each; the old ones stay in place until the new ones are whole.

        Args:
            folder: gets ``<adapter>/adapter_model.safetensors`` and ``adapter_config.json``.
            write: False on all ranks but one; under ZeRO-3 every rank must call, since parameters are gathered.

        Raises:
            OSError: the disk refused; what was there before is untouched.
        """
        folder = Path(folder)
        tensors: dict[str, dict[str, torch.Tensor]] = {}
        for adapter in self.adapters:  # all gathered before the first is written: a full disk must not part the ranks
            with self.gathered([p for _, p in self.parameters_of(adapter)]):
                tensors[adapter] = lora.tensors_of(self.model, adapter) if write else {}
        if not write:
            return
        written = folder.with_name(f".{folder.name}.writing-{os.getpid()}")
        try:
            written.mkdir(parents=True)
            for adapter in self.adapters:
                lora.write(tensors[adapter], self._config, adapter, written / adapter)
            lora.replace_folder(written, folder)
        finally:
            shutil.rmtree(written, ignore_errors=True)

    @torch.no_grad()
    def load(self, folder: Path | str) -> None:
        """Take up saved adapters: all of them, or, when one does not fit, none.

        Raises:
            ValueError: an adapter is missing, torn, or made for another base, rank or set of targets.
        """
        values: dict[nn.Parameter, torch.Tensor] = {}
        for adapter in self.adapters:
            values.update(lora.read(self.model, self._config, adapter, Path(folder) / adapter))
        with self.gathered(list(values)):
            for parameter, value in values.items():
                parameter.copy_(value)
        self.advance()

    def _flip(self, adapter: str | None) -> None:
        if adapter == self._worn:
            return
        lora.flip(self.lora_layers, adapter)
        if adapter is not None:  # PEFT's own wrapper reads its config by this name
            self.model.active_adapter = self.model.base_model.active_adapter = adapter
        self._worn = adapter

    def _checkpoint_activations(self) -> None:
        """Recompute each layer under the role that it was computed with: without this, all but the last are wrong."""

        def contexts() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
            return nullcontext(), self.wearing(self._worn)

        with warnings.catch_warnings():  # the name is old, but both ends of our range of transformers have it
            warnings.simplefilter("ignore", FutureWarning)
            self.base.gradient_checkpointing_enable({"use_reentrant": False, "context_fn": contexts})
