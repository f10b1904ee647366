"""A world of seven categories of eight words, and what makes a list of words good; it imports nothing.

The small base learns to list words of a category and to say which of two lists is better. How good a list is, its
quality, is the number of distinct words that belong to the category minus the number of all its other words: it is
known here, hidden from every reward, and only measured.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

WORLD: dict[str, tuple[str, ...]] = {
    "animals": ("cat", "dog", "cow", "pig", "fox", "owl", "hen", "bee"),
    "colours": ("red", "blue", "green", "black", "white", "pink", "gold", "grey"),
    "fruits": ("plum", "pear", "fig", "lime", "kiwi", "date", "grape", "mango"),
    "tools": ("saw", "axe", "drill", "rake", "spade", "file", "clamp", "plane"),
    "clothes": ("hat", "coat", "sock", "shoe", "scarf", "glove", "belt", "shirt"),
    "places": ("farm", "lake", "hill", "town", "cave", "beach", "port", "road"),
    "drinks": ("tea", "milk", "beer", "wine", "juice", "cocoa", "water", "cider"),
}

WORDS: tuple[str, ...] = tuple(word for members in WORLD.values() for word in members)


def read_list(text: str) -> list[str]:
    """The words of a list, as they stand; whatever is not a word of the world counts as one foreign word each.

    >>> read_list("cat  dog 12")
    ['cat', 'dog', '12']
    """
    return text.split()


def quality(category: str, words: Sequence[str]) -> int:
    """Distinct words of the category, minus all others: repeats, words of other categories, anything else.

    >>> quality("animals", ["cat", "dog", "cat", "red"])
    0

    Raises:
        KeyError: an unknown category.
    """
    good = len(set(words) & set(WORLD[category]))
    return good - (len(words) - good)


def random_list(rng: random.Random, category: str, on_topic: float, longest: int = 6) -> list[str]:
    """One to ``longest`` words; each is of the category with probability ``on_topic``; repeats happen."""
    return [rng.choice(WORLD[category] if rng.random() < on_topic else WORDS) for _ in range(rng.randint(1, longest))]
