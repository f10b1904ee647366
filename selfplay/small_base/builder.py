"""Building a base once: a lock for whoever asks at the same time, a temporary folder, and a rename at the end.

    recipe --train, save, score--> folder.<random> --rename--> ~/.cache/selfplay/small-base/<hash>

A folder that exists is whole; nothing is ever written over.
"""

from __future__ import annotations

import glob
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from filelock import FileLock

from selfplay.small_base.recipes import Recipe, find_recipe
from selfplay.small_base.records import RECORD, read_record
from selfplay.small_base.scoring import Scores, score
from selfplay.small_base.training import train

Watch = Callable[[int, float], None]


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/selfplay/small-base``, or below ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "selfplay" / "small-base"


def build(recipe: Recipe | str = "small", folder: Path | None = None, watch: Watch | None = None, n: int = 100) -> Path:
    """The folder of a whole base: what is there already, or a new one.

    Args:
        recipe: or the name of one in `recipes.RECIPES`.
        folder: where to; the default is a folder of the cache named after the recipe's hash.
        watch: told the steps done and the loss after each step; not called when nothing is built.
        n: problems of each kind for the scores in build.json.

    Raises:
        ValueError: an unknown name, or ``folder`` holds something else than a base of this recipe.
    """
    recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
    folder = cache_folder() / recipe.digest() if folder is None else Path(folder).expanduser()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(folder.name + ".lock")):  # the second to ask waits here, and finds it built
        if folder.exists():
            _refuse_another(folder, recipe)
            return folder
        for left in folder.parent.glob(f"{glob.escape(folder.name)}.unfinished-*"):  # by a build that was killed
            shutil.rmtree(left)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{folder.name}.unfinished-", dir=folder.parent))
        try:
            _build_into(unfinished, recipe, watch or (lambda step, loss: None), n)
            unfinished.chmod(0o755)  # mkdtemp's folders are closed to others
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)  # gone already unless the build failed
    return folder


def outside_bands(scores: Scores, bands: dict[str, tuple[float, float]]) -> list[str]:
    """One line for each score that is not where its recipe expects it.

    >>> outside_bands({"solve/pass@1": 0.5}, {"solve/pass@1": (0.25, 0.36)})
    ['solve/pass@1 is 0.500, expected 0.25 to 0.36']
    """
    return [
        f"{name} is {scores[name]:.3f}, expected {low:g} to {high:g}"
        for name, (low, high) in bands.items()
        if not low <= scores[name] <= high
    ]


def _build_into(folder: Path, recipe: Recipe, watch: Watch, n: int) -> None:
    start = time.monotonic()
    model, tokenizer = train(recipe, watch)
    seconds = time.monotonic() - start
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    scores = score(folder, n, corpus_name=recipe.corpus)
    record = {
        "recipe": recipe.as_dict(),
        "hash": recipe.digest(),
        "scores": {name: round(value, 4) for name, value in scores.items()},
        "outside_bands": outside_bands(scores, recipe.bands),
        "seconds": round(seconds, 1),
        "threads": torch.get_num_threads(),
        "parameters": model.num_parameters(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "transformers", "tokenizers")},
    }
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _refuse_another(folder: Path, recipe: Recipe) -> None:
    """A folder that is taken is used only if this very recipe built it."""
    built = read_record(folder).get("hash")
    if built != recipe.digest():
        what = f"the base of another recipe ({built})" if built else "something that is no built base"
        raise ValueError(
            f"folder={str(folder)!r} holds {what}, and nothing is written over; give a folder that does not exist."
        )
