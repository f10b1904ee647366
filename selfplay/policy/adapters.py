"""LoRA adapters on one base: made from a seed of their own, flipped in microseconds, written and read back whole.

PEFT's own switches (``set_adapter``, leaving ``disable_adapter``) turn off ``requires_grad`` of every adapter but one,
so that the others silently stop learning. ``flip`` sets what a LoRA layer reads in its forward pass and nothing else.
LoRA: Hu et al., arXiv 2106.09685.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""All seven projections of a Llama-like layer."""

WEIGHTS_FILE = "adapter_model.safetensors"


@dataclass(frozen=True)
class LoraShape:
    """Size and place of every adapter; B @ A is scaled by alpha / rank.

    Raises:
        ValueError: a rank below 1, an alpha of 0 or less, a dropout outside [0, 1), or no targets.
    """

    rank: int = 8
    alpha: float = 16
    dropout: float = 0.0
    targets: tuple[str, ...] = PROJECTIONS  # last parts of module names

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"policy.rank={self.rank} must be 1 or more.")
        if self.alpha <= 0:
            raise ValueError(f"policy.alpha={self.alpha} must be above 0.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"policy.dropout={self.dropout} must be at least 0 and below 1.")
        if not self.targets:
            raise ValueError(f"policy.targets={self.targets!r} must be a list of layer names, e.g. [q_proj, v_proj].")

    def config(self, base_name: str) -> LoraConfig:
        """PEFT's form of it; ``base_name`` is what a saved adapter says it belongs to."""
        return LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,  # type: ignore[arg-type]  # a float is fine
            lora_dropout=self.dropout,
            target_modules=list(self.targets),
            task_type="CAUSAL_LM",
            base_model_name_or_path=base_name,
        )


def adapter_table(roles: Sequence[str], adapters: str, frozen: Sequence[str]) -> dict[str, str | None]:
    """Which adapter each role wears; None is the bare base.

    >>> adapter_table(["proposer", "solver"], "per_role", frozen=["proposer"])
    {'proposer': None, 'solver': 'solver'}
    >>> adapter_table(["proposer", "solver"], "shared", frozen=[])
    {'proposer': 'shared', 'solver': 'shared'}

    Raises:
        ValueError: an unknown choice, a frozen role that is none of the roles, or a role's name PEFT cannot use.
    """
    if adapters not in ("per_role", "shared", "none"):
        raise ValueError(f"policy.adapters={adapters!r} is unknown; choose per_role, shared or none.")
    strangers = sorted(set(frozen) - set(roles))
    if strangers:
        raise ValueError(f"policy.frozen={list(frozen)!r}: the game has no role {strangers[0]!r}, only {list(roles)}.")
    for role in roles:
        if not role.isidentifier() or role in ("default", "shared"):
            raise ValueError(f"role {role!r} cannot name an adapter; use letters, and neither 'default' nor 'shared'.")
    names = {"per_role": {role: role for role in roles}, "shared": dict.fromkeys(roles, "shared")}.get(adapters, {})
    return {role: None if role in frozen else names.get(role) for role in roles}


def add_adapters(model: Any, adapters: Sequence[str], config: LoraConfig, seed: int, dtype: torch.dtype | None) -> Any:
    """The model with fresh adapters (B = 0, so that nothing changes yet); the model itself when there are none.

    Each adapter's A is drawn from (seed, its name), so that adding a role changes no other. Global randomness is left
    alone. ``dtype`` None keeps the base's.

    Raises:
        ValueError: a target that is no linear layer of this model.
    """
    if not adapters:
        return model
    _check_targets(model, config)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)  # PEFT's own
        for adapter in adapters:
            torch.manual_seed(_seed_of(seed, adapter))
            if isinstance(model, PeftModel):
                model.add_adapter(adapter, config, autocast_adapter_dtype=False)
            else:
                # Autocasting breaks ZeRO-3, where all parameters must have one dtype.
                model = get_peft_model(model, config, adapter_name=adapter, autocast_adapter_dtype=False)
    for name, parameter in model.named_parameters():
        if ".lora_" in name and dtype is not None:
            parameter.data = parameter.data.to(dtype)
    return model


def lora_layers(model: nn.Module) -> dict[str, Any]:
    """LoRA layers by the name of the module they replaced in the base."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLayer)}


def flip(layers: Mapping[str, Any], adapter: str | None) -> None:
    """Let every layer use ``adapter``, or none, in its next forward pass. ``requires_grad`` is not touched."""
    for layer in layers.values():
        layer._disable_adapters = adapter is None
        if adapter is not None:
            layer._active_adapter = [adapter]


def parameters_of(model: nn.Module, adapter: str) -> list[tuple[str, nn.Parameter]]:
    """The adapter's own parameters, in the model's order."""
    return [(n, p) for n, p in model.named_parameters() if ".lora_" in n and f".{adapter}." in n]


def write(tensors: dict[str, torch.Tensor], config: LoraConfig, adapter: str, folder: Path) -> None:
    """Write one adapter's ``tensors_of`` in PEFT's format and read them back.

    Raises:
        OSError: the disk is full, or gave back other bytes than it was given.
    """
    folder.mkdir(parents=True)
    try:
        save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt"})
        config.save_pretrained(str(folder), inference_mode=True)
        again = load_file(folder / WEIGHTS_FILE)
    except SafetensorError as error:
        raise OSError(f"adapter {adapter} could not be written to {folder}: {error}") from error
    if again.keys() != tensors.keys() or any(not torch.equal(again[name], tensors[name]) for name in tensors):
        raise OSError(f"adapter {adapter} in {folder} reads back differently from what was written")


def read(model: nn.Module, config: LoraConfig, adapter: str, folder: Path) -> dict[nn.Parameter, torch.Tensor]:
    """A saved adapter's values for each parameter; nothing is changed yet.

    Raises:
        ValueError: missing, torn, or made for another base, rank or set of targets.
    """
    if not (folder / WEIGHTS_FILE).is_file():
        there = sorted(path.name for path in folder.parent.glob("*") if (path / WEIGHTS_FILE).is_file())
        raise ValueError(f"{folder} holds no saved adapter {adapter!r}; adapters there: {there}.")
    try:
        saved, tensors = LoraConfig.from_pretrained(str(folder)), load_file(folder / WEIGHTS_FILE)
    except Exception as error:  # a torn file raises whatever the library below it raises
        raise ValueError(f"adapter {folder} cannot be read ({error}); take an earlier checkpoint.") from error
    for key in ("r", "lora_alpha"):
        if getattr(saved, key) != getattr(config, key):
            raise ValueError(
                f"adapter {folder} has {key}={getattr(saved, key)}, this policy {key}={getattr(config, key)}; "
                "set policy.rank and policy.alpha to what it was trained with."
            )
    mine = {_name_in_file(name, adapter): parameter for name, parameter in parameters_of(model, adapter)}
    fits = mine.keys() == tensors.keys() and all(_shape(mine[name]) == tensors[name].shape for name in mine)
    if not fits:
        odd = sorted(mine.keys() ^ tensors.keys()) or ["shapes differ"]
        raise ValueError(f"adapter {folder} does not fit this policy ({odd[0]}); check policy.base and policy.targets.")
    return {mine[name]: tensors[name] for name in mine}


def replace_folder(written: Path, folder: Path) -> None:
    """Put a complete folder in the place of another; at no moment is a half-written one there."""
    old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    if folder.exists():
        folder.rename(old)
    written.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def tensors_of(model: nn.Module, adapter: str) -> dict[str, torch.Tensor]:
    """Copies on the CPU under the names that PEFT's files use."""
    found = parameters_of(model, adapter)
    return {_name_in_file(name, adapter): p.detach().cpu().contiguous().clone() for name, p in found}


def _name_in_file(name: str, adapter: str) -> str:
    return name.replace(f".{adapter}.", ".")


def _shape(parameter: nn.Parameter) -> torch.Size:
    return getattr(parameter, "ds_shape", parameter.shape)  # ZeRO-3 leaves an empty tensor where it partitioned one


def _seed_of(seed: int, adapter: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{adapter}".encode()).digest()[:7], "big")


def _check_targets(model: nn.Module, config: LoraConfig) -> None:
    linear = {name.rpartition(".")[2] for name, m in model.named_modules() if type(m).__name__ in ("Linear", "Conv1D")}
    missing = sorted(set(config.target_modules or ()) - linear)
    if missing:
        known = ", ".join(sorted(linear - {"lm_head"}))
        raise ValueError(f"policy.targets: this base has no linear layer {missing[0]!r}; it has {known}.")
