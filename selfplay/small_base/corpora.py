"""The two corpora that bases are made from, by the name that a recipe gives: what is drawn, how it is cut into tokens.

How well a base has learned them is told by `scoring` (sums, lists) and by `rule_book_scoring`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast

from selfplay.small_base import corpus, rule_book_corpus
from selfplay.small_base.examples import Example
from selfplay.small_base.tokens import make_tokenizer, make_word_tokenizer


@dataclass(frozen=True)
class Corpus:
    draw: Callable[[str, random.Random], Example]  # by the skill's name
    make_tokenizer: Callable[[Sequence[str]], PreTrainedTokenizerFast]  # from the recipe's words


CORPORA = {
    "sums_and_lists": Corpus(corpus.draw, make_tokenizer),
    "rule_books": Corpus(rule_book_corpus.draw, make_word_tokenizer),
}
