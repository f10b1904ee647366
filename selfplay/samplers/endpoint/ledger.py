"""What an endpoint was asked and what it cost: by role and by what the prompts were about.

>>> ledger = Ledger()
>>> ledger.count("challenger", "context 7", calls=1, replies=1, prompt_tokens=900, completion_tokens=40)
>>> ledger.count("challenger", "context 8", calls=2, retries=1, replies=1, prompt_tokens=850, completion_tokens=35)
>>> ledger.total("challenger", "context 7").completion_tokens, ledger.total("challenger").tokens
(40, 1825)
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Account:
    """Plain counts, of one process. Tokens are what the server says of the calls that it answered."""

    calls: int = 0  # requests sent, retries included
    replayed: int = 0  # calls not sent: a run that was killed had their answers. Nothing else is counted of them
    retries: int = 0  # requests that repeat one which got no answer
    failures: int = 0  # requests given up after the last try: the infrastructure's fault, not the model's
    garbage: int = 0  # answers with status 200 that could not be read; each is tried again
    replies: int = 0  # texts received
    empty: int = 0  # of them without any text: null content, a refusal, all tokens spent on thinking
    cut: int = 0  # of them ended by the token limit or a filter
    unseen: int = 0  # choices to score that the server did not list
    prompt_tokens: int = 0
    cached_tokens: int = 0  # of the prompt tokens, those that the server had from an earlier call
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Account) -> Account:
        return Account(**{part.name: getattr(self, part.name) + getattr(other, part.name) for part in fields(self)})


class Ledger:
    """Safe to count in from many threads."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str], Account] = {}
        self._fresh: dict[str, Account] = {}  # by role, since the last ``take``
        self._lock = threading.Lock()

    def count(self, role: str, label: str, **counts: int) -> None:
        """Add to the account of a role and a label, e.g. ``calls=1``."""
        with self._lock:
            more = Account(**counts)
            self._accounts[role, label] = self._accounts.get((role, label), Account()) + more
            self._fresh[role] = self._fresh.get(role, Account()) + more

    def total(self, role: str | None = None, label: str | None = None) -> Account:
        """The sum over all accounts of this role and this label; None is any."""
        with self._lock:
            chosen = [
                account
                for (its_role, its_label), account in self._accounts.items()
                if role in (None, its_role) and label in (None, its_label)
            ]
        return sum(chosen, Account())

    def take(self) -> dict[str, dict[str, int]]:
        """Counts by role since the last call of this: what one window cost. Empty when nothing was asked."""
        with self._lock:
            fresh, self._fresh = self._fresh, {}
        return {role: asdict(account) for role, account in sorted(fresh.items())}

    def as_data(self) -> list[dict[str, Any]]:
        """One plain row for each role and label: ``{"role": ..., "label": ..., "calls": 3, ...}``."""
        with self._lock:
            accounts = sorted(self._accounts.items())
        return [{"role": role, "label": label, **asdict(account)} for (role, label), account in accounts]

    def save(self, path: Path | str) -> None:
        """Write ``as_data`` as JSON; a kill leaves the old file or the new one."""
        path = Path(path)
        written = path.with_name(f".{path.name}.writing-{os.getpid()}")
        written.write_text(json.dumps(self.as_data(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        written.replace(path)


def log_names(by_role: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Counts under their names in the log.

    >>> log_names({"judge": {"calls": 3, "retries": 1}})
    {'perf/endpoint/judge/calls': 3.0, 'perf/endpoint/judge/retries': 1.0}
    """
    return {
        f"perf/endpoint/{role}/{name}": float(value)
        for role, counts in by_role.items()
        for name, value in counts.items()
    }
