r"""What the judge decided: its reply -> "first", "second", "tie", or None where nothing can be read.

What counts is the final verdict after the thinking. The release of arXiv 2511.07922 takes the first ``\boxed{}``
anywhere, thinking included, and so a verdict that was weighed and dropped; that is the option ``release``.
"""

from __future__ import annotations

import re
from typing import Literal

from selfplay.roles.judge_prompt import Wording
from selfplay.types import Verdict

Reading = Literal["final", "release"]

Unfinished = Literal["judge", "fail"]
"""An answer whose thinking never ended is judged as it stands (the release), or as an empty one."""

Verdicts = Literal["sampled", "scored"]
"""The judge's replies are sampled, reasoning included, or one of ``verdict_choices`` is drawn by its probability."""

_BOXES: dict[str, Verdict] = {"1": "first", "2": "second", "0": "tie"}
_LETTERS: dict[str, Verdict] = {"A": "first", "B": "second"}

# A box behind two backslashes is one that the judge copied out of a quoted answer, where JSON doubles them.
_FINAL_BOX = re.compile(r"(?<!\\)\\boxed\{([^{}]*)(\}?)")


REASONED_TOKENS = 2048
"""What a judge that may reason is given, in the release of arXiv 2511.07922."""


def read_verdict(
    text: str, wording: Wording = "boxed", reading: Reading = "final", ties: bool = False
) -> Verdict | None:
    r"""The verdict in a judge's reply. Never raises, whatever the text.

    Args:
        reading: ``final``: the last box after the thinking, which must hold exactly 1 or 2 (or 0 for a tie); None when
            the thinking never ended or that box is broken off. ``release``: the first box anywhere.
        ties: whether a tie was allowed; otherwise ``\boxed{0}`` is unreadable.

    >>> read_verdict(r"<think>first \boxed{1}?</think> No: \boxed{2}"), read_verdict("B", wording="compact")
    ('second', 'second')
    >>> read_verdict(r"<think>first \boxed{1}?</think> No: \boxed{2}", reading="release")
    'first'
    >>> read_verdict("It is 2.") is None, read_verdict(r"\boxed{0}") is None, read_verdict(r"\boxed{0}", ties=True)
    (True, True, 'tie')
    """
    if wording == "compact":
        return _LETTERS.get(text.strip())
    said = _first_box(text) if reading == "release" else _last_box(after_thinking(text) or "")
    verdict = _BOXES.get(said)
    return None if verdict == "tie" and not ties else verdict


def verdict_choices(wording: Wording, ties: bool = False) -> list[str]:
    r"""Every reply that is a bare verdict; ``read_verdict`` reads each of them.

    >>> verdict_choices("compact"), verdict_choices("boxed", ties=True)
    (['A', 'B'], ['\\boxed{1}', '\\boxed{2}', '\\boxed{0}'])
    """
    if wording == "compact":
        return list(_LETTERS)
    return [f"\\boxed{{{sign}}}" for sign, verdict in _BOXES.items() if ties or verdict != "tie"]


def after_thinking(text: str) -> str | None:
    """What follows the thinking, stripped of white space around it; None where the thinking never ended.

    The closing tag alone ends it too: some chat templates open the thinking in the prompt. An opening tag further on in
    the text is a quotation: an answer that holds one must not make a judge that quotes it unreadable.

    >>> after_thinking("<think>hm</think>\\n\\ncat owl "), after_thinking("cat owl"), after_thinking("<think>hm")
    ('cat owl', 'cat owl', None)
    """
    _, closed, after = text.rpartition("</think>")
    if not closed and text.lstrip().startswith("<think>"):
        return None
    return after.strip()


def judged_text(text: str, unfinished: Unfinished = "judge") -> str:
    """What the judge is shown of an answer: the part after the thinking.

    >>> judged_text("<think>hm</think>cat"), judged_text("<think>hm"), judged_text("<think>hm", unfinished="fail")
    ('cat', '<think>hm', '')
    """
    said = after_thinking(text)
    if said is None:
        return text if unfinished == "judge" else ""
    return said


def _first_box(text: str) -> str:
    """Its content; empty where no box is whole."""
    inside, closed, _ = text.partition("\\boxed{")[2].partition("}")
    return inside if closed else ""


def _last_box(text: str) -> str:
    boxes = list(_FINAL_BOX.finditer(text))
    return boxes[-1].group(1).strip() if boxes and boxes[-1].group(2) else ""
