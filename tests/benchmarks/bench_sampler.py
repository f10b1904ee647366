"""The sampler against plain ``generate``, in pairs on the same prompts: python tests/benchmarks/bench_sampler.py

One round of SQLM's solver: 12 problems, 8 answers each, at most 42 new tokens, the solver's adapter on. Each pair runs
``generate`` and the sampler one after the other, so that a busy machine slows both; the median of the pairs' ratios is
the number to look at. ``full`` rows never stop, ``ends`` rows stop where the base stops.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from selfplay.policy import Policy
from selfplay.samplers.hf import HFSampler

PROMPTS = [
    f"solve {a}+{b}"
    for a, b in zip(range(17, 800, 66), (5, 23, 981, 77, 406, 8, 512, 64, 39, 7, 250, 333), strict=True)
]
SAMPLES = 8
NEW_TOKENS = 42


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="small", help="as policy.base")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rounds", type=int, default=1, help="problems, in dozens")
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    policy = Policy.build(words.base, ["proposer", "solver"], dtype=words.dtype)
    policy.model.to(words.device)
    prompts = PROMPTS * words.rounds
    print(
        f"{words.base} on {words.device}, {len(prompts) * SAMPLES} rows, {NEW_TOKENS} new tokens, {words.pairs} pairs"
    )
    print("rows  sampler          generate ms  sampler ms  median ratio of pairs  tokens/s")
    ends = policy.stop_ids
    for name, stops in (("full", ()), ("ends", ends)):
        policy.stop_ids = stops
        rival = plain_generate(policy, prompts, stops)
        for merge in ("always", "never"):
            report(name, merge, rival, ours(policy, prompts, merge), words.pairs)


def report(name: str, merge: str, rival: Callable[[], int], mine: Callable[[], int], pairs: int) -> None:
    tokens = rival() + mine()  # warm up
    slow: list[float] = []
    fast: list[float] = []
    for _ in range(pairs):
        slow.append(seconds(rival)[0])
        took, tokens = seconds(mine)
        fast.append(took)
    ratio = statistics.median(a / b for a, b in zip(slow, fast, strict=True))
    median = statistics.median(fast)
    print(
        f"{name:<5} merge={merge:<10} {statistics.median(slow) * 1e3:10.0f} {median * 1e3:11.0f} "
        f"{ratio:13.2f} x {tokens / median:19.0f}"
    )


def seconds(run: Callable[[], int]) -> tuple[float, int]:
    started = time.perf_counter()
    tokens = run()
    return time.perf_counter() - started, tokens


def ours(policy: Policy, prompts: list[str], merge: str) -> Callable[[], int]:
    sampler = HFSampler(policy, NEW_TOKENS, merge=merge)

    def run() -> int:
        sampler.begin(0)  # a window's refresh of the merged copy is part of the price
        turns_N_G = sampler.sample("solver", prompts, SAMPLES)
        return sum(len(turn.text_ids or ()) for turns_G in turns_N_G for turn in turns_G)

    return run


def plain_generate(policy: Policy, prompts: list[str], stops: tuple[int, ...]) -> Callable[[], int]:
    tokenizer = policy.tokenizer
    tokenizer.padding_side = "left"
    talks = [[{"role": "user", "content": prompt}] for prompt in prompts]
    options = {
        "do_sample": True,
        "top_k": 0,
        "top_p": 1.0,
        "temperature": 1.0,
        "max_new_tokens": NEW_TOKENS,
        "num_return_sequences": SAMPLES,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": list(stops) or None,
    }

    def run() -> int:
        texts = [tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True) for talk in talks]
        inputs = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt").to(policy.device)
        inputs.pop("token_type_ids", None)
        policy.wear("solver")
        policy.model.eval()
        with torch.no_grad():
            ids = policy.model.generate(**inputs, **options)[:, inputs["input_ids"].shape[1] :]
        tokenizer.batch_decode(ids, skip_special_tokens=True)
        return ids.numel()

    return run


if __name__ == "__main__":
    main()
