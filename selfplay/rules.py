"""What each plain key of a recipe may hold: one line per key, checked before anything is built or loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from selfplay.learner.loss_mix import Word
from selfplay.learner.normalisation import LOSS_TYPES

Rule = tuple[Callable[[Any], bool], str]
"""Whether a value will do, and what would: ``must be <that>``."""


def _number(low: float, above: bool = False) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return value > low if above else value >= low  # also False for NaN

    return holds


def _whole(low: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= low


def _maybe(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


def _per_role(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: all(map(holds, value.values())) if isinstance(value, Mapping) else holds(value)


def _is_loss_mix(value: Any) -> bool:
    return all(map(_number(0), value.values())) if isinstance(value, Mapping) else value in get_args(Word)


def _one_of(*choices: str) -> Rule:
    return (lambda value: value in choices), f"one of {', '.join(choices)}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _is_name(value: Any) -> bool:
    """A folder's name, not a path: a run called ../x would write outside its output folder."""
    return isinstance(value, str) and re.fullmatch(r"[\w][\w.+=-]*", value) is not None


def _are_topics(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_script(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(texts, list) for texts in value.values())


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(settings, dict) for settings in value.values())


POSITIVE: Rule = (_whole(1), "a whole number from 1")
COUNT: Rule = (_whole(0), "a whole number from 0")
SWITCH: Rule = (_is_switch, "true or false")
TEXT: Rule = (_is_text, "a word or a path")
PLAYERS = ("model", "script", "human", "endpoint")

RULES: dict[str, Rule] = {
    "seed": COUNT,
    "run_name": (_is_name, "a plain folder name of letters, digits and . _ + = -, e.g. first-try"),
    "output_dir": TEXT,
    "resume": (_is_text, "auto, never or the path of a checkpoint"),
    "resume_allow": (_are_words, "a list of keys, e.g. [learner.lr,evaluation]"),
    "dry_run": SWITCH,
    "max_steps": POSITIVE,
    "processes": (_maybe(_whole(1)), "the number of processes to start on, or null for as many as were launched"),
    "seeds.per_window": POSITIVE,
    "seeds.topics": (_are_topics, "a list with at least one topic, e.g. [addition]"),
    "players": (
        _per_role(lambda value: value in PLAYERS),
        f"one of {', '.join(PLAYERS)}, or one of them for each role",
    ),
    "script": (_is_script, "lists of texts by role"),
    "endpoints": (_is_table, "mappings by role, e.g. {judge: {model: NAME}}"),
    "policy.base": (_is_text, "small, the folder of a transformers checkpoint, or a hub id"),
    "policy.rank": POSITIVE,
    "policy.alpha": (_number(0, above=True), "a number above 0"),
    "policy.dtype": _one_of("float32", "bfloat16", "float16"),
    "policy.adapters": _one_of("per_role", "shared", "none"),
    "policy.checkpointing": SWITCH,
    "sampler.max_new_tokens": (_per_role(_whole(1)), "a whole number from 1, or one for each role"),
    "sampler.temperature": (_number(0, above=True), "a number above 0, since the learner needs samples; try 1.0"),
    "sampler.truncate": (lambda value: value in (None, "start", "middle"), "start or middle"),
    "learner.lr": (_per_role(_number(0, above=True)), "a number above 0, e.g. 1e-3, or one for each role"),
    "learner.kl": (_per_role(_number(0)), "a number from 0, e.g. 0.1, or one for each role"),
    "learner.loss_mix": (_is_loss_mix, "sum, ramp or a number from 0 for each role, e.g. {actor: 1, judge: 0.5}"),
    "learner.epsilon": (_number(0, above=True), "a number above 0, e.g. 0.2"),
    "learner.scale": _one_of("group", "batch", "none"),
    "learner.loss_type": _one_of(*sorted(LOSS_TYPES)),
    "learner.baseline": _one_of("group", "role_ema"),
    "learner.warmup": COUNT,
    "learner.max_grad_norm": (_number(0, above=True), "a number above 0, e.g. 1.0"),
    "learner.weight_decay": (_number(0), "a number from 0"),
    "learner.rows_per_role": (_maybe(_whole(1)), "a whole number from 1, or null for the whole window at once"),
    "learner.updates_per_window": POSITIVE,
    "learner.save_every": COUNT,
    "learner.bad_steps": COUNT,
    "learner.keep": POSITIVE,
    "learner.keep_best": (_maybe(_is_text), "the name of a metric, e.g. yardstick/arithmetic/pass@1, or null"),
    "evaluation.every": COUNT,
    "evaluation.duel": SWITCH,
    "tracking.wandb": _one_of("auto", "online", "offline", "disabled"),
    "tracking.project": TEXT,
    "tracking.group": (_maybe(_is_text), "a word, or null for the recipe's name"),
    "tracking.job_type": (_maybe(_is_text), "a word, or null for method or the control arm"),
    "tracking.transcripts_every": COUNT,
}
