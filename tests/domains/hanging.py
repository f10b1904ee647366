"""A domain that hangs, crashes or raises where the text says so. Run as a script, it hangs until it is killed."""

from __future__ import annotations

import ctypes
import os
import re
import sys

from selfplay.domains.arithmetic import Arithmetic
from selfplay.domains.deadline import WithDeadline


class Hanging(Arithmetic):
    """Sums, and words that a checker dies of."""

    def read_answer(self, text: str) -> str | None:
        if text == "backtrack":
            re.match("(a+)+$", "a" * 60 + "!")
        if text == "loop":
            sum(range(10**15))  # in C, without ever letting Python run
        if text == "segfault":
            ctypes.string_at(0)
        if text == "exit":
            sys.exit(3)
        if text == "raise":
            raise MemoryError("too much")
        if text == "print":
            print("never mind", flush=True)
        if text == "pid":
            return str(os.getpid())
        return super().read_answer(text)

    def is_right(self, problem, answer):
        return super().is_right(problem, answer) if answer != "0" else self.read_answer("loop")


if __name__ == "__main__":
    from tests.domains.hanging import Hanging as Importable  # the other process knows no __main__

    domain = WithDeadline(Importable(), seconds=1000)
    print(domain.read_answer("pid"), flush=True)
    domain.read_answer(sys.argv[1])
