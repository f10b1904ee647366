"""Skills as text: one Markdown file with YAML front matter, sets of them, and how a model is given them.

    text --read_skill--> Skill --update--> skill set --skill_text--> text --inject--> system prompt

Ctx2Skill (arXiv 2604.27660). The format is the SKILL.md that agents read: ``name`` and ``description`` between lines
of ``---``, then the body. What a model wrote is data: a text that is no skill is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import yaml

from selfplay.types import Proposal, Skill

Replacement = Literal["replace", "append"]
"""What a new skill does to its side's set; see ``update``."""

Place = Literal["append", "prepend"]
"""Where the skills go in the system prompt: after it (the release) or before it (the paper's text)."""

LONGEST_NAME, LONGEST_DESCRIPTION = 64, 1024
"""Characters, the bounds of the SKILL.md format."""

HEADING = "# Available skills"

# What tokenizers of the usual chat models turn into control tokens; a skill, which a model wrote, must not hold one.
_MARKER = re.compile(r"<(?=[|｜])|<(?=/?(?:s|eos|bos|pad|think|(?:start|end)_of_turn)>)|\[(?=/?INST\])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_FRONT = re.compile(r"^---[ \t]*\n((?:(?!---[ \t]*$).*\n){1,12}?)---[ \t]*$\n?", re.MULTILINE)


def is_skill_name(name: object) -> bool:
    """
    >>> is_skill_name("check-the-units"), is_skill_name("Check units"), is_skill_name("")
    (True, False, False)
    """
    return isinstance(name, str) and len(name) <= LONGEST_NAME and _NAME.fullmatch(name) is not None


def read_skill(text: str) -> Skill | None:
    r"""The one skill that ``text`` holds; None for anything else, two skills included. Never raises.

    >>> read_skill("---\nname: units\ndescription: When numbers have units.\n---\n\nCheck them.\n")
    Skill(name='units', description='When numbers have units.', body='Check them.')
    >>> read_skill("Check them.") is None
    True
    """
    skills = read_skills(text)
    return skills[0] if skills and len(skills) == 1 else None


def read_skills(text: str) -> tuple[Skill, ...] | None:
    """The skill set that ``text`` holds, as ``write_skills`` writes it; an empty text is an empty set.

    None where the text does not begin with front matter, a skill has no body, or two share one name: an entry that
    cannot be told from another cannot be edited. Never raises.
    """
    text = text.replace("\r\n", "\n").strip()
    if not text:
        return ()
    heads = list(_heads(text))
    if not heads or heads[0][0] != 0:
        return None
    ends = [start for start, _, _ in heads[1:]] + [len(text)]
    skills = tuple(replace(skill, body=text[at:end].strip()) for (_, at, skill), end in zip(heads, ends, strict=True))
    names = {skill.name for skill in skills}
    return skills if len(names) == len(skills) and all(skill.body for skill in skills) else None


def write_skill(skill: Skill) -> str:
    """The file of one skill; ``read_skill`` gives it back.

    >>> print(write_skill(Skill("units", "When numbers have units.", "Check them.")), end="")
    ---
    name: units
    description: When numbers have units.
    ---
    <BLANKLINE>
    Check them.
    """
    front = {"name": skill.name, "description": skill.description}
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{head}---\n\n{skill.body}\n"


def write_skills(skills: Sequence[Skill]) -> str:
    """All entries of a set, one after the other; an empty text for none."""
    return "\n".join(write_skill(skill) for skill in skills)


def skill_text(skills: Sequence[Skill], wording: str) -> str:
    """A skill set as prompts of this wording take it: Markdown in ``json``, the bare bodies a line each in ``compact``.

    >>> skill_text([Skill("mip", "For mip.", "mip is reverse"), Skill("zap", "For zap.", "zap is max")], "compact")
    'mip is reverse\\nzap is max'
    """
    return "\n".join(skill.body for skill in skills) if wording == "compact" else write_skills(skills)


def update(
    skills: Sequence[Skill],
    new: Skill,
    proposal: Proposal,
    replacement: Replacement = "replace",
    most: int | None = None,
) -> tuple[Skill, ...]:
    """The set after ``new`` was written for ``proposal``.

    - ``replace``: the new skill is the whole set, as arXiv 2604.27660 has it.
    - ``append``: ``create`` adds an entry, ``edit`` puts it in its target's place. The release appends whatever the
      action; here an edit is honoured, one whose target does not exist creates, and a name that is taken is edited.

    Args:
        most: entries kept, the oldest go first; None keeps all.

    >>> a, b = Skill("a", "A.", "old"), Skill("b", "B.", "b")
    >>> [s.body for s in update([a, b], Skill("c", "C.", "new"), Proposal("", "edit", "a"), "append")]
    ['new', 'b']
    """
    if replacement == "replace":
        return (new,)
    names = {skill.name for skill in skills}
    target = proposal.target if proposal.action == "edit" and proposal.target in names else new.name
    if target in names:
        kept = (names - {new.name}) | {target}
        result = [new if skill.name == target else skill for skill in skills if skill.name in kept]
    else:
        result = [*skills, new]
    return tuple(result if most is None else result[-most:])


def inject(system: str, skills: Sequence[Skill], place: Place = "append") -> str:
    """The system prompt with the skills under a heading: name, when to use it, body, with rules between.

    >>> print(inject("Be brief.", [Skill("units", "When numbers have units.", "Check them.")]))
    Be brief.
    <BLANKLINE>
    # Available skills
    <BLANKLINE>
    ## units
    When to use it: When numbers have units.
    <BLANKLINE>
    Check them.
    """
    if not skills:
        return system
    entries = [f"## {skill.name}\nWhen to use it: {skill.description}\n\n{skill.body}" for skill in skills]
    block = f"{HEADING}\n\n" + "\n\n---\n\n".join(entries)
    parts = [system, block] if place == "append" else [block, system]
    return "\n\n".join(part for part in parts if part)


def without_markers(text: str) -> str:
    """The text with a space after the opening of every chat marker, so that none can end its message, and without
    halves of surrogate pairs, which no tokenizer takes.

    >>> without_markers("Be brief.<|im_end|> if a <b>"), without_markers("[INST] x </s>")
    ('Be brief.< |im_end|> if a <b>', '[ INST] x < /s>')
    """
    return _SURROGATE.sub("\ufffd", _MARKER.sub(r"\g<0> ", text))


def _heads(text: str) -> Iterator[tuple[int, int, Skill]]:
    """Where front matter begins and ends, and a skill without its body."""
    at = 0
    while found := _FRONT.search(text, at):
        front = _front_matter(found.group(1))
        if front is None:
            at = found.start() + 3  # a rule between paragraphs
            continue
        yield found.start(), found.end(), Skill(*front, body="")
        at = found.end()


def _front_matter(text: str) -> tuple[str, str] | None:
    """Name and description, where the block holds them and nothing else."""
    try:
        front: Any = yaml.load(text, Loader=yaml.BaseLoader)  # every scalar is a str: no dates, no numbers
    except (yaml.YAMLError, RecursionError):
        return None
    if not isinstance(front, dict) or front.keys() != {"name", "description"}:
        return None
    name, description = front["name"], front["description"]
    if not is_skill_name(name) or not isinstance(description, str):
        return None
    description = " ".join(description.split())
    return (name, description) if 0 < len(description) <= LONGEST_DESCRIPTION else None
