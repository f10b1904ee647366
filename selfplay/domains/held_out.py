"""What is kept for measuring: decided by a hash of the thing itself, so that every process, run and version agrees."""

from __future__ import annotations

import hashlib


def held_out(key: str, share: float) -> bool:
    """Whether what ``key`` names is among the ``share`` of all that is kept for measuring.

    >>> [held_out("12+34", share) for share in (0.0, 0.5, 1.0)]
    [False, True, True]
    """
    digest = hashlib.sha256(f"held-out:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
