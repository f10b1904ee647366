"""Seeds, votes and memory do not know how many processes there are: SQLM on one process and on two, scripted.

What is said is fixed by the prompt here, so that everything is equal to the last bit up to the gradients' order of
summation. With the transformers sampler two processes do say something else than one, by design: its noise is seeded
from (run seed, window, rank, role) and drawn for the rank's rows in turn. Two processes are then another draw of the
same distribution; everything below holds for what was drawn.
"""

import json
import math
import os
import subprocess
import sys
from collections import defaultdict
from statistics import fmean

import pytest

from tests.learner import seeds_across_ranks
from tests.learner.seeds_across_ranks import CASES, SEEDS, WINDOWS
from tests.tiny import tiny_base


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What one process saw, and what the first and the second of two saw."""
    base = tiny_base(tmp_path_factory.mktemp("base"))
    folder = tmp_path_factory.mktemp("on_two")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*launcher, "-m", "tests.learner.seeds_across_ranks", str(base), str(folder)]
    two = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    one = seeds_across_ranks.main(str(base), tmp_path_factory.mktemp("on_one"))
    said, _ = two.communicate(timeout=240)
    assert two.returncode == 0, said[-3000:]
    ranks = [json.loads((folder / f"rank{rank}.json").read_text()) for rank in range(2)]
    return [json.loads(json.dumps(one)), *ranks]


@pytest.mark.parametrize("case", CASES)
def test_all_ranks_see_what_one_process_sees(found, case):
    one, first, second = (of[case] for of in found)
    assert (one["world"], first["world"], second["world"]) == (1, 2, 2)
    assert len(one["windows"]) == WINDOWS
    assert one["windows"] == first["windows"] == second["windows"]  # turns, advantages, memory, baselines, measures
    for number, window in enumerate(one["windows"]):
        assert window["seeds"] == list(range(number * SEEDS, (number + 1) * SEEDS))


def test_the_order_of_the_ranks_changes_nothing(found):
    for of in found:
        assert of["ranks_reversed"] == of["group"]


@pytest.mark.parametrize("rank", [1, 2])
def test_a_group_is_centred_on_one_mean_though_both_ranks_learn_from_it(found, rank):
    for number, window in enumerate(found[rank]["group"]["windows"]):
        groups = defaultdict(list)
        for role, group, _, reward, advantage in window["turns"]:
            groups[role, group].append((reward, advantage))
        for members in groups.values():
            assert math.fsum(advantage for _, advantage in members) == pytest.approx(0.0, abs=1e-9)
            mean = fmean(reward for reward, _ in members)
            assert all((advantage > 0) == (reward > mean) for reward, advantage in members if advantage)
        if number < WINDOWS - 1:  # what the last one asks was all asked before
            left, right = ({tuple(row[0]) for row in rows_of(of["group"]["learned"][number][0])} for of in found[1:])
            assert left & right  # both learn from answers to one question: nothing above is true for want of a split


@pytest.mark.parametrize("case", CASES)
def test_two_ranks_learn_from_the_rows_of_one_each_once(found, case):
    one, first, second = (of[case]["learned"] for of in found)
    for window in range(WINDOWS):
        for whole, left, right in zip(one[window], first[window], second[window], strict=True):
            assert rows_of(whole) == sorted(rows_of(left) + rows_of(right))
            assert abs(distinct(left) - distinct(right)) <= len(whole)  # evenly: at most one text a share


def rows_of(shares):
    return sorted(row for share in shares for row in share)


def distinct(shares):
    return sum(len({(tuple(prompt), tuple(text)) for prompt, text, _ in share}) for share in shares)


def test_a_problem_asked_on_the_other_rank_is_a_duplicate_on_both(found):
    for of in found:
        windows = of["group"]["windows"]
        assert sum(windows[0]["duplicates"]) == 0
        # Seeds 6 and 7, on rank 1, have the topics of seeds 0 and 1, which rank 0 played a window before.
        assert windows[1]["duplicates"][:2] == [0.0, 0.0]
        assert all(count >= 1 for count in windows[1]["duplicates"][2:])


def test_baselines_move_with_the_rewards_of_all_ranks(found):
    means = [window["means"] for window in found[0]["role_ema"]["windows"]]
    assert set(means[0]) == {"proposer", "solver"}
    assert means[0] != means[1]


@pytest.mark.parametrize("case", CASES)
def test_one_and_two_processes_learn_the_same(found, case):
    one, first, second = (of[case]["values"] for of in found)
    assert first == second
    for expected, value in zip(one, first, strict=True):
        assert value == pytest.approx(expected, abs=1e-4)
