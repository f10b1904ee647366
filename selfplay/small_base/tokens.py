"""The tokenizers of small bases: a token for each character and each known word, or for each known word alone."""

from __future__ import annotations

import string
from collections.abc import Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

SPECIAL = ("<pad>", "<unk>", "<eos>", "<|user|>", "<|assistant|>")
CHARACTERS = string.digits + string.ascii_lowercase + "AB" + " +-*=,.>:|?#@\n"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|user|>{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<eos>"
    "{% else %}{{ raise_exception('the small base knows the roles user and assistant only') }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def make_tokenizer(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """Characters, chat markers and ``words``; any other character becomes ``<unk>``.

    A word is one token wherever it stands alone, and letters inside a longer word: ``cat`` but ``c a t s``.
    """
    pieces = [*SPECIAL, *CHARACTERS, *words]
    tokenizer = Tokenizer(models.WordLevel({piece: number for number, piece in enumerate(pieces)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_tokens([AddedToken(word, single_word=True, normalized=False) for word in words])
    return _with_chat(tokenizer)


def make_word_tokenizer(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """Chat markers and ``words`` with white space between, which is no token; any other word becomes ``<unk>``.

    Half as long as with spaces, and what stands beside a word is the next word: a document is looked up sooner.
    """
    pieces = [*SPECIAL, *words]
    tokenizer = Tokenizer(models.WordLevel({piece: number for number, piece in enumerate(pieces)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return _with_chat(tokenizer)  # without a decoder, tokens are joined with spaces


def _with_chat(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="<eos>",
        additional_special_tokens=list(SPECIAL[3:]),
        clean_up_tokenization_spaces=False,
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
        model_max_length=512,
    )
