"""Play a few episodes of a recipe and print them whole: nothing is learned or written.

    selfplay play recipe=sqlm_small                                   the base, as it is before any training
    selfplay play recipe=sqlm_small adapters=runs/quickstart/adapters  a trained policy
    selfplay play recipe=sqlm_small players.solver=human game.proposals=2 game.answers=3
    selfplay play recipe=sqlm_small debug=scripted                    no model at all
    selfplay play recipe=sqlm_small players=endpoint endpoint.url=http://localhost:8000/v1 endpoint.model=NAME

``episodes=N`` plays so many; every other word is the recipe's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from selfplay.advantages import assign_advantages
from selfplay.checks import check, players
from selfplay.configuration import RecipeError, build, compose
from selfplay.learner.seeds import SeedStream
from selfplay.players import model_sampler, sampler_of
from selfplay.samplers.human import PlayerLeft
from selfplay.samplers.openai import EndpointError
from selfplay.sources import load_prompts
from selfplay.tracking.transcripts import transcript
from selfplay.types import Episode, Game

EPISODES = 2


def play(config: DictConfig, episodes: int = EPISODES, adapters: Path | None = None) -> list[Episode]:
    """``episodes`` episodes from the first seeds of the run, paid as the recipe pays, advantages included."""
    load_prompts(config)
    game: Game = build(config, "game")
    sampler = sampler_of(config, game, lambda: model_sampler(config, game, adapters))
    seeds = SeedStream(list(config.seeds.topics), per_window=episodes).window(0)
    sampler.begin(config.seed, "play")
    played = game.play(seeds, sampler)
    build(config, "control").repay(played, key=(config.seed, "play"))
    assign_advantages([turn for episode in played for turn in episode.turns], scale=config.learner.scale)
    return played


def own_words(words: Sequence[str]) -> tuple[int, Path | None, list[str]]:
    """``episodes=`` and ``adapters=`` taken out of the words; the rest is the recipe's.

    >>> own_words(["recipe=sqlm_small", "episodes=3"])
    (3, None, ['recipe=sqlm_small'])

    Raises:
        RecipeError: a number of episodes that is none.
    """
    episodes, adapters, rest = EPISODES, None, []
    for word in words:
        key, _, value = word.partition("=")
        if key == "episodes":
            if not value.isdecimal() or int(value) < 1:
                raise RecipeError(f"episodes={value} must be a whole number from 1.")
            episodes = int(value)
        elif key == "adapters":
            adapters = Path(value).expanduser()
        else:
            rest.append(word)
    return episodes, adapters, rest


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: 0 played, 1 a person left the game or an endpoint does not answer, 2 a mistake in the words."""
    try:
        episodes, adapters, rest = own_words(sys.argv[1:] if words is None else words)
        config = compose(rest)
        check(config)
        if "human" in players(config, build(config, "game")).values():
            print(
                "You are asked once for every turn of your role; game.proposals=2 game.answers=2 game.min_votes=1 asks "
                "less. You are read as a model would be: in the small base's wording an answer is >46. Ctrl-D leaves."
            )
        played = play(config, episodes, adapters)
    except RecipeError as error:
        print(f"selfplay: {error}", file=sys.stderr)
        return 2
    except (PlayerLeft, EndpointError) as left:
        print(f"selfplay: {left}", file=sys.stderr)
        return 1
    for episode in played:
        print("\n" + "\n".join(transcript(episode)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
