"""What each role's loss counts: weights worked by hand, and gradients against the independent reference."""

from __future__ import annotations

import pytest
import torch

from selfplay.learner.loss_mix import LossMix
from tests.learner.harness import ROLES, FixedGame, gradients, make_trainer, reference_loss
from tests.learner.test_trainer import assert_close, make_policy, one_step_gradients, turns_of_window
from tests.tiny import tiny_base

KL = {"proposer": 0.3, "solver": 0.1}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.mark.parametrize(
    ("mix", "window", "actor", "judge"),
    [
        ("sum", 0, 1.0, 1.0),
        ("sum", 1562, 1.0, 1.0),
        ("ramp", 0, 0.0, 1.0),
        ("ramp", 48, 48 / 1562, 1 - 48 / 1562),  # where the release took its quoted checkpoint
        ("ramp", 781, 0.5, 0.5),
        ("ramp", 782, 0.5, 0.5),
        ("ramp", 1561, 0.5, 0.5),
        ({"actor": 1, "judge": 0}, 7, 1.0, 0.0),
        ({"judge": 0.25, "actor": 2}, 0, 2.0, 0.25),
    ],
)
def test_weights_of_a_window(mix, window, actor, judge):
    assert LossMix(("actor", "judge"), windows=1562, mix=mix).at(window) == {"actor": actor, "judge": judge}


def test_a_ramp_needs_somebody_to_begin_with():
    with pytest.raises(ValueError, match=r"^learner\.loss_mix=ramp needs two roles"):
        LossMix(("parrot",), windows=10, mix="ramp")


@pytest.mark.parametrize("adapters", ["per_role", "shared"])
@pytest.mark.parametrize("micro_batches", [1, 3])
@pytest.mark.parametrize("weights", [{"proposer": 0.25, "solver": 2.0}, {"proposer": 0.0, "solver": 1.0}])
def test_gradients_equal_the_weighted_reference(base, tmp_path, adapters, micro_batches, weights):
    """The KL term is weighed too; a weight of 0 leaves the role's rows out and changes no other's."""
    policy = make_policy(base, adapters)
    mix = LossMix(ROLES, windows=3, mix=weights)
    trainer = make_trainer(policy, tmp_path, kl=KL, micro_batches=micro_batches, mix=mix)
    found = one_step_gradients(trainer)
    reference_loss(policy, turns_of_window(trainer), KL, weights=weights).backward()
    assert_close(found, gradients(policy))


def test_the_plain_sum_is_the_unweighted_one_to_the_bit(base, tmp_path):
    found = [
        one_step_gradients(make_trainer(make_policy(base), tmp_path, kl=KL, mix=mix))
        for mix in (None, LossMix(ROLES, windows=3, mix=dict.fromkeys(ROLES, 1.0)))
    ]
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_a_ramp_follows_the_windows_and_is_logged(base, tmp_path, monkeypatch):
    """With two updates a window both have the window's weight; the role of weight 0 rests, as its adapter must."""
    policy = make_policy(base)
    before = [parameter.clone() for _, parameter in policy.parameters_of("proposer")]
    trainer = make_trainer(
        policy,
        tmp_path,
        game=FixedGame(policy.model.config.vocab_size),
        max_steps=8,
        updates_per_window=2,
        weight_decay=0.1,
        mix=LossMix(ROLES, windows=4, mix="ramp"),
    )
    rows, moved = [], []

    def record(step, row):
        rows.append(row)
        now = [parameter for _, parameter in policy.parameters_of("proposer")]
        moved.append(not all(torch.equal(a, b) for a, b in zip(before, now, strict=True)))

    monkeypatch.setattr(trainer.journal, "record", record)
    trainer.train()
    assert [row["learner/weight/proposer"] for row in rows] == [0.0, 0.25, 0.5, 0.5]
    assert [row["learner/weight/solver"] for row in rows] == [1.0, 0.75, 0.5, 0.5]
    assert moved == [False, True, True, True]
    assert "role/proposer/loss" not in rows[0]
    assert "role/proposer/loss" in rows[1]
