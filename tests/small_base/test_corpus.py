"""Every example says the truth, reads back through the arithmetic domain, and none touches a held-out sum."""

from __future__ import annotations

import dataclasses
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfplay.domains.arithmetic import Arithmetic, is_held_out
from selfplay.domains.world import WORDS, WORLD, quality, read_list
from selfplay.small_base import corpus
from selfplay.small_base.recipes import RECIPES, Phase

DOMAIN = Arithmetic()


def examples(skill: str, count: int = 3000) -> list[corpus.Example]:
    rng = random.Random(f"test {skill}")
    return [corpus.SKILLS[skill](rng) for _ in range(count)]


@given(st.integers(0, 999), st.integers(0, 999))
def test_a_worked_solution_adds_up(first: int, second: int) -> None:
    text = corpus.worked(first, second)
    assert re.fullmatch(r"(\d\+\d\+\d=\d\d,){2}\d\+\d\+\d=\d\d>\d+", text)
    assert DOMAIN.read_answer(text) == str(first + second)
    columns = re.findall(r"(\d)\+(\d)\+(\d)=(\d\d)", text)
    assert all(int(a) + int(b) + int(c) == int(total) for a, b, c, total in columns)
    carries = [0, *(int(total) // 10 for *_, total in columns)]
    assert [int(carry) for _, _, carry, _ in columns] == carries[:-1]
    units = "".join(total[1] for *_, total in reversed(columns))
    assert int(f"{carries[-1]}{units}") == first + second


def test_worked_by_hand() -> None:
    assert corpus.worked(999, 999) == "9+9+0=18,9+9+1=19,9+9+1=19>1998"
    assert corpus.worked(0, 7) == "0+7+0=07,0+0+0=00,0+0+0=00>7"


@pytest.mark.parametrize("skill", ["solve_direct", "solve_worked"])
def test_solutions_are_true_and_readable(skill: str) -> None:
    for example in examples(skill):
        problem = DOMAIN.read_problem(example.prompt.removeprefix("solve "))
        assert problem is not None
        assert DOMAIN.solve_prompt(problem) == example.prompt
        assert DOMAIN.read_answer(example.reply) == problem.truth


def test_proposals_are_in_scope_and_of_mixed_length_and_order() -> None:
    problems = [DOMAIN.read_problem(example.reply) for example in examples("propose")]
    assert all(example.prompt == DOMAIN.propose_prompt("addition") for example in examples("propose", 20))
    shapes = [tuple(len(part) for part in problem.text.split("+")) for problem in problems if problem]
    assert len(shapes) == len(problems)
    assert set(shapes) == {(a, b) for a in (1, 2, 3) for b in (1, 2, 3)}
    assert min(shapes.count(shape) for shape in set(shapes)) > len(shapes) / 9 * 0.7


@pytest.mark.parametrize("skill", sorted(corpus.SKILLS))
def test_no_held_out_sum_in_any_skill(skill: str) -> None:
    seen = 0
    for example in examples(skill, 12000):
        for key in corpus.sums_in(f"{example.prompt} {example.reply}"):
            seen += 1
            assert not is_held_out(key), example
    assert seen > 0 or skill == "list"


def test_a_held_out_sum_would_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    held_out = DOMAIN.held_out_problems(1, seed=0)[2][0].text
    monkeypatch.setitem(corpus.SKILLS, "leaky", lambda rng: corpus.Example(f"solve {held_out}", ">1"))
    with pytest.raises(AssertionError, match="solve"):
        corpus.draw("leaky", random.Random(0))
    assert corpus.sums_in("solve 85+27 5+7+0=12>112 | 3+4 x 1+2+3") == ["27+85", "3+4"]


def test_every_level_has_held_out_problems_left() -> None:
    levels = DOMAIN.held_out_problems(50, seed=0)
    assert len(levels[1]) >= 5
    assert len(levels[2]) == len(levels[3]) == 50


def test_quality_by_hand() -> None:
    assert quality("animals", ["cat", "dog", "owl"]) == 3
    assert quality("animals", ["cat", "cat", "red"]) == -1
    assert quality("tools", []) == 0
    assert quality("tools", read_list("saw axe ,,, >12")) == 0


def test_words_are_distinct_and_fit_the_tokenizer() -> None:
    assert len(set(WORDS) | set(WORLD)) == len(WORDS) + len(WORLD)


def test_verdicts_are_true_and_both_letters_come_alike() -> None:
    verdicts = []
    for example in examples("judge"):
        matched = re.fullmatch(r"judge (\w+) : (.*) \| (.*?)", example.prompt)
        assert matched is not None
        verdicts.append(example.reply)
        category, first, second = matched.groups()
        texts = [read_list(first), read_list(second)]
        if all(set(words) <= set(WORDS) for words in texts):
            better = quality(category, texts[0]) > quality(category, texts[1])
            assert example.reply == ("A" if better else "B"), example
            assert quality(category, texts[0]) != quality(category, texts[1])
    assert 0.45 < verdicts.count("A") / len(verdicts) < 0.55


def test_garbage_loses_to_every_list() -> None:
    rng = random.Random(0)
    met = 0
    for _ in range(3000):
        pair = corpus.judged_pair(rng, "animals")
        foreign = [not set(read_list(text)) <= set(WORDS) for text, _ in pair]
        if any(foreign):
            met += 1
            garbage, other = pair if foreign[0] else pair[::-1]
            assert garbage[1] < other[1]
    assert met > 200


def test_lists_are_mediocre_on_purpose() -> None:
    qualities = [
        quality(example.prompt.removeprefix("list "), read_list(example.reply)) for example in examples("list")
    ]
    assert 0.3 < sum(qualities) / len(qualities) < 1.0
    assert min(qualities) < -1
    assert max(qualities) > 3


def test_a_recipe_hash_moves_with_what_decides_the_weights_and_with_nothing_else() -> None:
    small = RECIPES["small"]
    assert small.digest() == dataclasses.replace(small, bands={"x": (0.0, 1.0)}).digest()
    others = [
        dataclasses.replace(small, seed=2),
        dataclasses.replace(small, learning_rate=1e-3),
        dataclasses.replace(small, phases=small.phases[:1]),
        dataclasses.replace(small, phases=(_reordered(small.phases[0]), *small.phases[1:])),
        dataclasses.replace(small, words=small.words[::-1]),
        dataclasses.replace(small, corpus_version=small.corpus_version + 1),
    ]
    assert len({recipe.digest() for recipe in [small, RECIPES["small-1"], *others]}) == len(others) + 2


def _reordered(phase: Phase) -> Phase:
    """The same shares, listed backwards: other examples are drawn."""
    return dataclasses.replace(phase, mixture=dict(reversed(phase.mixture.items())))
