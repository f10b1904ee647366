"""What Ctx2Skill will ask for on given contexts, before anything is asked: calls and tokens of each role.

contexts, settings, limits of replies --prompts as they will be worded--> Asked(calls, most_calls, prompt_tokens, ...)

Every prompt is built with nothing in the places of what agents will have said, and those places are counted as full:
as long as the limit of that reply, a skill in every prompt that may have one, with as many entries as it can come to.
So tokens are upper bounds where nothing is asked twice, as far as text is CHARACTERS_A_TOKEN and the tasks of one reply
are equally long (replay could choose the longest). Of the two proposers the bound is on their sum, for a task is shown
to one side. What is asked again after an unreadable reply comes on top, and ``most_calls`` has all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from selfplay.games.ctx2skill_settings import Settings
from selfplay.types import Asked, Context, ContextDomain, Prompt, Side, Trace

CHARACTERS_A_TOKEN = 4.0
"""Of English, by rule of thumb; other languages and tables have fewer."""

OVERVIEW = 50
"""Tokens of a task's line in a proposer's overview: 200 characters."""

BARE_TRACE = Trace("", ("",) * 15, "", "", (False,) * 15)
"""What stands around the texts of a trace; 15 rubrics are the paper's most."""

SIDES: tuple[Side, Side] = ("reasoner", "challenger")


def budget(
    domain: ContextDomain, settings: Settings, contexts: Sequence[Context], limits: Mapping[str, int]
) -> dict[str, Asked]:
    """By role, over all of ``contexts``, which may hold one several times.

    Args:
        limits: most tokens of a reply of each role.
    """
    sums: dict[str, Asked] = {}
    visits: Counter[str] = Counter()
    for context in contexts:
        visits[context.key] += 1
        for role, asked in _of_one(domain, settings, context, limits, visits[context.key]).items():
            sums[role] = sums[role] + asked if role in sums else asked
    return sums


def _of_one(
    domain: ContextDomain, settings: Settings, context: Context, limits: Mapping[str, int], visit: int
) -> dict[str, Asked]:
    compact = domain.wording == "compact"
    once = replace(settings, tries=1).rows(compact)
    most = settings.rows(compact)
    skills: dict[Side, int] = {side: _entries(settings, side, visit) * limits[f"{side}_generator"] for side in SIDES}
    prompts = _prompts(domain, settings, context, limits, skills)
    return {
        role: Asked(calls, most[role], round(calls * prompts[role]), calls * limits[role])
        for role, calls in once.items()
    }


def _entries(settings: Settings, side: Side, visit: int) -> int:
    """Most skills that a side's set holds by the end of the ``visit``-th visit to a context."""
    if side not in settings.evolves:
        return 0
    if settings.replacement == "replace":
        return 1
    written = settings.rounds * (visit if settings.carry else 1)
    return written if settings.most_skills is None else min(written, settings.most_skills)


def _prompts(
    domain: ContextDomain,
    settings: Settings,
    context: Context,
    limits: Mapping[str, int],
    skill: Mapping[Side, int],
) -> dict[str, float]:
    """Tokens of one prompt of each role; ``skill``: of a side's whole set."""
    compact = domain.wording == "compact"
    challenge = domain.challenge_prompt(context, "", 1 if compact else settings.tasks)
    ask_rubrics = domain.rubric_prompt(context, "")
    task = limits["challenger"] / (1 if compact else settings.tasks)  # its rubrics besides, where they come with it
    rubrics = limits["challenger"] if ask_rubrics is not None else 0
    told = {"challenger": _tokens(challenge) + skill["challenger"]}
    if ask_rubrics is not None:  # as many questions for rubrics as votes, after each task
        votes = settings.rubric_votes
        told["challenger"] = (told["challenger"] + votes * (_tokens(ask_rubrics) + task)) / (1 + votes)
    told["reasoner"] = _tokens(domain.reason_prompt(context, "", "")) + skill["reasoner"] + task
    told["judge"] = _tokens(domain.judge_prompt("", (), "")) + task + rubrics + limits["reasoner"]
    trace = task + rubrics + limits["reasoner"] + limits["judge"]
    for side in SIDES:
        form = domain.merged_prompt if settings.merged else domain.propose_prompt
        bare = form(context, [BARE_TRACE] * settings.tasks, "", side, [""] * settings.tasks)
        said = settings.tasks * (OVERVIEW + trace / max(1, len(settings.evolves)))  # to both sides; to one of them
        proposing = _tokens(bare) + said + skill[side]
        told[f"{side}_proposer"] = proposing
        generating = _tokens(domain.generate_prompt("", "", side)) + limits[f"{side}_proposer"] + skill[side]
        told[f"{side}_generator"] = proposing if settings.merged else generating
    return told


def _tokens(prompt: Prompt) -> float:
    messages = [prompt] if isinstance(prompt, str) else [message["content"] for message in prompt]
    return sum(map(len, messages)) / CHARACTERS_A_TOKEN
