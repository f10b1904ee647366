"""What a judging budget buys on real verdicts: python -m tests.benchmarks.bench_schedules

Every four of five models' answers to 80 questions, two judges (vicuna80, bcdnlp/PRD), each schedule replayed under all
24 numberings of the answers (`tests/reality/replay.py` has the definitions). The widths of `roles.adaptive` were chosen
on the odd questions of both judges; the even ones are the confirmation. Two intervals: Wilson's, as if the tables were
independent, and a bootstrap over questions, since five tables share a question's verdicts.
"""

from __future__ import annotations

from statistics import fmean

from selfplay.evaluation.statistics import bootstrap_mean
from selfplay.roles.adaptive import Adaptive
from selfplay.roles.schedules import AllPairs, Knockout, Schedule
from tests.reality.folder import json_lines, real_data
from tests.reality.replay import AtRandom, Replay, chance_share, provable_share, replay, strict_share
from tests.reality.test_vicuna80 import JUDGES, four_by_four, scores_of

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
    "adaptive, 9": Adaptive(9),
    "adaptive, 10": Adaptive(10),
}


def main() -> None:
    rows = json_lines(real_data("vicuna80") / "ratings_gpt35_bard.jsonl")
    for judge in JUDGES:
        tables = four_by_four(scores_of(rows, judge), range(1, 81))
        print(
            f"\njudge {judge}: one winner in {strict_share(tables):.3f} of {len(tables)} tables, a random answer is a "
            f"winner in {chance_share(tables):.3f}, 8 verdicts of an oracle's choice prove a winner in "
            f"{provable_share(tables, 8):.3f}"
        )
        print(f"{'schedule':<26} odd    even   all    Wilson          by question     judgments  most  reward error")
        for name, schedule in SCHEDULES.items():
            print(f"{name:<26} {line(replay(schedule, tables))}", flush=True)


def line(found: Replay) -> str:
    by_question = [fmean(found.shares[at : at + TABLES]) for at in range(0, len(found.shares), TABLES)]
    odd, even = (fmean(by_question[parity::2]) for parity in (0, 1))  # questions count from 1
    low, high = bootstrap_mean(by_question)
    return (
        f"{odd:.3f}  {even:.3f}  {found.agreement:.3f}  {found.low:.3f} to {found.high:.3f}  {low:.3f} to {high:.3f}  "
        f"{found.judgments:9.2f} {found.most:5d} {found.reward_error:13.3f}"
    )


if __name__ == "__main__":
    main()
