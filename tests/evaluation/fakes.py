"""A sampler whose replies are written down beforehand."""

from collections.abc import Mapping, Sequence

from selfplay.domains.arithmetic import Arithmetic
from selfplay.types import Prompt, Turn


class Replies:
    """``sampled`` and ``greedy`` by prompt; every call is noted in ``calls``."""

    def __init__(self, sampled: Mapping[str, Sequence[str]], greedy: Mapping[str, str]) -> None:
        self.sampled, self.greedy = sampled, greedy
        self.calls: list[tuple] = []

    def begin(self, *key: int | str) -> None:
        self.calls.append(("begin", *key))

    def sample(
        self, role: str, prompts_N: Sequence[Prompt], n: int = 1, *, temperature: float | None = None
    ) -> list[list[Turn]]:
        self.calls.append((role, len(prompts_N), n, temperature))
        rows = [[self.greedy[str(p)]] if temperature == 0 else self.sampled[str(p)] for p in prompts_N]
        assert all(len(row) == n for row in rows)
        return [[Turn(role, prompt, text) for text in row] for prompt, row in zip(prompts_N, rows, strict=True)]

    def score(self, role: str, prompts_N: Sequence[Prompt], choices: Sequence[str]) -> list[list[float]]:
        raise AssertionError("a yardstick does not score")

    def choose(
        self,
        role: str,
        prompts_N: Sequence[Prompt],
        choices: Sequence[str],
        n: int = 1,
        *,
        temperature: float | None = None,
    ) -> list[list[Turn]]:
        raise AssertionError("a yardstick does not choose")


def problems(*texts: str):
    """Problems as the domain reads them."""
    read = [Arithmetic().read_problem(text) for text in texts]
    assert all(read)
    return [problem for problem in read if problem]
