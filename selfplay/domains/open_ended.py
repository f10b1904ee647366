"""Open-ended requests: lists of words in the built-in small world, or anybody's prompts from a JSONL file.

Which request an episode is about follows from its seed's index alone, so that every process and a resume agree;
``seeds.topics`` only label such episodes. Datasets of the hub: selfplay/domains/hub_prompts.py.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfplay.domains.prompts import HELD_OUT_SHARE, Pool, Prompts, read_prompt, shown_text
from selfplay.domains.world import WORDS, WORLD, quality, random_list, read_list
from selfplay.types import Pair, Prompt, Request, Seed


class WordLists:
    """List words of a category of the small world (`selfplay/domains/world.py`); how good a list is, is known there.

    Two wordings. ``compact`` is the language of the small base. ``boxed`` is plain English for instruction-tuned
    models and shows them all words of the world, since they cannot know which animals it holds; the words come in an
    order of their own in every episode.

    Args:
        wording: ``compact`` or ``boxed``.
        categories: taken in turn; None = all seven.

    Raises:
        ValueError: an unknown wording or category, or no category.

    >>> domain = WordLists(categories=["animals"])
    >>> request = domain.request(Seed(0, "lists"))
    >>> request
    Request(prompt='list animals', shown='animals', about='animals')
    >>> domain.quality(request, "cat owl red"), domain.is_well_formed(request, "12+5=17")
    (1.0, False)
    """

    knows_quality = True

    def __init__(self, wording: str = "compact", categories: Sequence[str] | None = None) -> None:
        if wording not in ("compact", "boxed"):
            raise ValueError(f"domain.wording={wording!r} is unknown; choose compact or boxed.")
        self.wording = wording
        self.categories = list(WORLD) if categories is None else list(categories)
        strangers = [category for category in self.categories if category not in WORLD]
        if strangers or not self.categories:
            raise ValueError(f"domain.categories={self.categories}: choose one or more of {', '.join(WORLD)}.")

    def request(self, seed: Seed) -> Request:
        return self._ask(self.categories[seed.index % len(self.categories)], f"menu {seed.index}")

    def held_out_requests(self, n: int, seed: int) -> list[Request]:
        """One for each category, at most ``n`` of them.

        There are too few requests to keep any from training, so these are the same seven. Measuring on them is fair all
        the same: the quality is hidden from every reward, and answers are sampled afresh.
        """
        rng = random.Random(f"held-out {seed}")
        categories = rng.sample(self.categories, min(n, len(self.categories)))
        return [self._ask(category, f"menu held-out {seed} {category}") for category in categories]

    def held_out_pairs(self, n: int, seed: int) -> list[Pair]:
        """Random lists, from all on topic to none; half of them without repeats: as good as self-play will write."""
        rng = random.Random(f"pairs {seed}")
        return [self._pair(rng, f"pair {seed} {number}") for number in range(n)]

    def is_on_topic(self, request: Request, answer: str) -> bool | None:
        """Whether at least half of the words are of the category."""
        words = self._read(answer)
        return 2 * sum(word in WORLD[request.about] for word in words) >= max(1, len(words))

    def _pair(self, rng: random.Random, menu: str) -> Pair:
        category = rng.choice(self.categories)
        while True:
            lists = [random_list(rng, category, on_topic=rng.random()) for _ in range(2)]
            lists = [list(dict.fromkeys(words)) if rng.random() < 0.5 else words for words in lists]
            worse, better = sorted(lists, key=lambda words: quality(category, words))
            if quality(category, worse) < quality(category, better):
                return Pair(self._ask(category, menu), " ".join(better), " ".join(worse))

    def _ask(self, category: str, order: str) -> Request:
        if self.wording == "compact":
            return Request(f"list {category}", category, category)
        menu = random.Random(order).sample(WORDS, len(WORDS))
        text = (
            f"Here are some words: {' '.join(menu)}.\nWrite down those that are {category}: as many as you can find, "
            "each of them once and nothing else, on one line, with spaces between."
        )
        return Request(text, text, category)

    def is_well_formed(self, request: Request, answer: str) -> bool:
        """Whether the answer is words of the world and nothing else, of whatever category."""
        words = self._read(answer)
        return bool(words) and set(words) <= set(WORDS)

    def quality(self, request: Request, answer: str) -> float | None:
        """Distinct words of the category, minus all others (`selfplay.domains.world.quality`)."""
        return float(quality(request.about, self._read(answer)))

    def _read(self, answer: str) -> list[str]:
        """Models that speak English put commas and capitals; the small base does not."""
        return read_list(answer if self.wording == "compact" else re.sub(r"[,.;]", " ", answer.lower()))


class PromptFile(Prompts):
    """Prompts of a JSONL file, each line of which must hold one. Their quality is unknown.

    Args:
        path: one JSON object a line.
        field: where the prompt stands in it, e.g. ``"prompt"``: a text, or a list of messages.
        template, seed, held_out: as of ``Prompts``.

    Raises:
        ValueError: a file that cannot be read, a line without a prompt, and as ``Prompts`` does.
    """

    def __init__(
        self,
        path: str,
        field: str = "prompt",
        template: str = "{prompt}",
        seed: int = 0,
        held_out: float = HELD_OUT_SHARE,
    ) -> None:
        super().__init__(template, seed, held_out)
        self.prompts = read_prompts(path, field)
        self._pool = Pool.of(self.prompts, map(shown_text, self.prompts), self.held_out)

    @property
    def pool(self) -> Pool:
        return self._pool


def read_prompts(path: str, field: str) -> list[Prompt]:
    """The prompts of a JSONL file, in its order.

    Raises:
        ValueError: as ``PromptFile`` does; the line is named.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"domain.path={path}: cannot be read ({reason}); give a JSONL file.") from error
    # by "\n" alone: str.splitlines also cuts at U+2028, which stands in real prompts
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        raise ValueError(f"domain.path={path}: the file is empty; give one with a prompt a line.")
    return [_prompt_of(line, field, f"domain.path={path}, line {number}") for number, line in lines]


def _prompt_of(line: str, field: str, where: str) -> Prompt:
    try:
        row: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: is not JSON ({error.msg}).") from error
    prompt = read_prompt(row.get(field)) if isinstance(row, dict) else None
    if prompt is None:
        known = ", ".join(row) if isinstance(row, dict) else "none, since it is no object"
        raise ValueError(f"{where}: has no text in the field domain.field={field!r}; its fields: {known}.")
    return prompt
