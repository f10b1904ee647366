"""What a judging budget buys: python -m tests.benchmarks.bench_schedules [--base small]

On real verdicts: every four of five models' answers to 80 questions, two judges (vicuna80, bcdnlp/PRD), each schedule
replayed under all 24 numberings of the answers (`tests/reality/replay.py` has the definitions). The widths of
`roles.adaptive` were chosen on the odd questions of both judges; the even ones are the confirmation. Two intervals:
Wilson's, as if the tables were independent, and a bootstrap over questions, since five tables share a question.

With ``--base``: lists that the base wrote and judged, verdicts sampled and scored, two draws of every table. There a
full schedule does not even agree with itself: the last columns are agreement with the winners of the other draw.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import fmean
from unittest.mock import patch

from selfplay.evaluation.statistics import bootstrap_mean
from selfplay.policy import Policy
from selfplay.roles import adaptive
from selfplay.roles.adaptive import Adaptive
from selfplay.roles.schedules import AllPairs, Knockout, Schedule
from selfplay.roles.verdicts import read_verdict
from selfplay.samplers.hf import HFSampler
from tests.benchmarks.bench_judging import CHOICES, VERDICT_TOKENS, contests, texts
from tests.reality.folder import json_lines, real_data
from tests.reality.replay import (
    MEETINGS,
    AtRandom,
    OnlyAsked,
    Replay,
    Table,
    chance_share,
    provable_share,
    replay,
    strict_share,
)
from tests.reality.test_vicuna80 import JUDGES, four_by_four, scores_of

FITTED = {"gpt35": (3.0, 0.0, 0.5, 1.0), "bard": (1.0, 2.0, 0.5, 0.1)}
"""Of each judge on the odd questions, by likelihood on a coarse grid: strength, lean and its deviation, ties. A bound:
what the schedule could do if it knew its judge."""

ON_A_BASE = ("all pairs", "8 at random", "knock-out", "adaptive, 6", "adaptive, 8", "adaptive, 8, two at once")
TABLES = 5  # of one question: four of five models

SCHEDULES: dict[str, Schedule] = {
    "all pairs": AllPairs(judgments=2),
    "8 at random": AtRandom(),
    "knock-out": Knockout(),
    "adaptive, 6": Adaptive(6),
    "adaptive, 7": Adaptive(7),
    "adaptive, 8": Adaptive(8),
    "adaptive, 8, never sure": Adaptive(8, sure=1),
    "adaptive, 8, sure .9": Adaptive(8, sure=0.9),
    "adaptive, 8, two at once": Adaptive(8, at_once=2),
    "adaptive, 8, four at once": Adaptive(8, at_once=4),
    "adaptive, 8, lean 1.5": Adaptive(8, lean=1.5),
    "adaptive, 8, as asked": OnlyAsked(8),
    "adaptive, 9": Adaptive(9),
    "adaptive, 10": Adaptive(10),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", help="as policy.base, in the compact wording; without it the real verdicts")
    parser.add_argument("--requests", type=int, default=400)
    words = parser.parse_args()
    if words.base:
        on_a_base(words.base, words.requests)
    else:
        on_real_verdicts()


def on_real_verdicts() -> None:
    rows = json_lines(real_data("vicuna80") / "ratings_gpt35_bard.jsonl")
    for judge in JUDGES:
        tables = four_by_four(scores_of(rows, judge), range(1, 81))
        print(f"\njudge {judge}: {about(tables)}")
        print(f"{'schedule':<26} odd    even   all    Wilson          by question     judgments  most  reward error")
        for name, schedule in SCHEDULES.items():
            print(f"{name:<26} {line(replay(schedule, tables))}", flush=True)
        strength, lean, spread, tie = FITTED[judge]
        with patch.multiple(adaptive, STRENGTH=strength, LEAN=spread, TIE=tie):
            forget()
            print(f"{'adaptive, 8, fitted':<26} {line(replay(Adaptive(8, lean=lean), tables))}", flush=True)
        forget()


def forget() -> None:
    """What was worked out under other widths."""
    adaptive.look_ahead.cache_clear()
    adaptive._tables.cache_clear()


def about(tables: Sequence[Table]) -> str:
    return (
        f"{len(tables)} tables, one winner in {strict_share(tables):.3f}, a random answer is a winner in "
        f"{chance_share(tables):.3f}, 8 verdicts of an oracle's choice prove one in {provable_share(tables, 8):.3f}"
    )


def line(found: Replay) -> str:
    by_question = [fmean(found.shares[at : at + TABLES]) for at in range(0, len(found.shares), TABLES)]
    odd, even = (fmean(by_question[parity::2]) for parity in (0, 1))  # questions count from 1
    low, high = bootstrap_mean(by_question)
    return (
        f"{odd:.3f}  {even:.3f}  {found.agreement:.3f}  {found.low:.3f} to {found.high:.3f}  {low:.3f} to {high:.3f}  "
        f"{found.judgments:9.2f} {found.most:5d} {found.reward_error:13.3f}"
    )


def on_a_base(base: str, requests: int) -> None:
    policy = Policy.build(base, ["actor", "judge"])
    for verdicts in ("sampled", "scored"):
        tables, others = base_tables(policy, requests, verdicts)
        print(f"\n{base}, verdicts {verdicts}: {about(tables)}")
        print(f"{'schedule':<26} all    Wilson          judgments  most  reward error  other draw  Wilson")
        for name in ON_A_BASE:
            own = replay(SCHEDULES[name], tables, every_numbering=False)
            other = replay(SCHEDULES[name], tables, others, every_numbering=False)
            print(
                f"{name:<26} {own.agreement:.3f}  {own.low:.3f} to {own.high:.3f}  {own.judgments:9.2f} {own.most:5d} "
                f"{own.reward_error:13.3f} {other.agreement:11.3f}  {other.low:.3f} to {other.high:.3f}",
                flush=True,
            )


def base_tables(policy: Policy, requests: int, verdicts: str) -> tuple[list[Table], list[Table]]:
    """Two draws of the verdicts on the same lists."""
    sampler = HFSampler(policy, VERDICT_TOKENS)
    sampler.begin("schedules", verdicts)
    found = contests(policy, requests, seed=2)
    prompts = [prompt for some, _ in found for prompt in some]
    if verdicts == "sampled":
        replies = texts(sampler.sample("judge", prompts, 2))
    else:
        replies = texts(sampler.choose("judge", prompts, CHOICES, 2))
    rows: list[list[list[str]]] = [replies[at : at + len(MEETINGS)] for at in range(0, len(replies), len(MEETINGS))]

    def draw(number: int) -> list[Table]:
        return [
            {meeting: read_verdict(row[at][number], "compact") for at, meeting in enumerate(MEETINGS)} for row in rows
        ]

    return draw(0), draw(1)


if __name__ == "__main__":
    main()
