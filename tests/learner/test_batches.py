"""Turns to tensors, worked out by hand."""

import math
import pickle
from dataclasses import replace

import pytest
import torch

from selfplay.learner import ranks
from selfplay.learner.batches import Share, _pad, deal, learnable, spread, tensors
from selfplay.learner.normalisation import LOSS_TYPES, StepCounts, correction
from selfplay.learner.ranks import gather_episodes
from selfplay.learner.seeds import SeedStream
from selfplay.types import Episode, Seed, Turn


def turn(text_ids, prompt_ids=(5, 6), role="solver", **more):
    logprobs = [-0.5] * len(text_ids)
    return Turn(role, "p", "t", prompt_ids=list(prompt_ids), text_ids=list(text_ids), logprobs=logprobs, **more)


def test_only_turns_with_an_objective_and_tokens_are_learned_from():
    kept, imitated = turn([1]), turn([2], objective="imitate")
    masked, empty, written = turn([3], objective=None), turn([]), Turn("solver", "p", "by hand")
    shares = learnable([kept, masked, empty, imitated, written])
    assert shares == {Share("solver", "reinforce"): [kept], Share("solver", "imitate"): [imitated]}


def test_rows_are_padded_left_and_right_and_filled_up():
    rows = tensors([turn([1, 2, 3], [7], advantage=0.5), turn([4], [8, 9], advantage=-1.0)], rows=3, pad_id=0)
    assert rows["prompt_ids"].tolist() == [[0, 7], [8, 9], [0, 0]]
    assert rows["prompt_mask"].tolist() == [[0, 1], [1, 1], [0, 1]]
    assert rows["completion_ids"].tolist() == [[1, 2, 3], [4, 0, 0], [0, 0, 0]]
    assert rows["completion_mask"].tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert rows["advantages"].tolist() == [0.5, -1.0, 0.0]
    assert rows["sampler_logprobs"][0].tolist() == [-0.5, -0.5, -0.5]
    assert math.isnan(rows["sampler_logprobs"][1, 1])


def test_a_micro_batch_of_nothing_but_fill_rows_keeps_its_shape():
    rows = tensors([], rows=2, pad_id=0)
    assert rows["completion_mask"].shape == (2, 1)
    assert rows["completion_mask"].sum() == 0
    assert rows["prompt_mask"].sum() == 2
    assert torch.equal(rows["advantages"], torch.zeros(2))


NAN = float("nan")


@pytest.mark.parametrize(
    ("lists", "value", "left", "width"),
    [
        ([[1, 2, 3], [4], []], 0, False, 0),
        ([[1, 2, 3], [4], []], 9, True, 0),
        ([[7]], 0, True, 4),
        ([[], []], 0, False, 1),
        ([[2**40, -1], [5]], 0, False, 3),
        ([[-0.1, -1e-9], [-2.5]], NAN, False, 0),
        ([[NAN, NAN], []], NAN, False, 5),
        ([[-math.inf, 0.25], [1]], 0.0, True, 0),
    ],
)
def test_padding_is_what_a_tensor_of_padded_lists_is(lists, value, left, width):
    width = max(width, *map(len, lists))
    fill = [[value] * (width - len(items)) for items in lists]
    pairs = zip(fill, lists, strict=True)
    plain = torch.tensor([gap + items if left else items + gap for gap, items in pairs])
    torch.testing.assert_close(_pad(lists, value, left, width), plain, rtol=0, atol=0, equal_nan=True)


def test_a_log_probability_that_is_none_is_no_missing_one():
    """NumPy makes NaN of None, which says that nothing was sampled: a sampler's mistake would drop its tokens."""
    with pytest.raises(TypeError, match="is None"):
        tensors([turn([1, 2]), replace(turn([3, 4]), logprobs=[-0.5, None])], rows=2, pad_id=0)


def test_all_ranks_episodes_in_rank_order_and_ones_own_as_they_are(monkeypatch):
    mine, theirs = [Episode(Seed(2, "a"))], [Episode(Seed(0, "b"), [turn([1, 2])]), Episode(Seed(1, "c"))]
    assert gather_episodes(mine) is mine
    monkeypatch.setattr(ranks.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(ranks.dist, "get_rank", lambda: 1)
    monkeypatch.setattr(ranks, "gather_objects", lambda sent: [pickle.dumps(theirs), sent])
    everyone = gather_episodes(mine)
    assert everyone == [*theirs, *mine]
    assert everyone[2] is mine[0], "its turns are what this rank samples from"


def lengths(dealt):
    return [[[len(t.text_ids) for t in part] for part in of_rank] for of_rank in dealt]


def test_turns_are_dealt_evenly_by_length():
    turns = [turn([0] * length) for length in (5, 1, 4, 2, 3)]
    assert lengths(deal(turns, 1, 2)) == [[[1, 2, 3], [4, 5]]]
    assert lengths(deal(turns, 2, 2)) == [[[1, 3], [5]], [[2], [4]]]
    assert deal([], 2, 3) == [[[], [], []]] * 2


def test_turns_that_say_the_same_are_dealt_as_one():
    turns = [turn([1, 1, 1]), turn([2]), turn([1, 1, 1]), turn([1, 1, 1]), turn([2, 2])]
    assert lengths(deal(turns, 2, 1)) == [[[1, 3, 3, 3]], [[2]]]
    assert lengths(deal(turns, 2, 1, twins=False)) == [[[1, 3, 3]], [[2, 3]]]
    other_prompt = turn([1, 1, 1], prompt_ids=(5, 7))
    assert lengths(deal([*turns, other_prompt], 2, 1)) == [[[1, 3, 3, 3]], [[2, 3]]]


def test_every_update_of_a_window_has_some_of_every_group_and_length():
    turns = [turn([0] * length, group=group) for group in "ab" for length in (1, 1, 9, 9)]
    for update in spread(turns, 2):
        assert [(t.group, len(t.text_ids)) for t in update] == [("a", 1), ("a", 9), ("b", 1), ("b", 9)]
    assert spread([], 3) == [[], [], []]


@pytest.mark.parametrize("loss_type", sorted(LOSS_TYPES))
def test_a_share_without_rows_weighs_nothing(loss_type):
    assert correction(loss_type, StepCounts(0, 0, 2, 2), 1, 0) == 0.0


def test_bnpo_is_weighed_by_its_tokens():
    assert correction("bnpo", StepCounts(rows=4, tokens=40, micro_batches=2, world=2), 1, 25) == 25 * 4 / 40


def test_two_ranks_play_the_seeds_of_one():
    stream = SeedStream(["a", "b", "c"], per_window=4)
    halves = stream.window(3, 0, 2) + stream.window(3, 1, 2)
    assert halves == stream.window(3)
    assert [seed.index for seed in halves] == [12, 13, 14, 15]


def test_seeds_that_do_not_divide_name_the_mend():
    with pytest.raises(ValueError, match=r"seeds.per_window=3 does not divide over 2 processes.*e.g. 4"):
        SeedStream(["a"], 3).window(0, 0, 2)


@pytest.mark.parametrize("topics", [[], [""], ["  "]])
def test_a_missing_topic_is_refused(topics):
    with pytest.raises(ValueError, match=r"seeds.topics=.* names no topic"):
        SeedStream(topics, 2)
