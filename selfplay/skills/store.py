"""The skill store of a run: every version of every skill as Markdown that people and agents read, with its provenance.

    skills/<context>/visit.json                    which episode this is: context, seed, step
                    /reasoner/round-1.md           what the side knew after round 1; no file where it knew nothing
                    /reasoner/round-1.json         its provenance: tasks with their scores, parent, what became of it
                    /challenger/...
                    /SKILL.md, selected.json       a copy of the version that replay chose, and the scores of all

Files appear whole and never change: writing an episode again adds what is missing, and anything else is refused. A
context that comes again in a run gets a folder of its own, ``<context>~2``; where it goes on from its last visit, so do
the rounds' numbers. Nothing is ever read back into a game; what is left of an earlier run, or of steps that a resumed
run plays again, is put aside (``cut_after``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from selfplay.roles.skills import read_skills
from selfplay.tracking.files import replace_whole
from selfplay.types import Episode, Side

SKILLS = "skills"
VISIT, SELECTED, FINAL = "visit.json", "selected.json", "SKILL.md"
SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True)
class Version:
    """What a side knew after a round."""

    side: Side
    round: int  # from 1
    text: str  # Markdown; empty where it knew nothing
    provenance: Mapping[str, Any]


@dataclass(frozen=True)
class Visit:
    """The folder of one context in one episode."""

    folder: Path
    context: str
    seed: int
    step: int

    @property
    def selected(self) -> Mapping[str, Any] | None:
        """What was chosen, ``{"round": 2, "scores": ..., "probes": ...}``; None while the visit is not whole."""
        return _read_json(self.folder / SELECTED)

    def versions(self, side: Side) -> list[Version]:
        """Every whole version of a side, by round."""
        found = []
        for path in (self.folder / side).glob("round-*.json"):
            provenance = _read_json(path)
            if provenance is not None:
                text = path.with_suffix(".md")
                found.append(
                    Version(side, provenance["round"], text.read_text("utf-8") if text.exists() else "", provenance)
                )
        return sorted(found, key=lambda version: version.round)

    @property
    def began(self) -> int:
        """The round after which the visit began: 0 where it did not go on from an earlier one."""
        return min((version.provenance.get("began", 0) for version in self.versions("reasoner")), default=0)

    @property
    def rounds(self) -> int:
        """Rounds that are whole on both sides, counted from the visit's first."""
        both = [{version.round for version in self.versions(side)} for side in SIDES]
        numbers, first = set.intersection(*both), self.began + 1
        return next(place for place in range(len(numbers) + 1) if first + place not in numbers)


class SkillStore:
    """Writes what Ctx2Skill's episodes note of their skills; episodes of other games pass by.

    Args:
        folder: ``<run>/skills``; made when there is something to write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, step: int, episodes: Sequence[Episode]) -> None:
        """Store the skills of one step's episodes. What lies there already stays as it is.

        Raises:
            OSError: the disk refused, or a file is there with another content.
        """
        for episode in episodes:
            if "context" in episode.notes and "began" in episode.notes:
                self._write(step, episode)

    def visits(self) -> list[Visit]:
        """All visits, by context and then in the order in which they were made; torn ones are left out."""
        found = [visit for _, visit in self._folders() if visit is not None]
        return sorted(found, key=lambda visit: (visit.context, visit.step, visit.seed))

    def cut_after(self, step: int, aside: Path) -> None:
        """Move visits of later steps, and torn ones, to ``aside/skills``: those steps are played again."""
        for folder, visit in list(self._folders()):
            if visit is None or visit.step > step:
                (aside / SKILLS).mkdir(parents=True, exist_ok=True)
                folder.rename(aside / SKILLS / folder.name)

    def _folders(self) -> Iterator[tuple[Path, Visit | None]]:
        for folder in sorted(self.folder.iterdir()) if self.folder.is_dir() else []:
            if folder.is_dir():
                about = _read_json(folder / VISIT)
                yield folder, None if about is None else Visit(folder, about["context"], about["seed"], about["step"])

    def _write(self, step: int, episode: Episode) -> None:
        notes = episode.notes
        folder = self._folder_of(notes["context"], episode.seed.index, step)
        rounds = sorted(int(name.partition("/")[2]) for name in notes if name.startswith("round/"))
        began = json.loads(notes["began"])
        parents: dict[Side, int] = {"reasoner": began["reasoner"], "challenger": began["round"]}
        for number in rounds:
            for side in SIDES:
                about = _provenance(notes, side, number, parents[side]) | {
                    "began": began["round"],
                    "seed": episode.seed.index,
                    "step": step,
                }
                text = notes[f"skill/{side}/{number}"]
                if text:  # before its provenance: a version that has one is whole
                    _write_once(folder / side / f"round-{number}.md", text)
                _write_once(folder / side / f"round-{number}.json", _json(about))
                parents[side] = number if about["became"] == "written" else parents[side]
        chosen = notes["selected"]
        final = notes.get(f"skill/reasoner/{chosen}", "")
        if final:
            _write_once(folder / FINAL, final)
        selected = {"round": int(chosen) if chosen else None, "scores": json.loads(notes["replay"])}
        if "unanswered" in notes:  # by a server that failed: what was learned is learned from the rest
            selected["unanswered"] = json.loads(notes["unanswered"])
        _write_once(folder / SELECTED, _json(selected | {"probes": json.loads(notes["probes"])}))

    def _folder_of(self, context: str, seed: int, step: int) -> Path:
        """The folder of this visit, or the first that is free."""
        name, number = folder_name(context), 1
        while True:
            folder = self.folder / (name if number == 1 else f"{name}~{number}")
            about = _read_json(folder / VISIT)
            if about == {"context": context, "seed": seed, "step": step}:
                return folder
            if not folder.exists() or not any(folder.iterdir()):
                _write_once(folder / VISIT, _json({"context": context, "seed": seed, "step": step}))
                return folder
            number += 1


def folder_name(context: str) -> str:
    """A context's key as the name of a folder; another text in it, or too much of it, is told by a hash.

    >>> folder_name("rules-0017"), folder_name("../x")
    ('rules-0017', 'x-d6b96a97')
    """
    plain = re.sub(r"[^\w.+=-]+", "-", context, flags=re.ASCII).strip(".-")[:80]
    mark = hashlib.sha256(context.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return plain if plain and plain == context else f"{plain}-{mark}".lstrip("-")


def _provenance(notes: Mapping[str, str], side: Side, number: int, parent: int) -> dict[str, Any]:
    """``parent``: the round whose version this one was written after, or is a copy of; 0 = none."""
    played = json.loads(notes[f"round/{number}"])
    skills = read_skills(notes[f"skill/{side}/{number}"]) or ()
    return {
        "context": notes["context"],
        "side": side,
        "round": number,
        "became": played["became"].get(side, "frozen"),
        "parent": parent,
        "names": [skill.name for skill in skills],
        "words": sum(len(skill.body.split()) for skill in skills),
        "tasks": played["tasks"],
    }


def _write_once(path: Path, text: str) -> None:
    content = text.encode("utf-8", "backslashreplace")  # a model may have said half of a surrogate pair
    if path.exists():
        if path.read_bytes() != content:
            raise FileExistsError(f"{path} is there with another content, and a version never changes")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(path, lambda partial: partial.write_bytes(content))


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
