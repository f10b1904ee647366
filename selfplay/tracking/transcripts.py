"""Whole episodes as a person reads them: which to show, and how.

Equal turns of one group are shown once with their number, so that an episode of a dozen samples stays readable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from selfplay.types import Episode, Turn, prompt_text

COUNTS = ("difficulty_", "rejected_")
"""Facts that are left out where they are 0."""

LONGEST = 1000
"""Characters shown of one text; the rest is counted, and stored whole in the episode store."""


def mean_reward(episode: Episode) -> float:
    """Mean reward of the turns that are learned from; 0 where there is none."""
    rewards = [turn.reward for turn in episode.turns if turn.objective is not None]
    return sum(rewards) / len(rewards) if rewards else 0.0


def spread(episodes: Sequence[Episode], count: int) -> list[Episode]:
    """``count`` episodes from the lowest mean reward to the highest, at even ranks between; ties keep seed order."""
    ranked = sorted(episodes, key=lambda episode: (mean_reward(episode), episode.seed.index))
    if count >= len(ranked):
        return ranked
    if count == 1:
        return [ranked[len(ranked) // 2]]
    return [ranked[round(place * (len(ranked) - 1) / (count - 1))] for place in range(count)]


def transcript(episode: Episode) -> list[str]:
    """The episode in lines; see tests/tracking/test_transcripts.py for one."""
    head = [f"seed {episode.seed.index}", episode.seed.topic, f"mean reward {mean_reward(episode):.2f}"]
    shown = {name: value for name, value in episode.facts.items() if value or not name.startswith(COUNTS)}
    facts = [f"{name} {value:.3g}" for name, value in shown.items()]
    lines = [" · ".join([*head, *facts])]
    for _, turns in groupby(episode.turns, key=lambda turn: (turn.role, turn.group, prompt_text(turn.prompt))):
        lines += _peers(list(turns))
    return lines


def _peers(turns: Sequence[Turn]) -> list[str]:
    """Turns that answer the same prompt: the prompt, then each distinct turn."""
    lines = [f"  {turns[0].role} <- {printable(prompt_text(turns[0].prompt))}"]
    for (text, paid), times in Counter((turn.text, _paid(turn)) for turn in turns).items():
        lines.append(f"    {times}x {printable(text) or '(empty)'}   [{paid}]")
    return lines


def _paid(turn: Turn) -> str:
    parts = [named(turn.rewards)] if turn.rewards else []
    parts.append("not learned from" if turn.objective is None else f"advantage {turn.advantage:+.2f}")
    if turn.objective == "imitate":
        parts.append("imitated")
    if turn.failure:
        parts.append(f"no answer: {printable(turn.failure)}")
    elif not turn.stopped:
        parts.append("cut off")
    return ", ".join(parts)


def named(parts: Mapping[str, float]) -> str:
    """Named rewards in words.

    >>> named({"majority": 1.0, "format": 0.25})
    'majority 1, format 0.25'
    """
    return ", ".join(f"{name} {value:.3g}" for name, value in parts.items())


def printable(text: str) -> str:
    r"""The text on one line, safe for a terminal: line ends and control characters are spelled out.

    >>> printable("7+5\n\x1b[2J")
    '7+5\\n\\x1b[2J'
    """
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}... (+{len(text) - LONGEST} characters)"
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in shown)
