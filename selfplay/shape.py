"""The shape of a base model, read without loading its weights, and what follows from it by arithmetic alone."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfplay.configuration import RecipeError
from selfplay.small_base import shipped_folder

HUB_ID = r"[\w.-]*\w[\w.-]*/[\w.-]+"


@dataclass(frozen=True)
class Shape:
    """A decoder in the Llama layout: RMSNorm, grouped-query attention, SwiGLU.

    ``parameters`` is the whole count, e.g. 3_085_938_688 for Qwen2.5-3B.
    """

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    parameters: int

    def projections(self) -> dict[str, tuple[int, int]]:
        """(inputs, outputs) of each linear layer of one block, under transformers' names."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "q_proj": (self.hidden, queries),
            "k_proj": (self.hidden, keys),
            "v_proj": (self.hidden, keys),
            "o_proj": (queries, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    def lora_parameters(self, rank: int, targets: Sequence[str]) -> int:
        """Trainable parameters of one adapter: A is (rank, inputs) and B is (outputs, rank) in every block.

        >>> tiny = Shape(hidden=8, layers=2, heads=2, kv_heads=1, head_dim=4, intermediate=16, vocab=10, parameters=0)
        >>> tiny.lora_parameters(rank=2, targets=["q_proj", "down_proj"])  # 2 layers x 2 x (8+8 + 16+8)
        160

        Raises:
            RecipeError: a target that this layout has not.
        """
        sizes = self.projections()
        unknown = [target for target in targets if target not in sizes]
        if unknown:
            raise RecipeError(f"policy.targets: {unknown[0]!r} is no projection; choose from {', '.join(sizes)}.")
        return self.layers * sum(rank * sum(sizes[target]) for target in targets)

    def kv_values_per_token(self) -> int:
        """Keys and values that generation keeps for one token."""
        return 2 * self.layers * self.kv_heads * self.head_dim


def read_shape(base: str, given: Mapping[str, int] | None = None) -> Shape:
    """The shape of ``policy.base``: from its config.json where that lies on this machine, else from ``policy.shape``.

    Raises:
        RecipeError: neither is there, or the model is not in the Llama layout.
    """
    folder = base_folder(base)
    if folder is not None:
        return shape_of_folder(folder)
    if given is None:
        raise RecipeError(
            f"policy.base={base} is not on this machine, so its plan needs policy.shape (hidden, layers, heads, "
            "kv_heads, head_dim, intermediate, vocab, parameters); see recipes/policy/qwen2_5_3b.yaml."
        )
    try:
        return Shape(**given)
    except TypeError as error:
        raise RecipeError(f"policy.shape: {error}") from error


def base_folder(base: str) -> Path | None:
    """Where a base lies on this machine, or None for a hub id that is not cached; the network is never asked.

    Raises:
        RecipeError: a path that holds no readable config.json.
    """
    folder = Path(base).expanduser()
    if "/" not in base and not folder.exists():
        try:
            return shipped_folder(base)
        except ValueError as error:
            raise RecipeError(f"policy.base={base} is neither a folder nor a hub id: {error}") from error
    if folder.exists() or re.fullmatch(HUB_ID, base) is None:
        read_config(folder, base)
        return folder
    from huggingface_hub import try_to_load_from_cache  # a light import, unlike transformers

    found = try_to_load_from_cache(base, "config.json")
    return Path(found).parent if isinstance(found, str) else None


def read_config(folder: Path, base: str) -> dict[str, Any]:
    """The config.json of a checkpoint; RecipeError where there is none that can be read."""
    try:
        return json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not JSON"
        raise RecipeError(
            f"policy.base={base}: {folder / 'config.json'} cannot be read ({reason}); give small, a folder with a "
            "transformers checkpoint, or a hub id such as Qwen/Qwen3-8B."
        ) from error


def shape_of_folder(folder: Path) -> Shape:
    """From a transformers checkpoint's config.json; parameters are counted from the safetensors headers."""
    config = read_config(folder, str(folder))
    try:
        heads = config["num_attention_heads"]
        return Shape(
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=heads,
            kv_heads=config.get("num_key_value_heads") or heads,
            head_dim=config.get("head_dim") or config["hidden_size"] // heads,
            intermediate=config["intermediate_size"],
            vocab=config["vocab_size"],
            parameters=sum(_parameters_in(path) for path in sorted(folder.glob("*.safetensors"))),
        )
    except KeyError as error:
        raise RecipeError(
            f"{folder}/config.json has no {error}: plans are made for models in the Llama layout."
        ) from error


def _parameters_in(path: Path) -> int:
    """A safetensors file begins with the length of its JSON header (8 bytes, little-endian), then the header."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
