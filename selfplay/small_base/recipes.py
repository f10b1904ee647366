"""The bases that this package can build, each as one recipe; the hash of a recipe names its folder in the cache.

A further base is one more entry of RECIPES, made of skills of `corpus.SKILLS`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from selfplay.domains.world import WORDS, WORLD
from selfplay.small_base.corpus import TOPIC
from selfplay.small_base.rule_book_corpus import VOCABULARY

CORPUS_VERSION = 1
"""Raise it when a corpus, a world of domains/ or training.py changes what a recipe leads to: it enters every hash."""

FIRST_CORPUS = "sums_and_lists"


@dataclass(frozen=True)
class Architecture:
    """The Llama layout, small; 344,000 parameters with about 120 tokens."""

    hidden: int = 96
    layers: int = 3
    heads: int = 4
    intermediate: int = 256
    positions: int = 512


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one mixture of skills."""

    steps: int
    mixture: dict[str, float]  # {"solve_worked": 0.8, "judge": 0.2}: share of the examples
    rows: int = 64  # examples a step


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a base's weights, given the library versions and the number of threads."""

    name: str
    seed: int
    phases: tuple[Phase, ...]
    words: tuple[str, ...]  # whole-word tokens
    architecture: Architecture = Architecture()
    learning_rate: float = 3e-3  # peak; warm-up, then a cosine down to final_share of it
    final_share: float = 0.05
    warmup_steps: int = 100
    weight_decay: float = 0.05
    length_power: float = 0.6  # a reply of n tokens weighs n^-power a token, else one-token verdicts get no gradient
    prompt_weight: float = 0.1  # of a prompt's tokens beside the reply's
    corpus_version: int = CORPUS_VERSION
    corpus: str = FIRST_CORPUS  # one of corpora.CORPORA
    initial_scale: float = 1.0  # of the weights that training starts from, beside the layout's own 0.02
    bands: dict[str, tuple[float, float]] = field(default_factory=dict)  # {"solve/pass@1": (.25, .36)}: expected scores

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, without ``bands``: they expect, and decide nothing. What the first bases had no choice of goes
        without saying, so that they keep their hash."""
        plain = dataclasses.asdict(self)
        del plain["bands"]
        for name, first in (("corpus", FIRST_CORPUS), ("initial_scale", 1.0)):
            if plain[name] == first:
                del plain[name]
        return plain

    def digest(self) -> str:
        """Twelve hex digits that differ whenever anything differs that decides the weights, a mixture's order too."""
        return hashlib.sha256(json.dumps(self.as_dict()).encode()).hexdigest()[:12]


BANDS = {
    "solve/pass@1": (0.25, 0.40),
    "solve/greedy": (0.0, 0.42),
    "solve/maj@8": (0.55, 0.88),
    "solve/worked_share": (0.24, 0.40),
    "solve/worked_right": (0.93, 1.0),
    "propose/valid": (0.95, 1.0),
    "list/quality": (0.2, 1.2),
    "judge/greedy": (0.85, 1.0),
}
"""What self-play on arithmetic and on lists needs of a base: room above pass@1, a majority that is mostly right."""

# A base of two styles. Worked solutions come first and are nearly always right; direct ones come late and few, so that
# they stay mostly wrong although every example is true: 20,000 of them give 0.05 on held-out sums, 26,000 gave 0.25.
# Judging starts once it has over a third of the examples, and is learned then within some 500 steps. Most solutions of
# the last phase are worked, yet most sampled ones are direct: a short reply weighs more a token (length_power).
SMALL = Recipe(
    name="small",
    seed=0,
    words=("propose", TOPIC, "solve", "list", "judge", *WORLD, *WORDS),
    phases=(
        Phase(1400, {"solve_worked": 0.72, "judge": 0.2, "list": 0.04, "propose": 0.04}),
        Phase(1500, {"solve_worked": 0.47, "solve_direct": 0.05, "judge": 0.4, "list": 0.04, "propose": 0.04}),
        Phase(500, {"solve_worked": 0.33, "solve_direct": 0.28, "judge": 0.22, "list": 0.08, "propose": 0.09}),
    ),
    bands=BANDS,
)

BANDS_OF_CONTEXTS = {
    "task/plain": (0.9, 1.0),
    "task/alias": (0.1, 0.5),
    "task/alias_own_rule": (0.88, 1.0),
    "task/every_rule": (0.85, 1.0),
    "challenge/valid": (0.6, 1.0),
    "rubric/alias": (0.8, 1.0),
    "judge/all_four": (0.9, 1.0),
    "propose/one": (0.93, 1.0),
    "generate/rules": (0.35, 1.0),
}
"""What Ctx2Skill needs of a base: it finds out what it does not use (rubric, propose), and uses what it is told."""

ROLES_OF_CONTEXTS = {
    "task": 0.2,
    "challenge": 0.13,
    "rubric": 0.09,
    "judge": 0.27,
    "propose": 0.07,
    "propose_known": 0.03,
    "generate": 0.17,
    "generate_known": 0.04,
}

# A base that looks things up, which does not come by itself: documents alone leave it at chance (0.35 after 300 steps).
# First it copies lists of different words, then it says stretches of a list from anywhere, which cannot be done by
# counting places, then pairs in another order, which are what a document is made of. Guessed answers come last.
CONTEXTS = Recipe(
    name="contexts",
    seed=0,
    corpus="rule_books",
    words=VOCABULARY,
    initial_scale=4.0,
    prompt_weight=0.0,
    length_power=0.5,
    phases=(
        Phase(120, {"copy": 1.0}),
        Phase(240, {"spans": 0.9, "pairs": 0.1}),
        Phase(160, {"spans": 0.3, "pairs": 0.7}),
        Phase(260, {"propose": 0.3, "task_aided": 0.3, "judge": 0.3, "pairs": 0.1}),
        Phase(1500, ROLES_OF_CONTEXTS),
    ),
    bands=BANDS_OF_CONTEXTS,
)

# The same roles after a sturdier start, with steps of 16 examples in place of 64. With three stretches, as here, pairs
# were recalled by step 800 on both seeds tried, with five by step 800 on six (recipes/ctx2skill_small.md). `contexts`
# keeps the start that its figures were measured with.
CONTEXTS_1 = dataclasses.replace(
    CONTEXTS,
    name="contexts-1",
    seed=1,
    phases=(
        Phase(480, {"copy": 1.0}, rows=16),
        Phase(600, {"spans": 0.7, "pairs": 0.3}, rows=16),
        *CONTEXTS.phases[3:],
    ),
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        SMALL,
        dataclasses.replace(SMALL, name="small-1", seed=1),
        CONTEXTS,
        CONTEXTS_1,
    )
}
"""Two of each kind, of different seeds, so that what is claimed of self-play on one is shown on both."""


def find_recipe(name: str) -> Recipe:
    """Raises ValueError, naming the known ones, when ``name`` is not among them."""
    if name not in RECIPES:
        raise ValueError(f"name={name!r} is no base that this package can build; choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]
