"""What is held out of any prompts, for good; and what a dataset's field is as a prompt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfplay.domains.open_ended import PromptFile, WordLists
from selfplay.domains.prompts import Pool, read_prompt, shown_text
from selfplay.domains.world import WORLD
from selfplay.types import Seed

TEXTS = [f"Explain the number {number}." for number in range(2000)]


def prompt_file(folder: Path, texts: list[str], **words) -> PromptFile:
    path = folder / "prompts.jsonl"
    path.write_text("\n".join(json.dumps({"prompt": text}) for text in texts))
    return PromptFile(str(path), **words)


def test_held_out_prompts_are_never_played(tmp_path: Path):
    domain = prompt_file(tmp_path, TEXTS, template="Do: {prompt}")
    played = {domain.request(Seed(index, "")).shown for index in range(2 * len(TEXTS))}
    kept = {request.shown for request in domain.held_out_requests(10_000, seed=0)}
    assert played | kept == {f"Do: {text}" for text in TEXTS}
    assert not played & kept
    assert 20 <= len(kept) <= 60  # 2 % of 2000, three standard deviations of a fair hash either way


def test_what_is_held_out_never_changes():
    """Anybody's recorded runs would lose their meaning."""
    pool = Pool.of(TEXTS, TEXTS, share=0.02)
    assert list(pool.held_out)[:5] == [85, 97, 124, 151, 231]
    again = Pool.of(TEXTS[::-1], TEXTS[::-1], share=0.02)
    assert {TEXTS[::-1][row] for row in again.held_out} == {TEXTS[row] for row in pool.held_out}
    spaced = [f" {text}\n" for text in TEXTS]
    assert Pool.of(spaced, spaced, share=0.02) == Pool(spaced, pool.played, pool.held_out)
    more = Pool.of(TEXTS, TEXTS, share=0.2)
    assert set(pool.held_out) < set(more.held_out)


def test_the_seed_picks_among_the_held_out(tmp_path: Path):
    domain = prompt_file(tmp_path, TEXTS, held_out=0.1)
    one, again, other = (domain.held_out_requests(8, seed) for seed in (0, 0, 1))
    assert one == again != other
    assert len({request.shown for request in one}) == 8


def test_a_prompt_that_comes_twice_is_measured_once(tmp_path: Path):
    domain = prompt_file(tmp_path, TEXTS[:300] * 2, held_out=0.1)
    kept = [request.shown for request in domain.held_out_requests(1000, seed=0)]
    assert len(kept) == len(set(kept)) > 0


@pytest.mark.parametrize(
    ("held_out", "message"),
    [
        (0, "domain.held_out=0 holds out none of 3 prompts"),
        (0.999999, "domain.held_out=0.999999 leaves none of 3 prompts to play"),
        (1, "domain.held_out=1 must be a share from 0 and below 1"),
        (-0.1, "domain.held_out=-0.1 must be a share"),
        ("all", "domain.held_out='all' must be a share"),
    ],
)
def test_a_share_that_leaves_nothing_is_refused(tmp_path: Path, held_out, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        prompt_file(tmp_path, ["a", "b", "c"], held_out=held_out).held_out_requests(1, seed=0)
    assert str(caught.value).startswith(message)


def test_the_small_world_is_measured_on_the_requests_that_it_has():
    compact = WordLists()
    assert {request.about for request in compact.held_out_requests(100, seed=0)} == set(WORLD)
    assert {request.shown for request in compact.held_out_requests(100, seed=0)} == set(WORLD)
    assert compact.held_out_requests(3, seed=0) == compact.held_out_requests(3, seed=0)
    assert len(compact.held_out_requests(3, seed=0)) == 3
    boxed = WordLists(wording="boxed", categories=["tools"])
    (request,) = boxed.held_out_requests(5, seed=0)
    assert request.about == "tools"
    assert boxed.held_out_requests(5, seed=1) != [request]
    assert request not in [boxed.request(Seed(index, "")) for index in range(50)]


USER, REPLY = {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}


@pytest.mark.parametrize(
    ("value", "prompt"),
    [
        ("Hello", "Hello"),
        (" Hello\n", " Hello\n"),
        ("", None),
        (None, None),
        (7, None),
        ([], None),
        ({"role": "user", "content": "Hello"}, None),
        ([USER], "Hello"),
        ([USER, REPLY], "Hello"),
        ([USER, REPLY, USER], [USER, REPLY, USER]),
        ([USER, REPLY, {**USER, "id": 3}], [USER, REPLY, USER]),
        ([REPLY], None),
        ([USER, {"role": "user", "content": " "}], None),
        ([{"role": "user", "content": None}], None),
        ([{"from": "human", "value": "Hello"}], None),
        (["Hello"], None),
    ],
)
def test_a_field_as_a_prompt(value, prompt):
    assert read_prompt(value) == prompt


def test_a_talk_as_the_judge_is_shown_it():
    assert shown_text("Hello") == "Hello"
    assert shown_text([USER, REPLY, USER]) == "User: Hello\n\nAssistant: Hi\n\nUser: Hello"
