"""What a small base can do, skill by skill, on held-out problems and fresh pairs; measured by ground truth.

What a base of rule books can do is in `rule_book_scoring`.

selfplay small-base score --base small
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from selfplay.domains.arithmetic import Arithmetic
from selfplay.domains.world import WORLD, quality, random_list, read_list
from selfplay.roles.solver import majority
from selfplay.small_base import corpus, rule_book_scoring
from selfplay.small_base.records import corpus_of
from selfplay.small_base.replies import Base, Scores
from selfplay.types import Problem

SAMPLES = 8


def score(folder: Path | str, n: int = 100, seed: int = 1, corpus_name: str | None = None) -> Scores:
    """Every skill of the base in ``folder``.

    Args:
        n: held-out problems of each operand length (a length with fewer gives all it has), prompts of the other skills.
        seed: of the problems and of the sampling.
        corpus_name: what the base was made from, one of `corpora.CORPORA`; None looks into its build.json.
    """
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    base = Base(model, AutoTokenizer.from_pretrained(folder))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if (corpus_name or corpus_of(Path(folder))) == "rule_books":
            return rule_book_scoring.score(base, n, seed)
        return score_solve(base, n, seed) | score_propose(base, n) | score_list(base, n) | score_judge(base, n, seed)


def score_solve(base: Base, per_level: int, seed: int) -> Scores:
    """Each problem counts the same overall, as in the arithmetic yardstick."""
    domain = Arithmetic(digits=corpus.OPERAND_DIGITS)
    levels = domain.held_out_problems(per_level, seed)
    problems = [problem for level in sorted(levels) for problem in levels[level]]
    prompts = [str(domain.solve_prompt(problem)) for problem in problems]
    sampled = base.replies(prompts, SAMPLES)
    greedy = base.replies(prompts, 1, temperature=0.0)
    rows = list(zip(problems, sampled, greedy, strict=True))
    scores = dict(_solve_scores(domain, rows, "solve"))
    for level in sorted(levels):
        of_level = [row for row in rows if row[0].level == level]
        scores |= dict(_solve_scores(domain, of_level, f"solve/digits_{level}"))
    return scores


def _solve_scores(
    domain: Arithmetic, rows: Sequence[tuple[Problem, list[str], list[str]]], name: str
) -> Iterator[tuple[str, float]]:
    right_of = {True: [], False: []}  # worked or not -> right or not
    for problem, texts, _ in rows:
        for text in texts:
            right_of[is_worked(text)].append(domain.read_answer(text) == problem.truth)
    every = right_of[True] + right_of[False]
    yield f"{name}/pass@1", _mean(every)
    yield f"{name}/greedy", _mean([domain.read_answer(g[0]) == p.truth for p, _, g in rows])
    yield (
        f"{name}/maj@{SAMPLES}",
        _mean([majority([domain.read_answer(t) for t in texts]).answer == p.truth for p, texts, _ in rows]),
    )
    yield f"{name}/worked_share", len(right_of[True]) / len(every)
    yield f"{name}/worked_right", _mean(right_of[True])
    yield f"{name}/direct_right", _mean(right_of[False])
    yield f"{name}/greedy_worked_share", _mean([is_worked(g[0]) for _, _, g in rows])


def is_worked(text: str) -> bool:
    """Whether a solution shows columns before its answer.

    >>> is_worked(">12"), is_worked("7+5+0=12,0+0+1=01,0+0+0=00>12")
    (False, True)
    """
    return "=" in text


def score_propose(base: Base, n: int) -> Scores:
    domain = Arithmetic(digits=corpus.OPERAND_DIGITS)
    (texts,) = base.replies([str(domain.propose_prompt(corpus.TOPIC))], 4 * n)
    problems = [domain.read_problem(text) for text in texts]
    valid = [problem for problem in problems if problem is not None and problem.level <= domain.digits]
    scores = {
        "propose/valid": len(valid) / len(texts),
        "propose/distinct": len({problem.key for problem in valid}) / max(1, len(valid)),
        "propose/held_out": _mean([domain.is_held_out(problem) for problem in valid]),
    }
    for level in range(1, domain.digits + 1):
        scores[f"propose/digits_{level}"] = _mean([problem.level == level for problem in valid])
    return scores


def score_list(base: Base, n: int) -> Scores:
    categories = list(WORLD)
    texts_C_G = base.replies([f"list {category}" for category in categories], max(1, n // 2))
    qualities = [
        float(quality(category, read_list(text)))
        for category, texts in zip(categories, texts_C_G, strict=True)
        for text in texts
    ]
    mean = _mean(qualities)
    return {"list/quality": mean, "list/spread": _mean([(one - mean) ** 2 for one in qualities]) ** 0.5}


def score_judge(base: Base, n: int, seed: int) -> Scores:
    """On fresh pairs as in training, and on pairs of lists as the untrained actor writes them (no garbage, closer)."""
    rng = random.Random(f"judge {seed}")
    scores = {}
    for kind, draw in (("judge", corpus.judge), ("judge/actor_lists", judge_actor_lists)):
        examples = [draw(rng) for _ in range(4 * n)]
        prompts = [example.prompt for example in examples]
        sampled, greedy = base.replies(prompts, 1), base.replies(prompts, 1, temperature=0.0)
        scores[f"{kind}/valid"] = _mean([texts[0] in ("A", "B") for texts in sampled])
        scores[f"{kind}/sampled"] = _mean([t[0] == e.reply for t, e in zip(sampled, examples, strict=True)])
        scores[f"{kind}/greedy"] = _mean([t[0] == e.reply for t, e in zip(greedy, examples, strict=True)])
    return scores


def judge_actor_lists(rng: random.Random) -> corpus.Example:
    """A pair of lists of different quality, drawn as the list skill's examples are."""
    category = rng.choice(list(WORLD))
    while True:
        lists = [random_list(rng, category, corpus.ON_TOPIC_SHARE) for _ in "AB"]
        first, second = (quality(category, words) for words in lists)
        if first != second:
            prompt = corpus.judge_prompt(category, *(" ".join(words) for words in lists))
            return corpus.Example(prompt, "A" if first > second else "B")


def _mean(values: Sequence[float]) -> float:
    """0 where there is nothing to average."""
    return sum(values) / len(values) if values else 0.0
