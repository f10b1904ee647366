"""A merged copy of the weights to generate from: W + scale * B @ A in one matrix, refolded when the adapter changes.

Merging into the base that trains would let rounding eat it; the copy is written over from the base every time, so that
nothing accumulates. It costs the base's memory once more: for small bases.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from selfplay.policy import Policy
from selfplay.policy.bases import base_tensors


class Shadow:
    """The policy's weights as one plain model, in eval mode and without gradients.

    Args:
        policy: read, never written.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._model: Any = None
        self._holds: tuple[str | None, int] | None = None  # adapter and policy version

    def forget(self) -> None:
        """Fold anew at the next ``model``, whatever version the policy names."""
        self._holds = None

    @torch.no_grad()
    def model(self, adapter: str | None) -> Any:
        """The plain model that computes what the base computes under ``adapter`` (None: bare)."""
        if self._model is None or next(self._model.parameters()).device != self.policy.device:
            self._model, self._holds = self._plain_copy(), (None, self.policy.version)
        wanted = (adapter, self.policy.version)
        if self._holds != wanted:
            self._fold(adapter)
            self._holds = wanted
        return self._model

    def _fold(self, adapter: str | None) -> None:
        for name, layer in self.policy.lora_layers.items():
            base = layer.get_base_layer().weight
            own = [] if adapter is None else [layer.lora_A[adapter].weight, layer.lora_B[adapter].weight]
            with self.policy.gathered([base, *own]):
                folded = base.detach() if adapter is None else base.detach() + layer.get_delta_weight(adapter)
                self._model.get_submodule(name).weight.copy_(folded)

    def _plain_copy(self) -> Any:
        """A model of the base's class without LoRA's layers, hooks or gradients, its tensors clones of the base's."""
        base = self.policy.base
        with torch.random.fork_rng(devices=[]):  # the constructor draws first weights, which are overwritten here
            model = type(base)(copy.deepcopy(base.config))
        tensors = dict(base_tensors(base))
        twins: dict[int, torch.Tensor] = {}  # tied weights stay tied
        for name in [name for name, _ in base_tensors(model)]:
            source = tensors[name]
            if id(source) not in twins:
                with self.policy.gathered([source]):
                    twin = source.detach().clone()
                twins[id(source)] = (
                    nn.Parameter(twin, requires_grad=False) if isinstance(source, nn.Parameter) else twin
                )
            owner, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(owner), leaf, twins[id(source)])
        return model.eval()
