"""What a model card says of the base, of the recipe's header, and how its adapter is loaded with nothing but PEFT."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig
from safetensors import safe_open

from selfplay.small_base import shipped_names
from selfplay.tracking.metrics_file import EPISODES

LONGEST_PROMPT = 300
"""Characters of an example prompt that a card shows; a longer one is left out."""


@dataclass(frozen=True)
class Base:
    """A base for people, and for Python."""

    what: str  # one phrase
    hub_id: str | None  # where it is on the hub
    code: tuple[str, ...]  # lines that set `base`


def base_words(config: DictConfig) -> Base:
    """Where the base is to be had: with this package, in a folder of whoever trained, or on the hub."""
    name, revision = str(config.policy.base), config.policy.revision
    if name in shipped_names():
        code = ("from selfplay.small_base import shipped_folder", "", f"base = str(shipped_folder({name!r}))")
        return Base(f"`{name}`, which ships with the package selfplay and is not on the hub", None, code)
    if Path(name).expanduser().exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        return Base(f"a checkpoint in a local folder, `{name}`, which is not on the hub", None, (f"base = {name!r}",))
    at = f", revision {revision}" if revision else ""
    return Base(f"[{name}](https://huggingface.co/{name}){at}", name, (f"base = {name!r}",))


def loading(config: DictConfig, prompt: str) -> str:
    """Python that loads the base and the adapter of the present folder, and lets it say something."""
    base = base_words(config)
    revision = f", revision={config.policy.revision!r}" if base.hub_id and config.policy.revision else ""
    ours, assign = base.code[:-2], base.code[-1]
    return "\n".join(
        [
            "from peft import PeftModel",
            *ours,
            "from transformers import AutoModelForCausalLM, AutoTokenizer",
            "",
            assign,
            f"tokenizer = AutoTokenizer.from_pretrained(base{revision})",
            f'model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base{revision}), ".")',
            f'messages = [{{"role": "user", "content": {prompt!r}}}]',
            'words = {"add_generation_prompt": True, "return_dict": True, "return_tensors": "pt"}',
            "inputs = tokenizer.apply_chat_template(messages, **words)",
            "reply = model.generate(**inputs, max_new_tokens=64, do_sample=True)",
            'print(tokenizer.decode(reply[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))',
        ]
    )


def example_prompt(run: Path, role: str) -> str:
    """A short prompt that this role was shown in the run's first stored window; a greeting where there is none."""
    import pyarrow.parquet as parquet

    for file in sorted((run / EPISODES).glob("step-*.parquet"))[:1]:
        for row in parquet.read_table(file, columns=["role", "prompt"]).to_pylist():
            if (row["role"] == role or role == "shared") and len(row["prompt"]) <= LONGEST_PROMPT:
                return row["prompt"]
    return "Hello!"


def is_untrained(weights: Path) -> bool:
    """Whether every B of a saved adapter is zero, so that it plays the bare base; False where that cannot be read."""
    if not weights.is_file():
        return False
    with safe_open(weights, framework="numpy") as tensors:
        names = [name for name in tensors.keys() if ".lora_B." in name]  # noqa: SIM118  # no mapping
        return all(
            tensors.get_slice(name).get_dtype() == "F32" and not tensors.get_tensor(name).any() for name in names
        )


def recipe_sections(header: str) -> dict[str, str]:
    r"""The comment at the head of a recipe by its parts; "" is what it is, before the command.

    >>> recipe_sections("SQLM (arXiv 2508.03682).\n  accelerate launch x\nExpected:  rises\n   to 0.9.\nCost: 1 s.")
    {'': 'SQLM (arXiv 2508.03682).', 'Expected': 'rises to 0.9.', 'Cost': '1 s.'}
    """
    sections: dict[str, list[str]] = {"": []}
    name = ""
    for line in header.splitlines():
        if found := re.match(r"([A-Z]\w+): +(.*)", line):
            name = found[1]
            sections[name] = [found[2].strip()]
        elif name or not line.startswith(" "):  # indented lines above the parts are commands
            sections[name].append(line.strip())
    return {part: " ".join(filter(None, lines)) for part, lines in sections.items() if any(lines)}
