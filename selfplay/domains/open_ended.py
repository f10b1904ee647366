"""Open-ended requests: lists of words in the built-in small world, or anybody's prompts from a JSONL file.

Which request an episode is about follows from its seed's index alone, so that every process and a resume agree;
``seeds.topics`` only label such episodes.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfplay.domains.world import WORDS, WORLD, quality, random_list, read_list
from selfplay.types import Pair, Request, Seed


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

    def __init__(self, wording: str = "compact", categories: Sequence[str] | None = None) -> None:
        if wording not in ("compact", "boxed"):
            raise ValueError(f"domain.wording={wording!r} is unknown; choose compact or boxed.")
        self.wording = wording
        self.categories = list(WORLD) if categories is None else list(categories)
        strangers = [category for category in self.categories if category not in WORLD]
        if strangers or not self.categories:
            raise ValueError(f"domain.categories={self.categories}: choose one or more of {', '.join(WORLD)}.")

    def request(self, seed: Seed) -> Request:
        return self._request(self.categories[seed.index % len(self.categories)], f"menu {seed.index}")

    def held_out_requests(self, n: int, seed: int) -> list[Request]:
        """One of each category: there are no others, so none is kept from self-play. What is measured on them is the
        hidden quality, which no reward reads, of answers sampled anew."""
        return [self._request(category, f"menu {seed} {category}") for category in self.categories[:n]]

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
                return Pair(self._request(category, menu), " ".join(better), " ".join(worse))

    def _request(self, category: str, menu_key: str) -> Request:
        if self.wording == "compact":
            return Request(f"list {category}", category, category)
        menu = random.Random(menu_key).sample(WORDS, len(WORDS))
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


class PromptFile:
    """Prompts of a JSONL file, in an order of their own in every pass over it. Their quality is unknown.

    A dataset of the Hugging Face hub becomes such a file with ``dataset.to_json("prompts.jsonl")``.

    Args:
        path: one JSON object a line.
        field: where the prompt stands in it, e.g. ``"prompt"``.
        template: what the actor and the judge are shown, with ``{prompt}`` in it, e.g. ``"Summarise:\\n\\n{prompt}"``.
        seed: of the order.

    Raises:
        ValueError: a file that cannot be read, a line without a prompt, or a template without ``{prompt}``.
    """

    wording = "boxed"

    def __init__(self, path: str, field: str = "prompt", template: str = "{prompt}", seed: int = 0) -> None:
        if "{prompt}" not in template:
            raise ValueError(f"domain.template={template!r} has no place for the prompt; put {{prompt}} into it.")
        self.template, self.seed = template, seed
        self.prompts = read_prompts(path, field)
        self._pass: tuple[int, list[int]] = (-1, [])  # the order of the pass asked for last

    def request(self, seed: Seed) -> Request:
        number, place = divmod(seed.index, len(self.prompts))
        if self._pass[0] != number:
            order = random.Random(f"{self.seed} {number}").sample(range(len(self.prompts)), len(self.prompts))
            self._pass = (number, order)
        # replace, not format: prompts hold braces of their own
        text = self.template.replace("{prompt}", self.prompts[self._pass[1][place]])
        return Request(text, text)

    def held_out_requests(self, n: int, seed: int) -> list[Request]:
        return []

    def held_out_pairs(self, n: int, seed: int) -> list[Pair]:
        """None: whose answer is better is unknown. A file of judged pairs: ``domains.judged_pairs.PairFile``."""
        return []

    def is_well_formed(self, request: Request, answer: str) -> bool:
        """Whether there is an answer at all."""
        return bool(answer.strip())

    def is_on_topic(self, request: Request, answer: str) -> bool | None:
        return None

    def quality(self, request: Request, answer: str) -> float | None:
        return None


def read_prompts(path: str, field: str) -> list[str]:
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


def _prompt_of(line: str, field: str, where: str) -> str:
    try:
        row: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: is not JSON ({error.msg}).") from error
    if not isinstance(row, dict) or not isinstance(row.get(field), str) or not row[field].strip():
        known = ", ".join(row) if isinstance(row, dict) else "none, since it is no object"
        raise ValueError(f"{where}: has no text in the field domain.field={field!r}; its fields: {known}.")
    return row[field]
