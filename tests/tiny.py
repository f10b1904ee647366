"""A random tiny base for tests: an ordinary transformers checkpoint with a character tokenizer and a chat template."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

SPECIAL = ["<pad>", "<eos>", "<|user|>", "<|assistant|>"]
CHARACTERS = list(string.digits + string.ascii_letters + " .,:;+-*=<>()[]{}/?!'\"_#@\n")
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """One token a character; what it does not know becomes ``<pad>``."""
    words = {word: number for number, word in enumerate(SPECIAL + CHARACTERS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        additional_special_tokens=SPECIAL[2:],
    )
    fast.chat_template = TEMPLATE
    return fast


def tiny_base(folder: Path, architecture: str = "llama", seed: int = 0, **settings: object) -> Path:
    """Write a random base of two layers and width 32; about one token in a hundred ends a reply.

    Args:
        architecture: any ``model_type`` of transformers that takes these settings, e.g. "llama" or "qwen3".
        settings: further keys of its config.
    """
    tokenizer = tiny_tokenizer()
    shape: dict[str, object] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 256,
        "initializer_range": 0.25,  # far from uniform, so that a wrong position or mask shows
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "tie_word_embeddings": True,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **{**shape, **settings}))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
