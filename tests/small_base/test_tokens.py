"""The tokenizer gives back what it was given, knows whole words, and speaks the chat template."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.small_base import corpus
from selfplay.small_base.recipes import RECIPES
from selfplay.small_base.tokens import CHARACTERS, make_tokenizer

TOKENIZER = make_tokenizer(RECIPES["small"].words)


@pytest.mark.parametrize("skill", sorted(corpus.SKILLS))
def test_the_corpus_survives_a_round_trip(skill: str) -> None:
    rng = random.Random(0)
    for _ in range(300):
        example = corpus.SKILLS[skill](rng)
        for text in (example.prompt, example.reply):
            ids = TOKENIZER(text)["input_ids"]
            assert TOKENIZER.unk_token_id not in ids, text
            assert TOKENIZER.decode(ids) == text


@given(st.text(alphabet=CHARACTERS, max_size=60))
def test_any_known_characters_survive_a_round_trip(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER(text)["input_ids"]) == text


def test_words_stand_alone_or_are_spelled() -> None:
    assert TOKENIZER.tokenize("cat cats") == ["cat", " ", "c", "a", "t", "s"]
    assert TOKENIZER.tokenize("solve 12+3") == ["solve", " ", "1", "2", "+", "3"]
    assert TOKENIZER("é")["input_ids"] == [TOKENIZER.unk_token_id]


def test_chat_template() -> None:
    messages = [
        {"role": "user", "content": "solve 3+4"},
        {"role": "assistant", "content": ">7"},
        {"role": "user", "content": "list tools"},
    ]
    text = TOKENIZER.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == "<|user|>solve 3+4<|assistant|>>7<eos><|user|>list tools<|assistant|>"
    ids = TOKENIZER(str(text))["input_ids"]
    assert TOKENIZER.convert_ids_to_tokens(ids)[-4:] == ["list", " ", "tools", "<|assistant|>"]
    assert TOKENIZER.decode(ids, skip_special_tokens=True) == "solve 3+4>7list tools"
