"""The skills of a run, for people: what there is, one version, two beside each other, and copies for other programs.

selfplay skills list RUN                            every context: words and share solved by round, the choice
selfplay skills show RUN CONTEXT [SIDE] [ROUND]     a version as Markdown; the chosen one of the reasoner if not said
selfplay skills diff RUN CONTEXT [SIDE] FROM TO     what changed between two rounds
selfplay skills export RUN FOLDER [CONTEXT ...]     the chosen skills as FOLDER/<context>/<skill>/SKILL.md

SIDE is reasoner (the default) or challenger. Nothing that exists is overwritten.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches, unified_diff
from pathlib import Path

from selfplay.roles.skills import read_skills, write_skill
from selfplay.skills.store import FINAL, SIDES, SKILLS, SkillStore, Version, Visit, folder_name
from selfplay.types import Side


class Misuse(ValueError):
    """Words that ask for nothing that is there; the message is one line."""


def list_skills(words: Sequence[str]) -> str:
    """A line a visit: context, step, words of the reasoner's skill by round, share solved by round, the choice."""
    visits = _visits(_counted(words, 1, 1)[0])
    rows = [("context", "step", "words by round", "solved by round", "chosen")]
    for visit in visits:
        versions = visit.versions("reasoner")
        rows.append(
            (
                visit.folder.name,
                str(visit.step),
                " ".join(str(version.provenance["words"]) for version in versions) or "-",
                " ".join(_solved(version) for version in versions) or "-",
                _choice(visit),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def show(words: Sequence[str]) -> str:
    run, context, *rest = _counted(words, 2, 4)
    visit, (side, numbers) = _visit(run, context), _side_and_rounds(rest)
    if len(numbers) > 1:
        raise Misuse("one round can be shown at a time; two are compared with selfplay skills diff.")
    version = _version(run, visit, side, numbers[0] if numbers else _chosen_round(visit))
    return version.text.rstrip("\n") or f"(the {side} knew nothing after round {version.round})"


def diff(words: Sequence[str]) -> str:
    run, context, *rest = _counted(words, 4, 5)
    visit, (side, numbers) = _visit(run, context), _side_and_rounds(rest)
    if len(numbers) != 2:
        raise Misuse(f"two rounds are compared, e.g. selfplay skills diff {run} {context} 1 2.")
    old, new = (_version(run, visit, side, number) for number in numbers)
    first, second = (f"{context}/{side}/round-{version.round}.md" for version in (old, new))
    lines = unified_diff(old.text.splitlines(), new.text.splitlines(), first, second, lineterm="")
    return "\n".join(lines) or f"(round {old.round} and round {new.round} are the same)"


def export(words: Sequence[str]) -> str:
    """One folder a skill, named like it, as programs that read SKILL.md want it."""
    run, folder, *contexts = _counted(words, 2, None)
    visits = [_visit(run, context) for context in contexts] or _latest(_visits(run))
    copies: dict[Path, str] = {}
    for visit in visits:
        final = visit.folder / FINAL
        for skill in (read_skills(final.read_text("utf-8")) if final.exists() else None) or ():
            copies[Path(folder) / folder_name(visit.context) / skill.name / FINAL] = write_skill(skill)
    there = next((path for path in copies if path.exists()), None)
    if there is not None:
        raise Misuse(f"{there} exists already; choose another folder.")
    if not copies:
        raise Misuse(f"{run}: no skill was chosen for {', '.join(visit.context for visit in visits)}.")
    for path, text in copies.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return "\n".join(map(str, copies))


DEEDS: dict[str, Callable[[Sequence[str]], str]] = {"list": list_skills, "show": show, "diff": diff, "export": export}


def main(words: Sequence[str]) -> int:
    """Exit status: 0 done, 2 a mistake in the words."""
    if not words or words[0] not in DEEDS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(DEEDS[words[0]](words[1:]))
    except Misuse as misuse:
        print(f"selfplay: {misuse}", file=sys.stderr)
        return 2
    return 0


def _counted(words: Sequence[str], least: int, most: int | None) -> Sequence[str]:
    if len(words) < least or (most is not None and len(words) > most) or any(word.startswith("-") for word in words):
        raise Misuse("these words cannot be read; see selfplay skills --help.")
    return words


def _visits(run: str) -> list[Visit]:
    visits = SkillStore(Path(run) / SKILLS).visits()
    if not visits:
        raise Misuse(f"{run} holds no skills; give the folder of a run of Ctx2Skill, e.g. runs/ctx2skill_small.")
    return visits


def _latest(visits: Sequence[Visit]) -> list[Visit]:
    """Of every context the visit that was made last."""
    return list({visit.context: visit for visit in visits}.values())


def _visit(run: str, context: str) -> Visit:
    """By the name of its folder, which ``list`` shows, or else by the context's key: its latest visit then."""
    visits = _visits(run)
    names = {visit.context: visit for visit in visits} | {visit.folder.name: visit for visit in visits}
    if context not in names:
        near = get_close_matches(context, names, n=2, cutoff=0.5)
        raise Misuse(f"{run} has no context {context!r}" + (f"; did you mean {' or '.join(near)}?" if near else "."))
    return names[context]


def _side_and_rounds(words: Sequence[str]) -> tuple[Side, list[int]]:
    side: Side = "reasoner"
    numbers = []
    for word in words:
        number = word.removeprefix("round-")
        if word in SIDES:
            side = word
        elif number.isdecimal() and number.isascii():
            numbers.append(int(number))
        else:
            raise Misuse(f"{word!r} is neither a side (reasoner, challenger) nor a round (1, 2, ...).")
    return side, numbers


def _version(run: str, visit: Visit, side: Side, number: int) -> Version:
    """Of this visit; where it went on from earlier ones, of those as well, since their rounds' numbers go on."""
    earlier = [one for one in _visits(run) if one.context == visit.context and one.step < visit.step and visit.began]
    found = {version.round: version for one in (*earlier, visit) for version in one.versions(side)}
    if number not in found:
        known = ", ".join(map(str, found)) or "none"
        raise Misuse(f"{visit.folder.name} has no round {number} of the {side}; known: {known}.")
    return found[number]


def _chosen_round(visit: Visit) -> int:
    chosen = (visit.selected or {}).get("round")
    if not chosen:
        raise Misuse(f"no skill was chosen for {visit.folder.name}; name a round.")
    return chosen


def _choice(visit: Visit) -> str:
    if visit.selected is None:
        return "(not finished)"
    chosen = {None: "none (no probe)", 0: "no skill"}.get(visit.selected["round"], f"round {visit.selected['round']}")
    marked = visit.selected.get("unanswered")
    return f"{chosen}, {marked['turns']} of {marked['of']} calls unanswered" if marked else chosen


def _solved(version: Version) -> str:
    outcomes = [task["solved"] for task in version.provenance["tasks"] if task["solved"] is not None]
    return f"{sum(outcomes)}/{len(outcomes)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
