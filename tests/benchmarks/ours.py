"""One contender: the real learner on a recipe, step by step. Settings as JSON, e.g.

{"folder": "runs/bench/ours", "words": ["control=random"], "adapters": "runs/bench/trained/adapters"}
"""

from __future__ import annotations

import json
import sys
from typing import Any

from selfplay.checks import check
from selfplay.configuration import build, compose
from selfplay.quiet import quieten
from tests.benchmarks.turnstile import Stopwatch, Turnstile

WORDS = (
    "recipe=sqlm_small",
    "max_steps=100000",
    "evaluation.every=0",
    "learner.save_every=0",
    "tracking.wandb=disabled",
    "tracking.transcripts_every=0",
)
HELD = ("learner.lr=1e-12", "learner.kl=0.0")
"""A rate too small to move anything: the policy stays at the stage that is measured, the optimizer works as ever."""


def main() -> None:
    settings = json.loads(sys.argv[1])
    quieten()
    from selfplay.job import Job, arguments_of
    from selfplay.learner.ranks import end_processes, first_decides, start_processes
    from selfplay.run_folder import open_run_folder

    start_processes()
    parent, _, name = settings["folder"].rpartition("/")
    config = compose([*WORDS, *HELD, f"output_dir={parent}", f"run_name={name}", *settings.get("words", ())])
    check(config)
    game = build(config, "game")
    args = arguments_of(config)
    policy = build(config, "policy", roles=game.roles)
    if settings.get("adapters"):
        policy.load(settings["adapters"])
    folder = first_decides(lambda: open_run_folder(config))
    job = Job(config, folder, game, policy, args)
    job.trainer._noisy = settings.get("every_row", False)  # as under dropout: each row goes through the model by itself
    job.trainer.add_callback(Turnstile(watch(job.trainer), count(job.trainer)))
    job.run()
    end_processes()


def watch(trainer: Any) -> Stopwatch:
    """A stopwatch on the parts of a step: generate, log-probabilities of references, backward."""
    stopwatch = Stopwatch()
    stopwatch.watch(trainer.arena.sampler, "sample", "generate")
    object.__setattr__(trainer._cut, "logprobs", _timed(stopwatch, trainer._cut.logprobs))  # a frozen dataclass
    stopwatch.watch(trainer, "training_step", "backward")
    return stopwatch


def _timed(stopwatch: Stopwatch, function: Any) -> Any:
    def timed(*args):
        with stopwatch.stretch("logprobs"):
            return function(*args)

    return timed


def count(trainer: Any) -> Any:
    """Rows and tokens of the window just learned from, all processes together, and the share of dead groups."""
    seen: dict[str, float] = {}
    remember = trainer.arena.game.remember

    def remembering(episodes):
        turns = [turn for episode in episodes for turn in episode.turns]
        seen["rows"] = len(turns)
        seen["tokens"] = sum(len(turn.text_ids or ()) for turn in turns)
        seen["distinct"] = len({(str(turn.prompt), tuple(turn.text_ids or ())) for turn in turns})
        seen["dead"] = _dead_share(turns)
        remember(episodes)

    trainer.arena.game.remember = remembering
    return lambda: dict(seen)


def _dead_share(turns: Any) -> float:
    """Share of the rows with an objective whose group was paid alike."""
    learned = [turn for turn in turns if turn.objective is not None]
    return sum(turn.advantage == 0.0 for turn in learned) / max(1, len(learned))


if __name__ == "__main__":
    main()
