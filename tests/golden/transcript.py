"""Windows of a game as a person reads them: every turn, what it was paid, what was measured and what was remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from selfplay.advantages import assign_advantages
from selfplay.types import Episode, Game, Sampler, Seed, Turn

Windows = Sequence[Sequence[Seed]]


def transcript(game: Game, sampler: Sampler, windows: Windows) -> str:
    """Play the windows one after the other, each with advantages and memory as in training."""
    lines = [f"roles {', '.join(game.roles)}", f"rows a seed {_figures(game.rows_per_seed)}"]
    lines.append(f"periods {_figures(game.periods) or 'every window'}")
    for number, seeds_B in enumerate(windows):
        episodes = game.play(seeds_B, sampler)
        report = assign_advantages([turn for episode in episodes for turn in episode.turns])
        game.remember(episodes)
        lines += ["", f"WINDOW {number}"]
        for episode in episodes:
            lines += _episode(episode)
        lines += ["", *(f"  {name} = {value:.3f}" for name, value in report.items())]
        lines.append(f"  memory {json.dumps(game.state_dict())}")
    return "\n".join(lines) + "\n"


def _episode(episode: Episode) -> Iterator[str]:
    yield ""
    yield f"  seed {episode.seed.index}: {episode.seed.topic}"
    for (role, group, prompt), turns in groupby(episode.turns, key=lambda turn: (turn.role, turn.group, turn.prompt)):
        yield f"    {role} [{group}] sees {prompt!r}"
        yield from (f"      {_turn(turn)}" for turn in turns)
    yield f"    facts {_figures(episode.facts)}"
    yield f"    notes {json.dumps(episode.notes)}"


def _turn(turn: Turn) -> str:
    paid = _figures(turn.rewards) or "unpaid"
    learned = f"advantage {turn.advantage:+.3f}" if turn.objective else "not learned from"
    return f"{turn.text!r:<10} {paid:<16} {learned:<17} measured {_figures(turn.measures)}"


def _figures(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
