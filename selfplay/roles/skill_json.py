"""What the agents of Ctx2Skill (arXiv 2604.27660) said in JSON; None for whatever is not what was asked for.

Strict: after the thinking, the reply is one JSON object and nothing else; a Markdown fence around it is let pass. The
keys are an interface of ours (`selfplay/roles/skill_prompts.py` asks for them). No reader raises, whatever the text.
"""

from __future__ import annotations

import json
import re
from typing import Any

from selfplay.roles.skills import is_skill_name, read_skill
from selfplay.roles.verdicts import after_thinking
from selfplay.types import Challenge, Grading, Proposal, Skill

_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*)\n```", re.DOTALL)
_STATUSES = {"yes": True, "no": False}
_OVERALL = {0: False, 1: True}


def read_object(text: str) -> dict[str, Any] | None:
    r"""The JSON object that is the reply.

    >>> read_object('<think>hm</think>\n```json\n{"overall": 1}\n```'), read_object('Here: {"overall": 1}')
    ({'overall': 1}, None)
    >>> read_object('{"a": 1, "a": 2}') is None
    True
    """
    said = after_thinking(text)
    if said is None:
        return None
    fenced = _FENCE.fullmatch(said)
    try:
        found = json.loads(
            fenced.group(1) if fenced else said, object_pairs_hook=_without_twins, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_tasks(text: str, fewest: int = 8, most: int = 15) -> list[Challenge] | None:
    """``{"tasks": [{"task": ..., "rubrics": [...]}]}``. As in the release, a task without text or with rubrics that are
    no texts is left out; so is one with fewer or more rubrics than the paper's 8 to 15. None where none is left.

    >>> read_tasks('{"tasks": [{"task": "Add.", "rubrics": ["Has 7."]}, {"task": ""}]}', fewest=1)
    [Challenge(task='Add.', rubrics=('Has 7.',))]
    """
    found = (read_object(text) or {}).get("tasks")
    tasks = [_challenge(item, fewest, most) for item in found] if isinstance(found, list) else []
    return [task for task in tasks if task is not None] or None


def read_rubrics(text: str, fewest: int = 8, most: int = 15) -> tuple[str, ...] | None:
    """``{"rubrics": ["...", ...]}``: where a second call asks for them."""
    return _texts((read_object(text) or {}).get("rubrics"), fewest, most)


def read_verdicts(text: str) -> Grading | None:
    """``{"rationale": ..., "statuses": ["yes", "no", ...], "overall": 0 or 1}``; the last may be missing.

    >>> read_verdicts('{"rationale": "No unit.", "statuses": ["yes", "no"], "overall": 0}')
    Grading(statuses=(True, False), overall=False, rationale='No unit.')
    >>> read_verdicts('{"rationale": "", "statuses": ["maybe"], "overall": 0}') is None
    True
    """
    found = read_object(text) or {}
    statuses, overall, rationale = found.get("statuses"), found.get("overall"), found.get("rationale", "")
    if not isinstance(statuses, list) or not statuses or not isinstance(rationale, str):
        return None
    words = [status.strip().lower() if isinstance(status, str) else "" for status in statuses]
    if not all(word in _STATUSES for word in words) or not (overall is None or _is_bit(overall)):
        return None
    return Grading(tuple(_STATUSES[word] for word in words), None if overall is None else _OVERALL[overall], rationale)


def read_proposal(text: str) -> Proposal | None:
    """``{"action": "create" or "edit", "target_skill", "analysis", "skill_name", "description", "proposed_skill",
    "justification"}``. An edit names its target; the name is kebab-case; description and proposal are not empty."""
    found = read_object(text) or {}
    fields = {key: found.get(key) or "" for key in PROPOSAL}
    if not all(isinstance(value, str) for value in fields.values()) or fields["action"] not in ("create", "edit"):
        return None
    if not is_skill_name(fields["skill_name"]) or not fields["description"].strip():
        return None
    if not fields["proposed_skill"].strip() or (fields["action"] == "edit" and not fields["target_skill"]):
        return None
    shown = json.dumps({key: value for key, value in fields.items() if value}, ensure_ascii=False, indent=1)
    return Proposal(shown, fields["action"], fields["target_skill"] if fields["action"] == "edit" else "")


PROPOSAL = ("action", "target_skill", "analysis", "skill_name", "description", "proposed_skill", "justification")
"""Keys of a proposal."""


def read_generated(text: str) -> Skill | None:
    """``{"skill_content": "---\\nname: ...", "reasoning": ...}``: the Markdown of one skill, front matter included."""
    content = (read_object(text) or {}).get("skill_content")
    return read_skill(content) if isinstance(content, str) else None


def _challenge(item: Any, fewest: int, most: int) -> Challenge | None:
    if not isinstance(item, dict) or not isinstance(item.get("task"), str) or not item["task"].strip():
        return None
    rubrics = _texts(item.get("rubrics"), fewest, most)
    return None if rubrics is None else Challenge(item["task"].strip(), rubrics)


def _texts(found: Any, fewest: int, most: int) -> tuple[str, ...] | None:
    if not isinstance(found, list) or not fewest <= len(found) <= most:
        return None
    texts = tuple(text.strip() if isinstance(text, str) else "" for text in found)
    return texts if all(texts) else None


def _is_bit(value: Any) -> bool:
    return isinstance(value, int) and value in _OVERALL  # true and false are 1 and 0


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
