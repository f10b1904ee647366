"""Requests by seed, quality of lists, and prompt files with all their traps."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.domains.open_ended import PromptFile, WordLists
from selfplay.domains.world import WORDS, WORLD
from selfplay.small_base import corpus
from selfplay.types import Seed
from tests.texts import UGLY, texts


def test_categories_are_taken_in_turn_whatever_the_topic():
    domain = WordLists(categories=["tools", "drinks"])
    assert [domain.request(Seed(index, "any")).about for index in (0, 1, 2, 7)] == [
        "tools",
        "drinks",
        "tools",
        "drinks",
    ]
    assert {WordLists().request(Seed(index, "")).about for index in range(7)} == set(WORLD)


def test_the_compact_request_is_what_the_small_base_was_taught():
    prompts = {str(WordLists().request(Seed(index, "")).prompt) for index in range(7)}
    rng = random.Random(0)
    assert prompts == {corpus.list_words(rng).prompt for _ in range(300)}


def test_an_instructed_model_is_shown_all_words_in_an_order_of_the_episode():
    domain = WordLists(wording="boxed")
    one, same, other = (domain.request(Seed(index, "")) for index in (3, 3, 10))
    assert one == same
    assert one.about == other.about == "tools"
    assert one.prompt != other.prompt
    assert one.prompt == one.shown
    for request in (one, other):
        menu = str(request.prompt).split(":")[1].split(".")[0].split()
        assert sorted(menu) == sorted(WORDS)


@pytest.mark.parametrize(
    ("wording", "answer", "quality", "formed"),
    [
        ("compact", "saw axe drill", 3, True),
        ("compact", "saw axe saw", 1, True),
        ("compact", "saw cat", 0, True),
        ("compact", "cat red tea", -3, True),
        ("compact", "saw,axe", -1, False),
        ("compact", "12+5=17", -1, False),
        ("compact", "", 0, False),
        ("boxed", "Saw, axe, drill.", 3, True),
        ("boxed", "Here are tools: saw", -2, False),
        ("boxed", " ", 0, False),
    ],
)
def test_how_good_a_list_is(wording, answer, quality, formed):
    domain = WordLists(wording, categories=["tools"])
    request = domain.request(Seed(0, ""))
    assert domain.quality(request, answer) == quality
    assert domain.is_well_formed(request, answer) is formed


@given(texts, st.sampled_from(["compact", "boxed"]))
def test_any_answer_has_a_quality(answer, wording):
    domain = WordLists(wording)
    request = domain.request(Seed(0, ""))
    assert domain.quality(request, answer) in range(-len(answer) - 1, 9)
    assert domain.is_well_formed(request, answer) in (True, False)


@pytest.mark.parametrize("answer", UGLY, ids=lambda text: repr(text[:12]))
def test_ugly_answers_are_no_lists(answer):
    for wording in ("compact", "boxed"):
        assert not WordLists(wording).is_well_formed(WordLists(wording).request(Seed(0, "")), answer)


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"wording": "tagged"}, "domain.wording='tagged' is unknown; choose compact or boxed"),
        ({"categories": []}, "domain.categories=[]: choose one or more of animals"),
        ({"categories": ["animals", "cars"]}, "domain.categories=['animals', 'cars']: choose one or more of animals"),
    ],
)
def test_a_world_that_is_not_there_is_refused_by_key(settings, start):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        WordLists(**settings)
    assert str(caught.value).startswith(start)


def prompt_file(folder: Path, *rows: object) -> str:
    """Without a last line end, as such files often come."""
    path = folder / "prompts.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return str(path)


def test_every_pass_asks_everything_once_in_an_order_of_its_own(tmp_path: Path):
    prompts = [f"prompt {number}" for number in range(20)]
    path = prompt_file(tmp_path, *({"prompt": prompt} for prompt in prompts))
    domain = PromptFile(path)
    first, second = ([domain.request(Seed(index, "")).shown for index in range(at, at + 20)] for at in (0, 20))
    assert sorted(first) == sorted(second) == sorted(prompts)
    assert first != second
    # by the index alone, in whatever order and on whichever process it is asked for
    assert PromptFile(path).request(Seed(27, "")).shown == second[7]
    assert domain.request(Seed(3, "")).shown == first[3]
    assert [PromptFile(path, seed=1).request(Seed(index, "")).shown for index in range(20)] != first


def test_a_prompt_file_knows_no_quality_and_takes_prompts_as_they_are(tmp_path: Path):
    odd = "braces {prompt} {0}\u2028and a line separator\nof two lines"
    domain = PromptFile(
        prompt_file(tmp_path, {"context": odd, "prompt": 3}), field="context", template="Say: {prompt}!"
    )
    request = domain.request(Seed(0, ""))
    assert request.prompt == request.shown == f"Say: {odd}!"
    assert domain.quality(request, "x") is None
    assert (domain.is_well_formed(request, " \n"), domain.is_well_formed(request, "x")) == (False, True)
    assert domain.wording == "boxed"


def test_a_mark_at_the_start_of_the_file_does_no_harm(tmp_path: Path):
    (tmp_path / "bom.jsonl").write_bytes(b'\xef\xbb\xbf{"prompt": "a"}\r\n{"prompt": "b"}\r\n')
    assert PromptFile(str(tmp_path / "bom.jsonl")).prompts == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        (
            '{"prompt": "a"}\n\n{"prompt": 3}',
            "line 3: has no text in the field domain.field='prompt'; its fields: prompt",
        ),
        ('{"prompt": " "}', "line 1: has no text"),
        ('{"text": "a"}', "its fields: text"),
        ('["a"]', "none, since it is no object"),
        ("hello", "line 1: is not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text, part):
    path = tmp_path / "prompts.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"^domain\.path=") as caught:
        PromptFile(str(path))
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "caf\xe9"}')
    for name, part in (("none.jsonl", "No such file"), ("latin.jsonl", "it is not UTF-8"), (".", "Is a directory")):
        with pytest.raises(ValueError, match=part):
            PromptFile(str(tmp_path / name))
    with pytest.raises(ValueError, match=r"^domain\.template='Say' has no place for the prompt"):
        PromptFile(str(tmp_path / "none.jsonl"), template="Say")
