"""The README.md of a saved adapter, in the hub's format: what it is, how it was trained, what it measured, how to load.

    config.yaml, summary.json, metrics.jsonl, runs beside it --write_cards--> adapters/<adapter>/README.md

A card carries a digest of itself, so that one which somebody has edited is known and never written over. PEFT's own
template, which ``save_pretrained`` leaves where there is no README, says nothing and is replaced.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from safetensors import SafetensorError

from selfplay.compare import arms_table, read_run, short_name
from selfplay.model_card_words import base_words, example_prompt, is_untrained, loading, recipe_sections
from selfplay.recipe_changes import differences
from selfplay.tracking.files import write_text
from selfplay.tracking.metrics_file import METRICS, SUMMARY, read_rows
from selfplay.tracking.wandb_log import METHOD

SEAL = "<!-- written by selfplay; edit freely, it is then left alone. {} -->"
UNSEALED = "0" * 64
PEFT_TITLE, PEFT_GAP = "# Model Card for Model ID", "[More Information Needed]"
PEFT_GAPS = 20
"""The template has more than thirty gaps; a person who fills it in leaves few, and changes its title first."""

OF_ONE_ARM = ("control", "run_name", "output_dir", "resume", "resume_allow", "tracking")
"""Keys in which a control arm may differ from the run whose card it stands in; so may every ``seed``, which recipes
take from the run's own."""

FAULTS = (OSError, ValueError, KeyError, TypeError, OmegaConfBaseException, SafetensorError)
"""What can stand against a card: the disk, or a file of a run that is not as a run leaves it. No reason to fail one."""


@dataclass(frozen=True)
class Source:
    """A finished run, read."""

    folder: Path
    config: DictConfig
    summary: Mapping[str, Any]

    @property
    def arm(self) -> str:
        return METHOD if self.config.control.arm == "none" else str(self.config.control.arm)


def write_cards(run: Path, beside: Sequence[Path] = ()) -> list[Path]:
    """Write the card of every adapter of a finished run; those that were written are returned.

    Args:
        beside: other finished runs; control arms and seeds of the same recipe among them go into the cards.

    Raises:
        ValueError: the run is not finished.
        OSError: the disk refused; a torn file of the run may raise any of ``FAULTS``.
    """
    source = _read(run)
    compared = [other for other in map(_read, beside) if _same_but_arm(source.config, other.config)]
    written = []
    for config in sorted((run / "adapters").glob("*/adapter_config.json")):
        file = config.with_name("README.md")
        if not file.exists() or is_replaceable(file.read_text(encoding="utf-8", errors="replace")):
            write_text(file, card(source, compared, config.parent.name))
            written.append(file)
    return written


def is_replaceable(text: str) -> bool:
    """Whether a README is ours as we wrote it, or PEFT's unfilled template."""
    pattern = re.escape(SEAL).replace(re.escape("{}"), "([0-9a-f]{64})")
    if found := re.search(pattern, text):
        return found[1] == _digest(text.replace(found[1], UNSEALED))
    return PEFT_TITLE in text and text.count(PEFT_GAP) > PEFT_GAPS


def card(source: Source, compared: Sequence[Source], adapter: str) -> str:
    """The text, sealed."""
    header = recipe_sections(str(source.summary.get("facts", {}).get("recipe_header", "")))
    parts = [
        _front_matter(source, adapter),
        SEAL.format(UNSEALED),
        f"# {source.config.run_name}: the adapter of {'all roles' if adapter == 'shared' else f'the {adapter}'}",
        _what(source, header, adapter),
        _loading(source, adapter),
        _measured(source),
        _controls(source, compared),
        _expected(header),
        _settings(source),
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    return text.replace(UNSEALED, _digest(text), 1)


def _front_matter(source: Source, adapter: str) -> str:
    base = base_words(source.config)
    fields: dict[str, Any] = {"base_model": base.hub_id} if base.hub_id else {}
    tags = ["selfplay", "self-play", "reinforcement-learning", "lora", str(source.config.recipe), adapter]
    fields |= {"library_name": "peft", "pipeline_tag": "text-generation", "tags": list(dict.fromkeys(tags))}
    remarks = [] if base.hub_id else [f"# base_model: {base.what}"]
    remarks.append("# license: yours to choose; the base's own terms hold besides")
    return "\n".join(["---", yaml.safe_dump(fields, sort_keys=False).rstrip(), *remarks, "---"])


def _what(source: Source, header: Mapping[str, str], adapter: str) -> str:
    config, base = source.config, base_words(source.config)
    reward = "the method's own rewards" if source.arm == METHOD else f"the control arm `{source.arm}`, not the method"
    untrained = is_untrained(source.folder / "adapters" / adapter / "adapter_model.safetensors")
    digest = source.summary["facts"].get("base_digest", "unknown")
    shared = "one adapter shared by all roles" if adapter == "shared" else f"the adapter of the role `{adapter}`"
    lines = [
        header.get("", "") or f"Trained by self-play with the recipe `{config.recipe}`.",
        f"- A LoRA adapter (rank {config.policy.rank}, alpha {config.policy.alpha}): {shared}.",
        *(["- It never learned in this run: it changes nothing, and plays the bare base."] if untrained else []),
        f"- Base: {base.what}. Its weights were frozen (sha256 {digest}).",
        f"- Method: `{_target(config.game)}`, {_paper(config, header)}; paid by {reward}.",
        f"- Recipe `{config.recipe}`, seed {source.summary['seed']}, {source.summary['steps']} windows, "
        f"{source.summary['seconds']:.0f} s.",
        f"- Data: {_data(config)}",
    ]
    return "\n".join([lines[0], "", *lines[1:]])


def _data(config: DictConfig) -> str:
    domain = cast(dict[str, Any], OmegaConf.to_container(config.domain)) if config.domain else {}
    keys = ", ".join(f"{key}={value}" for key, value in domain.items() if key != "_target_")
    topics = ", ".join(map(str, config.seeds.topics))
    if not domain:
        return f"topics {topics}; no domain."
    return f"`{domain['_target_']}` ({keys or 'its defaults'}), topics {topics}."


def _loading(source: Source, adapter: str) -> str:
    code = loading(source.config, example_prompt(source.folder, adapter))
    return f"## How to load it\n\nWith plain PEFT, from this folder:\n\n```python\n{code}\n```"


def _measured(source: Source) -> str:
    run, rows = read_run(source.folder), read_rows(source.folder / METRICS)
    if not run.metrics:
        return "## Measured\n\nNothing was measured from outside during this run. Self-play reward is no evidence."
    lines = ["| measure | first | last | best |", "| --- | --- | --- | --- |"]
    for name, course in run.metrics.items():
        first = next(row for row in rows if name in row)
        best = "" if course["best"] is None else f"{course['best']:.3f}"
        last = _interval(course["last"], course["low"], course["high"])
        lines.append(
            f"| {short_name(name)} | {_interval(first[name], first.get(f'{name}/low'), first.get(f'{name}/high'))} "
            f"| {last} | {best} |"
        )
    meanings = [f"- {short_name(name)}: {course['definition']}" for name, course in run.metrics.items()]
    head = "Before the first window and after the last, with 95 % intervals over problems; one seed."
    return "\n".join(["## Measured", "", head, "", *lines, "", *meanings])


def _controls(source: Source, compared: Sequence[Source]) -> str:
    if not any(other.arm != source.arm for other in compared):
        return (
            "## Control arms\n\nNo control arms were run beside this run: how much of the gain any reward would have "
            "brought is not known. `selfplay compare` runs them."
        )
    table = arms_table([read_run(other.folder) for other in (source, *compared)])
    return f"## Control arms\n\nFirst -> last, mean over seeds (lowest to highest last).\n\n{table}"


def _expected(header: Mapping[str, str]) -> str:
    lines = [f"- {name}: {text}" for name, text in header.items() if name]
    head = "What the recipe says of itself, of its settings as it ships:"
    return "\n".join(["## Expected", "", head, "", *lines]) if lines else ""


def _settings(source: Source) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in source.summary["versions"].items())
    return f"## Versions\n\n{versions}. The whole configuration is the run's config.yaml."


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    """
    >>> _interval(0.3, 0.25, 0.35), _interval(0.3, None, None), _interval(None, None, None)
    ('0.300 [0.250, 0.350]', '0.300', 'not finite')
    """
    if value is None:
        return "not finite"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _paper(config: DictConfig, header: Mapping[str, str]) -> str:
    found = re.search(r"\b(\d{4}\.\d{5})\b", header.get("", ""))
    return f"[arXiv {found[1]}](https://arxiv.org/abs/{found[1]})" if found else "whose file names its paper"


def _target(node: Any) -> str:
    return str(node.get("_target_", "")) if node else ""


def _same_but_arm(one: DictConfig, other: DictConfig) -> bool:
    plain = cast(dict[str, Any], OmegaConf.to_container(one))
    differ = [key for key in differences(plain, other) if f".{key}".rpartition(".")[2] != "seed"]
    return all(f"{key}.".startswith(tuple(f"{name}." for name in OF_ONE_ARM)) for key in differ)


def _read(run: Path) -> Source:
    read_run(run)  # tells what is wrong
    summary = json.loads((run / SUMMARY).read_text(encoding="utf-8"))
    return Source(run, cast(DictConfig, OmegaConf.load(run / "config.yaml")), summary)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
