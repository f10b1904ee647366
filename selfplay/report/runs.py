"""Run folders as the report reads them, finished or not: config.yaml, metrics.jsonl, definitions.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from selfplay.comparison.naming import RunOf, methods_of
from selfplay.tracking.metrics_file import METRICS, SUMMARY, Row, read_definitions, read_rows

CONFIG = "config.yaml"

OWN_TO_A_RUN = ("seed", "run_name", "output_dir", "resume", "resume_allow", "dry_run", "processes", "tracking")
"""Keys in which runs of one arm may differ without being another experiment."""


@dataclass(frozen=True, order=True)
class Arm:
    """What one line of a picture stands for: runs that differ in their seeds alone."""

    recipe: str  # "sqlm_small", or what `methods_of` calls it where one recipe was run in several ways
    base: str  # "small", "Qwen/Qwen3-0.6B", as the run names it
    control: str  # "none" is the method itself; "random", "format", "truth"


@dataclass(frozen=True)
class Run:
    """What a run folder holds besides its episodes."""

    folder: Path
    name: str  # unique among the runs of a report
    arm: Arm
    seed: int
    planned: int  # steps
    finished: bool
    rows: Sequence[Row] = field(repr=False)
    definitions: Mapping[str, str] = field(repr=False)
    config: Mapping[str, Any] = field(repr=False)

    @property
    def steps(self) -> int:
        """The last step that was recorded."""
        return int(max((row["step"] or 0 for row in self.rows), default=0))

    @property
    def seconds(self) -> float:
        """Of the windows that the record keeps: neither pauses, nor what was played again after a kill."""
        return float(self.rows[-1].get("time") or 0.0) if self.rows else 0.0

    @property
    def frozen(self) -> bool:
        """Whether its game teaches no role, as Ctx2Skill in its paper: skills are mined, weights stay as they are."""
        return (self.config.get("game") or {}).get("learns") == []


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs in order; folders of one name are told apart by their parents, ways of one recipe by `methods_of`.

    Raises:
        ValueError: a folder that is no run, or no folder at all.
    """
    if not folders:
        raise ValueError("no run folder was named.")
    names = [folder.resolve().name for folder in folders]
    runs = []
    for folder, name in zip(folders, names, strict=True):
        unique = name if names.count(name) == 1 else f"{folder.resolve().parent.name}/{name}"
        runs.append(read_run(folder, unique))
    methods = methods_of(RunOf(run.name, run.arm.recipe, run.arm.control, run.arm.base, run.seed) for run in runs)
    return [replace(run, arm=replace(run.arm, recipe=methods[run.name])) for run in runs]


def read_run(folder: Path, name: str = "") -> Run:
    """The run in a folder, which may still be going.

    Raises:
        ValueError: no run there, or one that cannot be read; one line.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; a run's folder is <output_dir>/<run_name>, e.g. runs/quickstart.")
    config = _config(folder)
    rows = read_rows(folder / METRICS)
    try:
        arm = Arm(
            str(config["recipe"]),
            _base(config["policy"]),
            str(config["control"]["arm"]),
        )
        return Run(
            folder=folder,
            name=name or folder.resolve().name,
            arm=arm,
            seed=int(config["seed"]),
            planned=int(config["max_steps"]),
            finished=(folder / SUMMARY).exists(),
            rows=rows,
            definitions=read_definitions(folder),
            config=config,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{folder / CONFIG} is no run's configuration ({type(error).__name__}: {error}); name a run's folder."
        ) from error


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / CONFIG
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{folder} is no run: it has no {CONFIG}. Name the folder that a training wrote.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(config, Mapping):
        raise ValueError(f"{path} is no run's configuration: it holds {type(config).__name__}, not keys.")
    return config


def arms_of(runs: Sequence[Run]) -> dict[Arm, list[Run]]:
    """Runs by arm: each method followed by its controls, methods in the order in which they were named."""
    methods = list(dict.fromkeys((run.arm.recipe, run.arm.base) for run in runs))
    order = {"none": 0, "truth": 1, "format": 2, "random": 3}
    arms = sorted(
        {run.arm for run in runs},
        key=lambda arm: (methods.index((arm.recipe, arm.base)), order.get(arm.control, 9), arm.control),
    )
    return {arm: [run for run in runs if run.arm == arm] for arm in arms}


def differing_keys(runs: Sequence[Run]) -> list[str]:
    """Dotted keys in which runs of one arm differ though only the seed should: they are not repetitions.

    >>> def run(n): return Run(Path("a"), "a", Arm("r", "b", "none"), n, 1, True, [], {}, {"seed": n, "x": {"lr": n}})
    >>> differing_keys([run(1), run(2)])
    ['x.lr']
    """
    flat = [dict(_flat(run.config)) for run in runs]
    keys = sorted({key for one in flat for key in one if key.split(".")[0] not in OWN_TO_A_RUN})
    keys = [key for key in keys if not key.endswith(".seed")]  # which recipes take from the run's own
    return [key for key in keys if len({json.dumps(one.get(key), default=str) for one in flat}) > 1]


def _flat(value: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, inner in value.items():
        path = f"{before}{key}"
        pairs += _flat(inner, f"{path}.") if isinstance(inner, Mapping) else [(path, inner)]
    return pairs


def _base(policy: Mapping[str, Any]) -> str:
    """As the arena names it: of two revisions each is a base of its own.

    >>> _base({"base": "small"}), _base({"base": "Qwen/Qwen3-0.6B", "revision": "abc"})
    ('small', 'Qwen/Qwen3-0.6B:abc')
    """
    return f"{policy['base']}:{policy['revision']}" if policy.get("revision") else str(policy["base"])
