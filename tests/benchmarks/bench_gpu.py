"""The learner alone on big shapes: tokens/s, memory and MFU of one update. Random weights from a config, no hub.

    python -m tests.benchmarks.bench_gpu --shape qwen3-0.6b --length 4096 --rows 4
    python -m tests.benchmarks.bench_gpu --shape qwen3-4b --length 16384 --rows 2 --checkpointing
    python -m tests.benchmarks.bench_gpu --shape tiny --length 64 --dtype float32          # does it run at all (CPU)

Two roles, LoRA of rank 16 each, ``rows`` rows for each role in one backward; a quarter of a row is prompt. Nothing is
generated: the texts are random ids, all different, so that no row is spared.

MFU = model FLOP / (seconds x peak). One pass over a token costs 2 FLOP for each weight of the base, and in causal
attention 2 x layers x heads x head size x length (half of the full square). Weights: one pass forward, one backward
(the base is frozen, so no gradient of its weights), one more where activations are recomputed. Attention: one forward,
two backward, one more where recomputed. LoRA is left out (below 2 %). ``--peak`` is the card's dense bf16 TFLOP/s.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from selfplay.policy import Policy
from selfplay.samplers.scripted import Scripted
from selfplay.types import Turn
from tests.benchmarks.relay import Relay, make_trainer
from tests.tiny import tiny_tokenizer

SHAPES: dict[str, dict[str, Any]] = {
    "qwen3-0.6b": {
        "vocab_size": 151936, "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28,
        "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "tie_word_embeddings": True,
    },
    "qwen3-4b": {
        "vocab_size": 151936, "hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "tie_word_embeddings": True,
    },
    "tiny": {
        "vocab_size": 512, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "tie_word_embeddings": True,
    },
}  # fmt: skip


class LongTexts(Relay):
    """Two roles, ``rows`` random texts each, paid by chance."""

    def __init__(self, rows: int, length: int, vocabulary: int) -> None:
        self.roles = ("first", "second")
        self.rows_per_seed = dict.fromkeys(self.roles, rows)
        self.rows, self.length, self.vocabulary = rows, length, vocabulary

    def _turns(self, seed, sampler) -> list[Turn]:
        chance = random.Random(seed.index)
        return [self._turn(role, place, chance) for role in self.roles for place in range(self.rows)]

    def _turn(self, role: str, place: int, chance: random.Random) -> Turn:
        ids = [chance.randrange(5, self.vocabulary) for _ in range(self.length)]
        prompt = self.length // 4
        rewards = {"place": float(place % 2) + 0.1 * chance.random()}  # nobody's advantage is 0
        turn = Turn(role, "p", "t", group="all", rewards=rewards)
        turn.prompt_ids, turn.text_ids, turn.logprobs = ids[:prompt], ids[prompt:], [-1.0] * (self.length - prompt)
        return turn


def main() -> None:
    words = parse()
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        shape = SHAPES[words.shape] | {"max_position_embeddings": max(words.length, 512)}
        base = write_base(Path(folder) / "base", shape, words.dtype)
        game = LongTexts(words.rows, words.length, shape["vocab_size"])
        policy = Policy.build(
            str(base), game.roles, rank=16, alpha=32, dtype=words.dtype, checkpointing=words.checkpointing,
            attention=words.attention,
        )  # fmt: skip
        policy.model.to("cuda" if torch.cuda.is_available() else "cpu")
        trainer = make_trainer(policy, game, Scripted({}), Path(folder) / "run", bf16=words.dtype == "bfloat16")
        steps = time_steps(trainer, words.steps)
    print(json.dumps(report(words, shape, policy, steps), indent=1))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="qwen3-0.6b")
    parser.add_argument("--length", type=int, default=4096, help="tokens of a row, prompt and text")
    parser.add_argument("--rows", type=int, default=2, help="rows of each role, 2 or more to have peers")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--attention", help="transformers' attn_implementation")
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--peak", type=float, default=989.0, help="dense bf16 TFLOP/s of the card; 989 is an H100 SXM")
    return parser.parse_args()


def write_base(folder: Path, shape: dict[str, Any], dtype: str) -> Path:
    """A checkpoint of random weights with the test tokenizer, whose few words are never used here."""
    config = AutoConfig.for_model("qwen3", **shape, pad_token_id=0, eos_token_id=1, bos_token_id=None)
    AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype)).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def time_steps(trainer: Any, steps: int) -> list[float]:
    """Seconds of one update each (forward, backward, optimizer), the first two left out."""
    trainer.create_optimizer()
    trainer.current_gradient_accumulation_steps = 1
    batches, items = trainer.get_batch_samples(iter(trainer.get_train_dataloader()), 1, trainer.args.device)
    taken = []
    for _ in range(steps + 2):
        settle()
        started = time.perf_counter()
        trainer.training_step(trainer.model, batches[0], items)
        trainer.optimizer.step()
        trainer.optimizer.zero_grad()
        settle()
        taken.append(time.perf_counter() - started)
    return taken[2:]


def settle() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def report(words: argparse.Namespace, shape: dict[str, Any], policy: Policy, steps: list[float]) -> dict[str, Any]:
    tokens = 2 * words.rows * words.length
    seconds = statistics.median(steps)
    flops = model_flops(policy, shape, tokens, words.length, words.checkpointing)
    on_gpu = torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        **{name: getattr(words, name) for name in ("shape", "length", "rows", "dtype", "checkpointing")},
        "seconds": seconds,
        "tokens_per_second": tokens / seconds,
        "peak_gib": torch.cuda.max_memory_allocated() / 2**30 if on_gpu else None,
        "tflops": flops / seconds / 1e12,
        "mfu": flops / seconds / (words.peak * 1e12) if on_gpu else None,
    }


def model_flops(policy: Policy, shape: dict[str, Any], tokens: int, length: int, checkpointing: bool) -> float:
    """FLOP of forward and backward as the head of this file counts them.

    The embedding is looked up, not multiplied; the tied head is multiplied on every position of the text, taken as all.
    """
    weights = sum(p.numel() for name, p in policy.model.named_parameters() if "lora_" not in name)
    width = shape["num_attention_heads"] * shape["head_dim"]
    linear, attention = 2.0 * weights, 2.0 * shape["num_hidden_layers"] * width * length
    forwards = 2 if checkpointing else 1
    return tokens * (linear * (forwards + 1) + attention * (forwards + 2))


if __name__ == "__main__":
    main()
