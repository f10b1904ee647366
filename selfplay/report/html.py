"""Small pieces of HTML. Every text goes through `escape`: names and texts of runs are data, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

PILLS = {"better": "good", "worse": "bad", "no evidence": "none", "no interval": "none", "mixed": "mixed"}


def pill(judgement: str, text: str = "") -> str:
    """A word of judgement; its class only colours it.

    >>> pill("no evidence")
    '<span class="pill none">no evidence</span>'
    """
    return f'<span class="pill {PILLS.get(judgement, "none")}">{escape(text or judgement)}</span>'


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[Any]], texts: int = 1) -> str:
    """A table in a box that scrolls by itself. The first ``texts`` columns are words, the others numbers.

    A cell is text, or ``Markup`` that is put in as it stands.
    """
    head = "".join(
        f'<th scope="col"{"" if place < texts else _NUMBER}>{escape(name)}</th>' for place, name in enumerate(header)
    )
    body = "".join(f"<tr>{_cells(row, texts)}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


_NUMBER = ' class="number"'


def _cells(row: Sequence[Any], texts: int) -> str:
    cells = []
    for place, cell in enumerate(row):
        inner = cell if isinstance(cell, Markup) else escape(str(cell))
        if place == 0:
            cells.append(f'<th scope="row">{inner}</th>')
        else:
            cells.append(f"<td{'' if place < texts else _NUMBER}>{inner}</td>")
    return "".join(cells)


class Markup(str):
    """HTML that was made here."""

    __slots__ = ()


def swatch(label: str, colour: str, dashed: bool) -> Markup:
    """A name behind the line that stands for it in the pictures."""
    dashes = ' stroke-dasharray="5 3"' if dashed else ""
    ink = "currentColor" if colour == "#000000" else colour
    line = f'<line x1="0" y1="5" x2="22" y2="5" stroke="{ink}" stroke-width="3"{dashes}/>'
    return Markup(f'<span class="arm"><svg viewBox="0 0 22 10" aria-hidden="true">{line}</svg>{escape(label)}</span>')


def figure(picture: str, title: str, caption: str, shape: str = "") -> str:
    """A picture with its title above and, where there is one, a line of explanation below."""
    said = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="{shape}"><h3>{escape(title)}</h3>{picture}{said}</figure>'


def details(summary: str, inner: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"


def paragraph(text: str, shape: str = "") -> str:
    return f"<p{f' class={chr(34)}{shape}{chr(34)}' if shape else ''}>{escape(text)}</p>"


def number(value: float | None, digits: int = 3) -> str:
    """
    >>> number(0.12345), number(None), number(12345.6, 0)
    ('0.123', '–', '12,346')
    """
    return "–" if value is None else f"{value:,.{digits}f}"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """
    >>> interval(0.25, 0.5), interval(None, None)
    ('0.250 to 0.500', '–')
    """
    return "–" if low is None or high is None else f"{low:.{digits}f} to {high:.{digits}f}"
