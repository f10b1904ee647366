"""What a role costs in memory: an adapter each on one base, or a full copy of the model each; loaded and trained.

    python -m tests.benchmarks.copies '{"roles": 3, "kind": "adapters"}'      or "copies"

A random Llama of 11 million parameters (the shipped base is too small to be seen beside the libraries); one forward and
backward pass of 8 rows of 64 tokens for each role, then one AdamW step. Prints the peak in MiB; what a further role
costs is the difference between two runs, in which the libraries' own share cancels.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from selfplay.policy.adapters import PROJECTIONS
from tests.benchmarks.turnstile import peak_mib, say

SHAPE = {
    "vocab_size": 2048, "hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 6,
    "num_attention_heads": 6, "num_key_value_heads": 6, "tie_word_embeddings": True,
}  # fmt: skip


def main() -> None:
    settings = json.loads(sys.argv[1])
    torch.manual_seed(0)
    found = train(settings["kind"], settings["roles"])
    say({"peak_mib": peak_mib(), **found})


def train(kind: str, roles: int) -> dict[str, float]:
    """One step of every role; counts of parameters."""
    models = with_adapters(roles) if kind == "adapters" else full_copies(roles)
    learning = [p for model in {id(m): m for m, _ in models}.values() for p in model.parameters()]
    optimizer = torch.optim.AdamW([p for p in learning if p.requires_grad])
    for model, wear in models:
        wear()
        ids = torch.randint(0, SHAPE["vocab_size"], (8, 64))
        model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    own = {id(p): p.numel() for p in learning}
    return {"parameters": sum(own.values()), "learning": sum(p.numel() for p in learning if p.requires_grad)}


def full_copies(roles: int) -> list[tuple[Any, Any]]:
    return [(LlamaForCausalLM(LlamaConfig(**SHAPE)), lambda: None) for _ in range(roles)]


def with_adapters(roles: int) -> list[tuple[Any, Any]]:
    config = LoraConfig(r=8, lora_alpha=16, target_modules=list(PROJECTIONS), task_type="CAUSAL_LM")
    model = get_peft_model(LlamaForCausalLM(LlamaConfig(**SHAPE)), config, adapter_name="role0")  # type: ignore
    for number in range(1, roles):
        model.add_adapter(f"role{number}", config)
    names = [f"role{number}" for number in range(roles)]
    return [(model, lambda name=name: wear(model, names, name)) for name in names]


def wear(model: Any, names: list[str], name: str) -> None:
    """The role's adapter on, all of them learning."""
    model.set_adapter(name)
    for parameter_name, parameter in model.named_parameters():
        parameter.requires_grad_(any(f".{known}." in parameter_name for known in names))


if __name__ == "__main__":
    main()
