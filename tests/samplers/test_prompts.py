"""Over-long prompts with the tokenizer and chat template of the base that ships: what is lost, and what never is."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from selfplay.samplers.prompts import encode
from selfplay.small_base import shipped_folder
from selfplay.types import Raw

LONG = " ".join(f"{number}" for number in range(100, 200))


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(shipped_folder("small"))


@pytest.mark.parametrize("most", [2, 3, 16, 17, 255])
def test_the_middle_goes_and_both_ends_of_the_template_stay(tokenizer, most):
    (whole,) = encode(tokenizer, [LONG], 10_000)
    (cut,) = encode(tokenizer, [LONG], most, truncate="middle")
    assert len(cut) == most < len(whole)
    first = most // 2
    assert cut == whole[:first] + whole[-(most - first) :]
    text = tokenizer.decode(cut)
    assert text.startswith("<|user|>")
    assert text.endswith("<|assistant|>")


def test_a_talk_keeps_its_first_request_and_its_last(tokenizer):
    talk = [
        {"role": "user", "content": f"first {LONG}"},
        {"role": "assistant", "content": LONG},
        {"role": "user", "content": f"{LONG} last"},
    ]
    (cut,) = encode(tokenizer, [talk], 30, truncate="middle")
    text = tokenizer.decode(cut)
    assert text.startswith("<|user|>first")
    assert text.endswith("last<|assistant|>")


@pytest.mark.parametrize(
    ("truncate", "most", "kept"),
    [
        ("start", 4, "6789"),
        ("middle", 4, "0189"),
        ("middle", 5, "01789"),
        ("middle", 1, "9"),
        ("start", 10, "0123456789"),
    ],
)
def test_what_stays_of_plain_text(tokenizer, truncate, most, kept):
    (ids,) = encode(tokenizer, [Raw("0123456789")], most, truncate=truncate)
    assert tokenizer.decode(ids) == kept


def test_the_start_goes_unless_one_says_otherwise(tokenizer):
    (cut,) = encode(tokenizer, [LONG], 4)
    assert tokenizer.decode(cut).endswith("<|assistant|>")
    assert "<|user|>" not in tokenizer.decode(cut)


def test_a_template_that_refuses_a_conversation_says_why():
    refusing = AutoTokenizer.from_pretrained(shipped_folder("small"))
    refusing.chat_template = "{{ raise_exception('System role\\nnot supported') }}"
    with pytest.raises(ValueError, match=r"^the chat template refuses this conversation: System role not supported$"):
        encode(refusing, [[{"role": "system", "content": "Be kind."}]], 100)
