"""Which of a window's calls a call is: what makes it known again, and its seed its own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from selfplay.samplers.endpoint.settings import question
from selfplay.types import Prompt

Place = Sequence[int | str]
"""The prompt's digest, how often it was asked of the role before, and the numbers of the calls for it."""


class Places:
    """Of one window. A prompt's place is not its number among the others: where one of them fails, or is answered after
    all, the rest are still the calls that they were.

    >>> places = Places()
    >>> [place[1] for place in places.of("judge", ["a", "b", "b"])], [place[1] for place in places.of("judge", ["b"])]
    ([0, 0, 1], [2])
    """

    def __init__(self) -> None:
        self._asked: Counter[tuple[str, str]] = Counter()  # by role and prompt

    def of(self, role: str, prompts_N: Sequence[Prompt]) -> list[Place]:
        """The next place of each prompt."""
        places: list[Place] = []
        for prompt in prompts_N:
            digest = hashlib.sha256(json.dumps(question(prompt)).encode()).hexdigest()[:32]
            places.append((digest, self._asked[role, digest]))
            self._asked[role, digest] += 1
        return places


def request_seed(key: Sequence[int | str], role: str, place: Place) -> int:
    """31 bits from the window's key, the role, the prompt and how often it was asked: the same run asks the same.

    >>> request_seed((0, 3), "judge", ("9f2c", 0, 0, 0)) == request_seed((0, 3), "judge", ("9f2c", 0, 0, 0))
    True
    >>> request_seed((0, 3), "judge", ("9f2c", 0, 0, 0)) == request_seed((0, 3), "judge", ("9f2c", 1, 0, 0))
    False
    """
    digest = hashlib.sha256(repr((tuple(key), role, tuple(place))).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
