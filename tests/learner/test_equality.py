"""A few cells of the equality table under every strategy, and faults planted on purpose, which it must find."""

from __future__ import annotations

import pytest

from tests.learner.equality import BOUNDS, compare, over
from tests.learner.equality_cells import EXTRA, STRATEGIES, Cell, both, table

SOUND = {
    "DDP": [*both(Cell(loss="grpo", kl=True)), Cell("shared", "bnpo", checkpointing=True)],
    "ZeRO-1": both(Cell("shared", "dapo", kl=True)),
    "ZeRO-2": [*both(Cell(kl=True, checkpointing=True)), EXTRA[1]],
    "ZeRO-3": [*both(Cell(loss="grpo", kl=True, checkpointing=True)), Cell("shared", "bnpo")],
}
RESTING = {"kl": True, "updates": 1, "periods": {"proposer": 2}, "optimizer": "adamw"}
FAULTY = {
    "DDP": [Cell(checkpointing=True, fault="plain-checkpointing"), Cell(loss="grpo", fault="uncorrected-normaliser")],
    "ZeRO-2": [Cell(fault="idle-adapter", **RESTING)],
    "ZeRO-3": [Cell(fault="two-backwards"), Cell(fault="two-backwards", optimizer="adamw")],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """(strategy, cell) -> figures, one launch for each strategy."""
    cells = {strategy: [*SOUND[strategy], *FAULTY.get(strategy, []), Cell(**RESTING)] for strategy in STRATEGIES}
    return compare(cells, tmp_path_factory.mktemp("equality"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("strategy", "cell"), [(name, cell) for name in SOUND for cell in SOUND[name]])
def test_two_processes_are_the_reference(found, strategy, cell):
    assert over(cell, found[strategy, cell.key]) == []


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_role_at_rest_stays_where_the_reference_leaves_it(found, strategy):
    assert over(Cell(**RESTING), found[strategy, Cell(**RESTING).key]) == []


@pytest.mark.parametrize(("strategy", "cell"), [(name, cell) for name in FAULTY for cell in FAULTY[name]])
def test_a_planted_fault_is_found(found, strategy, cell):
    figures = found[strategy, cell.key]
    assert max(value / BOUNDS[name] for name, value in figures.items()) > 10, figures


def test_every_cell_has_a_name_of_its_own():
    cells = table()
    assert len({cell.key for cell in cells}) == len(cells)
