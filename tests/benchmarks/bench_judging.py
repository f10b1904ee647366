"""Scored verdicts against sampled ones, their cost and agreement: python tests/benchmarks/bench_judging.py

Lists of the small world, four answers a request sampled from the base, every pair in both orders. Cost: the judge's
call of one window, 24 judgments a request (two of each prompt), sampled and scored one after the other on the same
prompts; the median of the pairs' ratios is the number to look at. ``reasoned`` are verdicts that come after so many
tokens: the small base was never taught to reason, so its rows are kept from ending, and the tokens are paid for, not
read. Agreement: over fresh draws on other requests.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from itertools import permutations

import torch

from selfplay.domains.open_ended import WordLists
from selfplay.evaluation.statistics import bootstrap_mean
from selfplay.policy import Policy
from selfplay.roles.judge_prompt import judge_prompt
from selfplay.roles.verdicts import verdict_choices
from selfplay.samplers.hf import HFSampler
from selfplay.types import Seed, Turn

CHOICES = verdict_choices("compact")
ACTOR_TOKENS, VERDICT_TOKENS = 16, 2  # a list; a letter and the end
REASONED = (16, 32, 64, 256)
DRAWS = 32  # of each prompt, for agreement

Contest = tuple[list[str], list[tuple[float, float]]]
"""The 12 prompts of one request, and the hidden quality of the answers in each: first shown, second shown."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="small", help="as policy.base, in the compact wording")
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--requests", type=int, default=8, help="of the window that is timed")
    parser.add_argument("--measured", type=int, default=140, help="requests over which agreement is measured")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    policy = Policy.build(words.base, ["actor", "judge"])
    policy.model.to(words.device)
    print(f"{words.base} on {words.device}, {words.threads} thread(s), temperature 1")
    report_cost(policy, words.requests, words.pairs)
    report_agreement(policy, words.measured)


def contests(policy: Policy, requests: int, seed: int) -> list[Contest]:
    domain = WordLists()
    asked = [domain.request(Seed(number, "lists")) for number in range(requests)]
    sampler = HFSampler(policy, ACTOR_TOKENS)
    sampler.begin("answers", seed)
    found = []
    for request, answers in zip(asked, sampler.sample("actor", [request.prompt for request in asked], 4), strict=True):
        texts = [answer.text for answer in answers]
        quality = [domain.quality(request, text) or 0.0 for text in texts]
        orders = list(permutations(range(4), 2))
        prompts = [judge_prompt(request.shown, texts[one], texts[two], "compact") for one, two in orders]
        found.append((prompts, [(quality[one], quality[two]) for one, two in orders]))
    return found


# ---- cost -----------------------------------------------------------------------------------------------------------


def report_cost(policy: Policy, requests: int, pairs: int) -> None:
    prompts = [prompt for some, _ in contests(policy, requests, seed=0) for prompt in some]
    ids = [policy.tokenizer(prompt)["input_ids"] for prompt in prompts]
    lengths = [len(row) for row in ids]
    once = len({tuple(row[:end]) for row in ids for end in range(1, len(row) + 1)})
    print(
        f"\n{len(prompts)} judge prompts, {len(set(prompts))} distinct, of {statistics.median(lengths):.0f} tokens "
        f"({min(lengths)} to {max(lengths)}), judged twice each; {pairs} pairs of runs\n"
        f"tokens {sum(lengths)}, of which a tree of common beginnings would compute {once}"
    )
    print("against scored            merge   tokens a reply  other ms  scored ms  median ratio of pairs")
    for merge in ("always", "never"):
        scored = HFSampler(policy, VERDICT_TOKENS, merge=merge)
        report("sampled, letter and end", merge, sampled_call(scored, prompts), scored_call(scored, prompts), pairs)
        if merge == "always":  # what a script without our sampler does, SERL's release among them
            report(
                "transformers' generate", "never", generate_call(policy, prompts), scored_call(scored, prompts), pairs
            )
        report("score() of both letters", merge, score_call(scored, prompts), scored_call(scored, prompts), pairs)
        for tokens in REASONED if merge == "always" else ():
            ends, policy.stop_ids = policy.stop_ids, ()
            reasoned = HFSampler(policy, tokens, merge=merge)
            report("reasoned", merge, sampled_call(reasoned, prompts), scored_call(scored, prompts), 5)
            policy.stop_ids = ends


def report(name: str, merge: str, slow: Callable[[], float], fast: Callable[[], float], pairs: int) -> None:
    tokens = slow()
    fast()  # warm up
    took = [(seconds(slow), seconds(fast)) for _ in range(pairs)]
    ratio = statistics.median(a / b for a, b in took)
    other, mine = (statistics.median(column) * 1e3 for column in zip(*took, strict=True))
    print(f"{name:<25} {merge:<7} {tokens:14.1f} {other:9.1f} {mine:10.1f} {ratio:12.2f} x", flush=True)


def seconds(run: Callable[[], float]) -> float:
    """Of this process on the CPU, which other processes change less than the clock on the wall; on a GPU the clock."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    started = clock()
    run()
    return clock() - started


def sampled_call(sampler: HFSampler, prompts: list[str]) -> Callable[[], float]:
    def run() -> float:
        sampler.begin(0)  # a window's refresh of the merged copy is part of the price
        turns = [turn for turns_G in sampler.sample("judge", prompts, 2) for turn in turns_G]
        return statistics.mean(len(turn.text_ids or ()) for turn in turns)

    return run


def generate_call(policy: Policy, prompts: list[str]) -> Callable[[], float]:
    """The judge's adapter worn, all rows in one batch, a letter and the end."""
    tokenizer = policy.tokenizer
    tokenizer.padding_side = "left"
    texts = [
        tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True)
        for prompt in prompts
    ]
    options = {"do_sample": True, "top_k": 0, "max_new_tokens": VERDICT_TOKENS, "num_return_sequences": 2}

    @torch.no_grad()
    def run() -> float:
        inputs = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt").to(policy.device)
        inputs.pop("token_type_ids", None)
        policy.wear("judge")
        policy.model.eval()
        ids = policy.model.generate(
            **inputs, **options, pad_token_id=tokenizer.pad_token_id, eos_token_id=list(policy.stop_ids)
        )
        tokenizer.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return float(VERDICT_TOKENS)

    return run


def scored_call(sampler: HFSampler, prompts: list[str]) -> Callable[[], float]:
    def run() -> float:
        sampler.begin(0)
        turns = [turn for turns_G in sampler.choose("judge", prompts, CHOICES, 2) for turn in turns_G]
        return statistics.mean(len(turn.text_ids or ()) for turn in turns)

    return run


def score_call(sampler: HFSampler, prompts: list[str]) -> Callable[[], float]:
    def run() -> float:
        sampler.begin(0)
        sampler.score("judge", prompts, CHOICES)
        return 1.0

    return run


# ---- agreement ------------------------------------------------------------------------------------------------------


def report_agreement(policy: Policy, requests: int) -> None:
    """Each figure is a mean over requests, with a bootstrap over requests."""
    sampler = HFSampler(policy, VERDICT_TOKENS)
    sampler.begin("agreement")
    figures: dict[str, list[float]] = {}
    for prompts, qualities in contests(policy, requests, seed=1):
        likelier = [turns_G[0].text for turns_G in sampler.choose("judge", prompts, CHOICES, temperature=0)]
        sampled = texts(sampler.sample("judge", prompts, DRAWS))
        scored = texts(sampler.choose("judge", prompts, CHOICES, DRAWS))
        unequal = [at for at, (first, second) in enumerate(qualities) if first != second]
        better = {at: "A" if qualities[at][0] > qualities[at][1] else "B" for at in unequal}
        everywhere = range(len(prompts))
        rows = {
            "likelier choice = majority of 32 sampled": [
                float(likelier[at] == max(CHOICES, key=sampled[at].count)) for at in everywhere
            ],
            "a scored draw = a sampled one": [same(scored[at], sampled[at]) for at in everywhere],
            "a sampled draw = another sampled one": [same_pair(sampled[at]) for at in everywhere],
            "|share of A, scored - sampled|": [
                abs(scored[at].count("A") - sampled[at].count("A")) / DRAWS for at in everywhere
            ],
            "unreadable, sampled": [1 - sum(map(sampled[at].count, CHOICES)) / DRAWS for at in everywhere],
            "accuracy, sampled": [sampled[at].count(better[at]) / DRAWS for at in unequal],
            "accuracy, scored": [scored[at].count(better[at]) / DRAWS for at in unequal],
            "accuracy, likelier choice": [float(likelier[at] == better[at]) for at in unequal],
        }
        for name, values in rows.items():
            if values:
                figures.setdefault(name, []).append(statistics.fmean(values))
    expected = math.sqrt(2 * 0.25 / DRAWS)
    print(
        f"\nagreement over {requests} requests, 12 prompts each, {DRAWS} draws (|share| noise at most {expected:.3f})"
    )
    for name, means in figures.items():
        low, high = bootstrap_mean(means)
        print(f"{name:<42} {statistics.fmean(means):.3f}  ({low:.3f} to {high:.3f})")


def texts(turns_N_G: list[list[Turn]]) -> list[list[str]]:
    return [[turn.text for turn in turns_G] for turns_G in turns_N_G]


def same(one_G: list[str], other_G: list[str]) -> float:
    """The chance that a draw of the one is a draw of the other."""
    return sum(one_G.count(text) * other_G.count(text) for text in set(one_G)) / len(one_G) / len(other_G)


def same_pair(one_G: list[str]) -> float:
    """The chance that two different draws are the same."""
    return sum(one_G.count(text) * (one_G.count(text) - 1) for text in set(one_G)) / len(one_G) / (len(one_G) - 1)


if __name__ == "__main__":
    main()
