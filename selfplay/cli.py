"""``selfplay VERB WORDS``: hands the words to the file of the verb; nothing heavy is imported before that.

selfplay train recipe=sqlm_small          the same as python -m selfplay.train recipe=sqlm_small
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

PIPE_CLOSED = 128 + 13  # as a shell reports SIGPIPE

VERBS = {
    "train": ("selfplay.train", "train a recipe: recipe=NAME [KEY=VALUE ...]; several processes: accelerate launch -m"),
    "play": ("selfplay.play", "play a few episodes and print them: recipe=NAME [players.ROLE=human] [episodes=2]"),
    "duel": ("selfplay.duel", "win rate of one policy against another, by a judge: RUN_FOLDER base [--judge truth]"),
    "serve": (
        "selfplay.serve",
        "serve a recipe's roles over the OpenAI protocol: recipe=NAME [adapters=DIR] [port=8000]",
    ),
    "compare": ("selfplay.compare", "run a sweep of methods, or a table of finished runs: SWEEP | RUN_FOLDER ..."),
    "evaluate": (
        "selfplay.evaluate",
        "measure a saved policy again: RUN_FOLDER|CHECKPOINT|base [--suite NAME ...]",
    ),
    "inspect": ("selfplay.inspect", "a run as one page for the browser, episodes and all: RUN_FOLDER [--out FILE]"),
    "skills": (
        "selfplay.skills.command",
        "what a run of Ctx2Skill wrote: list | show | diff | export RUN ...",
    ),
    "pairs": (
        "selfplay.pairs",
        "which checkpoint with which skills, by the replay of a run of Ctx2Skill: RUN_FOLDER [probes=10]",
    ),
    "recipes": ("selfplay.recipe_list", "list the recipes that ship with the package"),
    "small-base": ("selfplay.small_base.command", "build or score the small base: build | score"),
    "doctor": (
        "selfplay.doctor",
        "what this machine can run, and the mend for each lack: [--network] [endpoint.url=URL]",
    ),
}
"""Verb -> the module whose ``main(words)`` returns the exit status, and its line of help."""


def usage() -> str:
    """The text of ``selfplay --help``."""
    width = max(map(len, VERBS))
    lines = [f"  {verb:<{width}}  {text}" for verb, (_, text) in VERBS.items()]
    return "\n".join(["usage: selfplay VERB [WORDS]   (or --version)", "", *lines])


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: the verb's own; 2 for an unknown verb; 141 where nobody reads the output any more."""
    words = list(sys.argv[1:] if words is None else words)
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if words[0] == "--version":
        print(f"selfplay {version('selfplay')}")
        return 0
    verb, *rest = words
    if verb not in VERBS:
        from selfplay.keys import did_you_mean

        print(f"selfplay: {verb!r} is no verb{did_you_mean(verb, VERBS)}", file=sys.stderr)
        return 2
    module = import_module(VERBS[verb][0])
    if rest in (["-h"], ["--help"]) and verb != "small-base":  # which has a parser of its own
        print(module.__doc__)
        return 0
    try:
        status = module.main(rest)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `selfplay compare ... | head`: who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


if __name__ == "__main__":
    sys.exit(main())
