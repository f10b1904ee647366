"""A domain whose checker may hang or crash: what a model wrote is read in another process, with a deadline.

A checker that parses, evaluates or runs model text meets, sooner or later, one that it cannot finish: a regular
expression that backtracks for hours, a fraction of a million digits, a proof that segfaults the solver. Nothing in the
same process can stop C code. So (``domain/checked.yaml`` beside one's own recipe):

    _target_: selfplay.domains.deadline.WithDeadline
    domain: {_target_: mine.MyDomain}
    seconds: 5

``read_problem``, ``read_answer`` and ``is_right`` run in the checker's process. No answer within ``seconds``, a crash
or an exception counts as None: no problem was posed, no answer was given, rightness is unknown (left out of the vote's
accuracy and of ``control=truth``; a yardstick, which needs a number, takes it for not right). Prompts, held-out
problems and ``is_held_out`` go straight through, and must not need the checker. The log counts what could not be told
(``guard/checker_hung``, ``_died``, ``_raised``, ``_skipped``), one line warns when it begins, and the episode's note
``checker`` quotes the question.

The same answers as without a deadline, as long as the domain answers by what it is asked alone: its process is
replaced after a hang, and whatever it had in memory is lost. A call costs about a tenth of a millisecond.
"""

from __future__ import annotations

import pickle

from selfplay.domains.checker import desk
from selfplay.types import Domain, Problem, Prompt


class WithDeadline:
    """
    Args:
        domain: what to ask; pickled, so an instance of a class that can be imported.
        seconds: how long one reading or judging may take; hanging longer counts as unknown.
        at_most: hangs and crashes in one window of one process, after which the rest of that window's questions count
            as unknown without being asked. It bounds how long the other processes wait: ``at_most * seconds``.

    Raises:
        ValueError: a setting that cannot work, or a domain that cannot be pickled or started in another process.
    """

    def __init__(self, domain: Domain, seconds: float = 5.0, at_most: int = 20) -> None:
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
            raise ValueError(f"domain.seconds={seconds!r} must be a number above 0, the time for one answer; try 5.")
        if isinstance(at_most, bool) or not isinstance(at_most, int) or at_most < 1:
            raise ValueError(f"domain.at_most={at_most!r} must be a whole number from 1, e.g. 20.")
        try:
            pickled = pickle.dumps(domain)
            self.checker = desk().checker(pickled, float(seconds), at_most)
        except Exception as error:
            name = f"{type(domain).__module__}.{type(domain).__qualname__}"
            raise ValueError(
                f"domain.domain={name} cannot work in another process ({error}); give a class that can be imported, "
                "without open files, locks or lambdas in it."
            ) from error
        self.domain = domain

    def read_problem(self, text: str) -> Problem | None:
        return self.checker.ask("read_problem", text)

    def read_answer(self, text: str) -> str | None:
        return self.checker.ask("read_answer", text)

    def is_right(self, problem: Problem, answer: str | None) -> bool | None:
        return self.checker.ask("is_right", problem, answer)

    def propose_prompt(self, topic: str) -> Prompt:
        return self.domain.propose_prompt(topic)

    def solve_prompt(self, problem: Problem) -> Prompt:
        return self.domain.solve_prompt(problem)

    def is_held_out(self, problem: Problem) -> bool:
        return self.domain.is_held_out(problem)

    def held_out_problems(self, per_level: int, seed: int) -> dict[int, list[Problem]]:
        return self.domain.held_out_problems(per_level, seed)
