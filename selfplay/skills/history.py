"""What a run's skill store says of the past: the skills as of a window, and the probes of all windows."""

from __future__ import annotations

from collections.abc import Sequence

from selfplay.roles.replay import Probe
from selfplay.skills.store import FINAL, Visit


def skills_at(visits: Sequence[Visit], window: int) -> dict[str, str]:
    """Context -> the skill that its latest visit up to ``window`` chose, as Markdown; contexts without one are left
    out. ``visits`` in the order of `SkillStore.visits`."""
    found: dict[str, str] = {}
    for visit in visits:
        if visit.step <= window:
            final = visit.folder / FINAL
            found[visit.context] = final.read_text("utf-8") if final.exists() else ""
    return {context: text for context, text in found.items() if text}


def probes_of(visits: Sequence[Visit], most: int) -> dict[str, list[Probe]]:
    """Context -> its latest ``most`` probes of all visits, each once; contexts without any are left out."""
    found: dict[str, dict[tuple[str, str], Probe]] = {}
    for visit in visits:
        for one in (visit.selected or {}).get("probes", ()):
            probe = Probe(one["kind"], one["round"], one["task"], tuple(one.get("rubrics", ())))
            if probe.rubrics:  # runs of before they were stored
                found.setdefault(visit.context, {})[probe.kind, probe.task] = probe
    return {context: list(probes.values())[-most:] for context, probes in found.items()}
