"""The main verb: a recipe's words -> self-play training, in one run folder.

    words --compose, check--> config --open_run_folder--> folder --rooms--> trainer --train--> adapters/, summary.json

    accelerate launch -m selfplay.train recipe=sqlm_small [KEY=VALUE ...]

Every rank runs this file; the first one alone decides the folder and writes. Heavy imports wait until the recipe has
been checked, so that a mistake costs a second and not a model.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from selfplay.checks import check, has_model
from selfplay.configuration import RecipeError, build, compose, recipe_header
from selfplay.launch_words import commands_above
from selfplay.learner.watch import Watch
from selfplay.processes import check_group, check_launch, check_trainer, is_first, world_size
from selfplay.sources import load_prompts

if TYPE_CHECKING:
    from selfplay.policy import Policy
    from selfplay.types import Game

INTERRUPTED = 130  # the shell's exit status after Ctrl-C
MISTAKE = 2
SILENT_SECONDS = 3.0
"""A rank that leaves a line to another waits so long before it ends, for a launcher ends all others with the first."""


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: 0 trained, 1 a run that could not go on, 2 a mistake in the recipe, 130 stopped by the user."""
    watch = Watch()
    watch.start()
    try:
        words = list(sys.argv[1:] if words is None else words)
        config = compose(words)
        check(config, world_size=world_size(config))
        if config.dry_run:
            return _show_plan(config)
        check_launch(config.processes, words, os.environ, commands_above())
        return _train(config, words, watch) if has_model(config, build(config, "game")) else _rehearse(config)
    except RecipeError as error:
        where = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))  # from learner.agreement
        return _say(f"{error}{where}", MISTAKE)
    except KeyboardInterrupt:
        return _say("stopped at once; what was saved before is whole, and resume=auto goes on from it", INTERRUPTED)
    except RuntimeError as error:
        if not watch.lost(error):
            raise
        told = " ".join(str(error).split())[:300]
        return watch.end(f"it lost the connection to another process, which has died or says why it ended ({told})")


def _show_plan(config: DictConfig) -> int:
    from selfplay.plan import show

    if int(os.environ.get("RANK", "0")) == 0:
        show(config)
    return 0


def _rehearse(config: DictConfig) -> int:
    if int(os.environ.get("RANK", "0")) != 0:  # there is nothing to share out, and one folder to write
        return 0
    from selfplay.learner.checkpoint_names import CheckpointError
    from selfplay.rehearsal import rehearse
    from selfplay.run_folder import open_run_folder
    from selfplay.samplers.openai import EndpointError
    from selfplay.tracking.journal import CannotRecord

    load_prompts(config)
    folder = open_run_folder(config)
    if folder.remark:
        _say(folder.remark)
    try:
        return rehearse(config, folder)
    except (CannotRecord, CheckpointError, EndpointError) as error:
        return _say(str(error), status=1)


def _train(config: DictConfig, words: Sequence[str], watch: Watch) -> int:
    from selfplay.quiet import quieten

    quieten()
    from selfplay.job import Job, arguments_of
    from selfplay.learner.agreement import together
    from selfplay.learner.bad_steps import TooManyBadSteps
    from selfplay.learner.checkpoints import CheckpointError
    from selfplay.learner.ranks import end_processes, first_decides, start_processes
    from selfplay.learner.world import group_size, visible_gpus
    from selfplay.resume import find_start
    from selfplay.run_folder import open_run_folder
    from selfplay.samplers.openai import EndpointError
    from selfplay.shared_folder import require_shared
    from selfplay.tracking.journal import CannotRecord

    start_processes()
    check_group(group_size(), visible_gpus(), words, os.environ)
    watch.join()
    together(lambda: load_prompts(config))
    start = first_decides(lambda: find_start(config))  # may refuse: before a model is loaded
    game = build(config, "game")
    args = arguments_of(config)
    policy = _policy(config, game)  # may refuse, on any machine: before an earlier run is moved aside
    folder = first_decides(lambda: open_run_folder(config, start))
    watch.checkpoints = folder.path / "checkpoints"
    require_shared(folder.path)
    if folder.remark:
        _say(folder.remark)
    try:
        job = Job(config, folder, game, policy, args, recipe_header(words))
        check_trainer(args.world_size, args.n_gpu, job.trainer.is_deepspeed_enabled, os.environ)
        status = 0 if job.run() else INTERRUPTED
    except (CheckpointError, CannotRecord, TooManyBadSteps) as error:  # of all ranks at once
        status = _say(str(error), status=1)
    except EndpointError as error:
        status = _say_alone(str(error), status=1)
    if status != 1:  # a process that fails alone must be missed, not waited for
        watch.leave()
    end_processes()
    return status


def _policy(config: DictConfig, game: Game) -> Policy:
    from selfplay.learner.agreement import together
    from selfplay.learner.launched import Launched

    if Launched.of().strategy == "zero3":  # loading is collective then: nobody may wait elsewhere for the others
        return build(config, "policy", roles=game.roles)
    return together(lambda: build(config, "policy", roles=game.roles))


def _say(line: str, status: int = 0) -> int:
    """Say a line once, on the first rank; a mistake once on every machine, since it may be of one of them."""
    if is_first(os.environ) or (status == MISTAKE and os.environ.get("LOCAL_RANK") == "0"):
        print(f"selfplay: {line}", file=sys.stderr)
    elif status not in (0, INTERRUPTED):
        time.sleep(SILENT_SECONDS)
    return status


def _say_alone(line: str, status: int) -> int:
    """Say what the others may not know, on whichever rank it is: with its name, where there are several."""
    several = os.environ.get("WORLD_SIZE", "1") != "1"
    where = f" (on rank {os.environ['RANK']}, {socket.gethostname()})" if several else ""
    print(f"selfplay: {line}{where}", file=sys.stderr)
    return status


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script that starts us in the background has it ignored
    sys.exit(main())
