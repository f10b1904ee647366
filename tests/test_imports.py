"""The rooms of the package and who may import whom, checked from the source text of every module.

A room is a folder or a top-level file of selfplay/. Files at the top that are no room are verbs: they may import
everything, and no room may import them. Imports inside functions and under TYPE_CHECKING count like any other.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "selfplay"

ALLOWED: dict[str, set[str]] = {
    "types": set(),
    "roles": {"types"},
    "domains": {"types", "roles.skill_wording"},  # documents are asked about in one wording, wherever they come from
    # the log counts judgments as a report does
    "games": {"types", "roles", "domains", "evaluation.pairwise", "evaluation.texts"},
    "advantages": {"types"},
    "guards": {"types"},
    "small_base": {"types", "roles", "domains"},
    "policy": {"small_base"},  # policy.base=small is the one that ships
    "samplers": {"types", "policy"},
    "evaluation": {"types", "samplers", "roles"},  # a measured judge is asked and read as in a game
    "tracking": {"types", "evaluation.metrics"},
    "comparison": {"types", "evaluation", "tracking"},  # standings of an arena, from its files
    "skills": {"types", "roles.skills", "roles.replay", "tracking.files"},  # the store, and the verb that reads it
    "report": {"comparison", "evaluation", "tracking"},
    "learner": {"types", "advantages", "guards", "policy", "samplers", "evaluation", "tracking"},  # blind to the game
}
"""Room -> what it may import of ours, besides itself. ``a.b`` opens only that module of room ``a``."""

VERBS = "verbs"

DOORS: dict[str, set[str]] = {
    "torch": {"policy", "samplers", "learner", "small_base", "doctor", "quiet", "launch"},
    "transformers": {"policy", "samplers", "learner", "small_base", "quiet"},  # quiet only silences it
    "tokenizers": {"small_base"},
    "peft": {"policy"},
    "trl": {"learner"},
    "deepspeed": {"learner", "doctor"},
    "accelerate": {"learner", "launch"},  # launch runs accelerate's launcher, and reads torch's list of the dead
    "datasets": {"learner", "domains"},  # domains: only when prompts of a dataset are read
    "vllm": {"samplers"},
    "openai": {"samplers"},
    "wandb": {"tracking"},
    "hydra": {VERBS},
    "omegaconf": {VERBS},
}
"""Heavy library -> the rooms (or single verbs) through which it comes in."""

TORCH_FREE = (
    "types",
    "roles",
    "domains",
    "games",
    "advantages",
    "guards",
    "evaluation.statistics",
    "evaluation.metrics",
    "evaluation.pairwise",
    "evaluation.bradley_terry",
    "evaluation.texts",
    "evaluation.judges",
    "evaluation.contests",
    "evaluation.length_control",
    "evaluation.ratings",
    "evaluation.alpaca",
    "evaluation.records",
    "comparison",
    "report",
)
"""Imported without torch installed; so are the samplers that play no model."""

TORCH_FREE_SAMPLERS = (
    "samplers.scripted",
    "samplers.human",
    "samplers.per_role",
    "samplers.openai",
    "samplers.endpoint",
)


def modules() -> dict[str, str]:
    """Dotted name below selfplay -> source: ``{"games.sqlm": "..."}``."""
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        names[name or "__init__"] = path.read_text(encoding="utf-8")
    return names


def imported(source: str) -> Iterator[str]:
    """Every module that the source imports, with the names taken from it: ``selfplay.types.Turn``, ``torch``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports in full, from selfplay..."
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def faults(module: str, source: str) -> list[str]:
    """What a module imports against the picture, one line each."""
    room = module.split(".")[0]
    if room == "__init__":
        return [f"selfplay/__init__.py imports {name}; it stays empty" for name in imported(source)]
    found = []
    for name in imported(source):
        top, _, inner = name.partition(".")
        if top == "selfplay" and room in ALLOWED:
            open_to_all = {room} | ALLOWED[room]
            if not any(f"{inner}.".startswith(f"{opened}.") for opened in open_to_all):
                found.append(f"{module} imports {name}; {room} may import {', '.join(sorted(open_to_all))}")
        elif top in DOORS and not {room, room if room in ALLOWED else VERBS} & DOORS[top]:
            found.append(f"{module} imports {top}, which comes in through {', '.join(sorted(DOORS[top]))}")
    return found


def test_every_room_of_the_picture_is_there():
    rooms = {name.split(".")[0] for name in modules()}
    assert set(ALLOWED) <= rooms
    folders = {path.parent.relative_to(PACKAGE).parts[0] for path in PACKAGE.glob("*/**/*.py")}
    assert folders <= set(ALLOWED), "a folder is a room and needs its line in ALLOWED"


@pytest.mark.parametrize("module", modules())
def test_the_import_picture(module):
    assert faults(module, modules()[module]) == []


@pytest.mark.parametrize(
    ("module", "line", "fault"),
    [
        ("games.sqlm", "import torch", "through"),
        ("games.sqlm", "from torch import nn", "through"),
        ("games.sqlm", "import selfplay.policy", "games may import"),
        ("games.sqlm", "def play():\n    from selfplay.policy import Policy", "games may import"),
        ("games.sqlm", "from selfplay.guards.gate import TaskGate", "games may import"),
        ("games.sqlm", "import omegaconf", "through verbs"),
        ("advantages", "from selfplay.games.sqlm import SQLM", "advantages may import"),
        ("advantages", "from selfplay.games import sqlm", "advantages may import"),
        ("advantages", "from selfplay import games", "advantages may import"),
        ("types", "from selfplay.roles.solver import Vote", "types may import"),
        ("learner.window", "from selfplay.games.sqlm import SQLM", "learner may import"),
        ("learner.window", "import wandb.sdk", "through tracking"),
        ("learner.window", "from selfplay.train import main", "learner may import"),
        ("tracking.journal", "from selfplay.evaluation.yardsticks import Measurement", "tracking may import"),
        ("policy.policy", "import trl", "through learner"),
        ("train", "import peft", "through policy"),
        ("report.page", "import torch", "through"),
        ("report.page", "from selfplay.compare import tables", "report may import"),
        ("__init__", "from selfplay.types import Turn", "stays empty"),
    ],
)
def test_the_check_itself_finds_a_breach(module, line, fault):
    assert faults(module, "") == []
    (found,) = faults(module, line)
    assert fault in found


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("games.sqlm", "from selfplay.types import Turn"),
        ("games.sqlm", "from selfplay.games.settings import at_least"),
        ("tracking.journal", "from selfplay.evaluation.metrics import Metric"),
        ("train", "from selfplay.games.sqlm import SQLM"),
        ("train", "import hydra"),
        ("doctor", "import torch"),
        ("policy.policy", "import torch"),
    ],
)
def test_the_check_itself_lets_the_rest_pass(module, line):
    assert faults(module, line) == []


BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {heavy!r}:
            raise ModuleNotFoundError(f"{{name}} is not to be imported here", name=name)
sys.meta_path.insert(0, Blocker())
import importlib
for name in {names!r}:
    importlib.import_module(name)
"""


def run_without_heavy_libraries(names: list[str]) -> subprocess.CompletedProcess[str]:
    script = BLOCKED.format(heavy=sorted(DOORS), names=names)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=PACKAGE.parent
    )


def test_the_light_rooms_import_without_any_heavy_library():
    wanted = [name for name in modules() if f"{name}.".startswith(tuple(f"{room}." for room in TORCH_FREE))]
    assert len(wanted) > len(TORCH_FREE)
    done = run_without_heavy_libraries([f"selfplay.{name}" for name in (*wanted, *TORCH_FREE_SAMPLERS)])
    assert done.returncode == 0, done.stderr


def test_the_blocker_itself_blocks():
    done = run_without_heavy_libraries(["selfplay.policy"])
    assert done.returncode != 0
    assert "torch is not to be imported here" in done.stderr
