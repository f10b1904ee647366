"""What Ctx2Skill will ask for on given contexts, before anything is asked: calls and tokens of each role.

contexts, settings, limits of replies --prompts as they will be worded--> Asked(calls, most_calls, prompt_tokens, ...)

Every prompt is built with nothing in the places of what agents will have said, and those places are counted as full:
as long as the limit of that reply. So tokens are upper bounds where nothing is asked twice, as far as text is
CHARACTERS_A_TOKEN; what is asked again after an unreadable reply comes on top, and ``most_calls`` has all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from selfplay.games.ctx2skill_settings import Settings
from selfplay.types import Asked, Context, ContextDomain, Prompt, Side

CHARACTERS_A_TOKEN = 4.0
"""Of English, by rule of thumb; other languages and tables have fewer."""

OVERVIEW = 50
"""Tokens of a task's line in a proposer's overview: 200 characters."""

SIDES: tuple[Side, Side] = ("reasoner", "challenger")


def budget(
    domain: ContextDomain, settings: Settings, contexts: Sequence[Context], limits: Mapping[str, int]
) -> dict[str, Asked]:
    """By role, over all of ``contexts``, which may hold one several times.

    Args:
        limits: most tokens of a reply of each role.
    """
    sums: dict[str, Asked] = {}
    for context in contexts:
        for role, asked in _of_one(domain, settings, context, limits).items():
            sums[role] = sums[role] + asked if role in sums else asked
    return sums


def _of_one(domain: ContextDomain, settings: Settings, context: Context, limits: Mapping[str, int]) -> dict[str, Asked]:
    compact = domain.wording == "compact"
    once = replace(settings, tries=1).rows(compact)
    most = settings.rows(compact)
    prompts = _prompts(domain, settings, context, limits, compact)
    return {
        role: Asked(calls, most[role], round(calls * prompts[role]), calls * limits[role])
        for role, calls in once.items()
    }


def _prompts(
    domain: ContextDomain, settings: Settings, context: Context, limits: Mapping[str, int], compact: bool
) -> dict[str, float]:
    """Mean tokens of one prompt of each role."""
    challenge = domain.challenge_prompt(context, "", 1 if compact else settings.tasks)
    ask_rubrics = domain.rubric_prompt(context, "")
    task = limits["challenger"] / (1 if compact else settings.tasks)  # its rubrics besides, where they come with it
    rubrics = limits["challenger"] if ask_rubrics is not None else 0
    later = 1 - 1 / settings.rounds  # the share of rounds with a skill
    skill = {side: later * limits[f"{side}_generator"] for side in SIDES}
    told = {"challenger": _tokens(challenge) + skill["challenger"]}
    if ask_rubrics is not None:  # as many questions for rubrics as votes, after each task
        votes = settings.rubric_votes
        told["challenger"] = (told["challenger"] + votes * (_tokens(ask_rubrics) + task)) / (1 + votes)
    told["reasoner"] = _tokens(domain.reason_prompt(context, "", "")) + skill["reasoner"] + task
    told["judge"] = _tokens(domain.judge_prompt("", (), "")) + task + rubrics + limits["reasoner"]
    trace = task + rubrics + limits["reasoner"] + limits["judge"]
    for side in SIDES:
        form = domain.merged_prompt if settings.merged else domain.propose_prompt
        traces = settings.tasks * (trace + OVERVIEW) / len(SIDES)  # each is shown to one side
        proposing = _tokens(form(context, (), "", side, ())) + traces + skill[side]
        told[f"{side}_proposer"] = proposing
        generating = _tokens(domain.generate_prompt("", "", side)) + limits[f"{side}_proposer"] + skill[side]
        told[f"{side}_generator"] = proposing if settings.merged else generating
    return told


def _tokens(prompt: Prompt) -> float:
    messages = [prompt] if isinstance(prompt, str) else [message["content"] for message in prompt]
    return sum(map(len, messages)) / CHARACTERS_A_TOKEN
