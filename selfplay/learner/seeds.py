"""The endless row of seeds: which topics a window plays on, on which rank.

Seed number ``i`` has topic ``topics[i % len(topics)]``. Window ``w`` of a job plays seeds ``w*B .. w*B + B - 1``, and
each rank takes its own consecutive share. So the row has no state: a resume asks for the next window, and one process
with B seeds plays the same seeds as two with B/2 each.

    >>> stream = SeedStream(topics=["sums", "products"], per_window=4)
    >>> [(seed.index, seed.topic) for seed in stream.window(1, rank=1, world=2)]
    [(6, 'sums'), (7, 'products')]
"""

from __future__ import annotations

from collections.abc import Sequence

from selfplay.types import Seed


class SeedStream:
    """
    Args:
        topics: one or more topic words, e.g. ``["addition"]``.
        per_window: seeds B of one window, summed over all processes.

    Raises:
        ValueError: no topic, or a window without seeds.
    """

    def __init__(self, topics: Sequence[str], per_window: int) -> None:
        if not topics or any(not str(topic).strip() for topic in topics):
            raise ValueError(f"seeds.topics={list(topics)!r} names no topic; give at least one, e.g. ['addition'].")
        if per_window < 1:
            raise ValueError(f"seeds.per_window={per_window} must be at least 1.")
        self.topics = [str(topic) for topic in topics]
        self.per_window = per_window

    def window(self, number: int, rank: int = 0, world: int = 1) -> list[Seed]:
        """The seeds of one rank in window ``number``; raises ValueError where they cannot be shared out evenly."""
        if self.per_window % world:
            raise ValueError(
                f"seeds.per_window={self.per_window} does not divide over {world} processes; "
                f"use a multiple of {world}, e.g. {-(-self.per_window // world) * world}."
            )
        share = self.per_window // world
        first = number * self.per_window + rank * share
        return [Seed(index, self.topics[index % len(self.topics)]) for index in range(first, first + share)]
