"""What every corpus yields."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """One exchange: what the user says and what the assistant replies."""

    prompt: str  # "solve 347+85"
    reply: str  # ">432"
