"""Finding a base model, checking it before anything heavy is loaded, loading it, and hashing its weights.

A base is ``small`` or another that ships with the package, a folder with a transformers checkpoint, or the id of a
model on the hub: any causal language model of transformers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from selfplay.small_base import shipped_folder, shipped_names

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "auto": "auto"}
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")

Gather = Callable[[Iterable[torch.Tensor]], AbstractContextManager[Any]]
"""A context in which partitioned parameters are whole; under ZeRO-3 the learner hands in DeepSpeed's."""


@dataclass(frozen=True)
class BaseSource:
    """Where a base is loaded from, and the name that adapters remember it by."""

    name: str  # "small", "Qwen/Qwen2.5-3B-Instruct", "runs/bases/mine": as the user wrote it
    location: str  # what from_pretrained is given
    revision: str | None = None  # of a hub model

    @classmethod
    def find(cls, base: str, revision: str | None = None) -> BaseSource:
        """Resolve the config key ``policy.base``, checking a folder without loading its weights.

        Raises:
            ValueError: a folder that is not a readable checkpoint, or a name that is neither folder nor hub id.
        """
        if base in shipped_names():
            folder = shipped_folder(base)
            check_folder(folder, base)
            return cls(base, str(folder))
        folder = Path(base).expanduser()
        if folder.exists() or base.startswith((".", "/", "~")) or base.count("/") != 1:
            check_folder(folder, base)
            return cls(base, str(folder))
        return cls(base, base, revision)


def check_folder(folder: Path, base: str) -> None:
    """Refuse a folder that transformers could not load, saying what is missing.

    Raises:
        ValueError: naming ``policy.base``, its value and the mend.
    """
    mend = "give a folder written by save_pretrained, a hub id such as Qwen/Qwen3-0.6B, or one that ships: small."
    if not folder.is_dir():
        raise ValueError(f"policy.base={base!r} is not a folder; {mend}")
    config = folder / "config.json"
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"policy.base={base!r} has no readable config.json ({error}); {mend}") from error
    if not isinstance(settings, dict) or "model_type" not in settings:
        raise ValueError(f"policy.base={base!r}: config.json names no model_type; {mend}")
    if not any(path.stat().st_size for pattern in WEIGHTS for path in folder.glob(pattern)):
        raise ValueError(f"policy.base={base!r} holds no weights ({' or '.join(WEIGHTS)}); {mend}")
    if not any(folder.glob("tokenizer*")) and not any(folder.glob("vocab*")):
        raise ValueError(f"policy.base={base!r} holds no tokenizer; save it there with tokenizer.save_pretrained.")


def load_base(source: BaseSource, dtype: str, attention: str | None) -> tuple[Any, Any]:
    """The frozen model in eval mode, and its tokenizer with a pad token.

    Raises:
        ValueError: transformers cannot load it, or it is no causal language model; the reason is quoted.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if dtype not in DTYPES:
        raise ValueError(f"policy.dtype={dtype!r} is unknown; choose one of {', '.join(DTYPES)}.")
    options: dict[str, Any] = {"attn_implementation": attention} if attention else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.location, revision=source.revision)
        model = AutoModelForCausalLM.from_pretrained(
            source.location, revision=source.revision, dtype=DTYPES[dtype], **options
        )
    except Exception as error:  # every library below has its own exception for a file that it cannot read
        raise ValueError(
            f"policy.base={source.name!r} cannot be loaded ({type(error).__name__}: {' '.join(str(error).split())}); "
            "check the name, the network or the files."
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.requires_grad_(False)
    model.name_or_path = source.name  # what PEFT writes into a saved adapter: no path of this machine
    return model.eval(), tokenizer


def stop_ids(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Every token that ends a reply: the generation config's and the tokenizer's own."""
    of_model = model.generation_config.eos_token_id if model.generation_config is not None else None
    listed = of_model if isinstance(of_model, list) else [of_model]
    return tuple(sorted({token for token in [*listed, tokenizer.eos_token_id] if token is not None}))


def base_tensors(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Frozen parameters and buffers by their names in the plain base, LoRA's wrapping taken off."""
    tensors = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    for name, tensor in tensors:
        if ".lora_" not in name:
            yield name.replace(".base_layer.", "."), tensor


def digest(model: nn.Module, gathered: Gather) -> str:
    """sha256 over names, types, shapes and bytes of the frozen weights; adapters and device do not enter."""
    total = hashlib.sha256()
    for name, tensor in sorted(base_tensors(model), key=lambda item: item[0]):
        with gathered([tensor]):
            flat = tensor.detach().cpu().contiguous()
            total.update(f"{name} {flat.dtype} {tuple(flat.shape)}\n".encode())
            total.update(flat.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
