"""The task gate: which proposals are asked at all. Every rejection has a reason that is counted in the log.

Read, in scope, not held out, not asked before: a gate between proposing and solving is what keeps a self-play
proposer from drifting out of the solver's reach and from practising what yardsticks measure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selfplay.types import Admission, Domain


class TaskGate:
    """Judges proposals by the domain's reading of them.

    Args:
        domain: reads a problem, and knows which problems are held out.
        max_level: highest level asked (the declared scope); None = any that the domain can read.
        deduplicate: each problem is asked once in the whole run.

    Raises:
        ValueError: ``max_level`` below 1.
    """

    def __init__(self, domain: Domain, max_level: int | None = None, deduplicate: bool = True) -> None:
        if max_level is not None and max_level < 1:
            raise ValueError(f"guards.gate.max_level={max_level}: must be at least 1, or null for no limit.")
        self.domain = domain
        self.max_level = max_level
        self.deduplicate = deduplicate
        self._asked: dict[str, None] = {}  # in the order of asking, so that a checkpoint is the same on every run

    def admit(self, texts_G: Sequence[str]) -> list[Admission]:
        """Judge one row of proposals.

        A twin within the row is a duplicate. Twins in two rows of one window both pass: rows may be on different
        processes, and the outcome must not depend on how they are split.
        """
        row: set[str] = set()
        return [self._judge(text, row) for text in texts_G]

    def remember(self, keys: Sequence[str]) -> None:
        """Add problems to the pool of those asked; the only place where the pool grows."""
        if self.deduplicate:
            self._asked.update(dict.fromkeys(keys))

    def state_dict(self) -> dict[str, Any]:
        return {"asked": list(self._asked)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._asked = dict.fromkeys(state["asked"])

    def _judge(self, text: str, row: set[str]) -> Admission:
        problem = self.domain.read_problem(text)
        if problem is None:
            return Admission(None, "unreadable")
        if self.max_level is not None and problem.level > self.max_level:
            return Admission(None, "out_of_scope")
        if self.domain.is_held_out(problem):
            return Admission(None, "held_out")
        if self.deduplicate and (problem.key in row or problem.key in self._asked):
            return Admission(None, "duplicate")
        row.add(problem.key)
        return Admission(problem)
