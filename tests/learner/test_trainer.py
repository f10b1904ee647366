"""The learner against an independent reference, and the traps that several adapters on one base set."""

import pytest
import torch
from transformers import TrainerCallback

from selfplay.learner.batches import Share
from selfplay.learner.normalisation import LOSS_TYPES
from selfplay.learner.updates import Updates
from selfplay.policy import Policy
from tests.learner.harness import ROLES, FixedGame, gradients, make_trainer, reference_loss
from tests.tiny import tiny_base

NO_KL = dict.fromkeys(ROLES, 0.0)
KL = {"proposer": 0.3, "solver": 0.1}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def policy(base):
    """Two adapters whose B matrices are not zero, so that wearing the wrong one shows."""
    return make_policy(base)


def make_policy(base, adapters="per_role", dropout=0.0):
    policy = Policy.build(base=str(base), roles=ROLES, adapters=adapters, rank=4, alpha=8, seed=0, dropout=dropout)
    generator = torch.Generator().manual_seed(1)
    for adapter in policy.adapters:
        for _, parameter in policy.parameters_of(adapter):
            parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    return policy


def one_step_gradients(trainer):
    """Gradients of one optimizer step, through the hooks that transformers calls."""
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    steps = iter(trainer.get_train_dataloader())
    batches, items = trainer.get_batch_samples(steps, trainer.args.gradient_accumulation_steps, trainer.args.device)
    for batch in batches:
        trainer.training_step(trainer.model, batch, items)
    found = gradients(trainer.policy)
    trainer.model.zero_grad()
    return found


def turns_of_window(trainer, number=0):
    episodes = trainer.arena.game.play(trainer.arena.seeds.window(number), trainer.arena.sampler)
    from selfplay.advantages import assign_advantages

    turns = [turn for episode in episodes for turn in episode.turns]
    assign_advantages(turns, scale="group")
    return turns


@pytest.mark.parametrize("adapters", ["per_role", "shared"])
@pytest.mark.parametrize("kl", [NO_KL, KL], ids=["no_kl", "kl"])
@pytest.mark.parametrize("micro_batches", [1, 3])
@pytest.mark.parametrize("unbiased_kl", [False, True])
def test_gradients_equal_the_reference(base, tmp_path, adapters, kl, micro_batches, unbiased_kl):
    policy = make_policy(base, adapters)
    trainer = make_trainer(policy, tmp_path, kl=kl, micro_batches=micro_batches, unbiased_kl=unbiased_kl)
    found = one_step_gradients(trainer)
    reference_loss(policy, turns_of_window(trainer), kl, unbiased_kl).backward()
    assert_close(found, gradients(policy))


def assert_close(found, expected, bound=1e-5):
    """Every gradient within ``bound`` of the largest one."""
    largest = max(gradient.abs().max() for gradient in expected.values())
    assert largest > 0
    for name, gradient in expected.items():
        assert (found[name] - gradient).abs().max() < bound * largest, name


@pytest.mark.parametrize("loss_type", sorted(LOSS_TYPES))
def test_accumulation_changes_no_gradient(policy, tmp_path, loss_type):
    whole = one_step_gradients(make_trainer(policy, tmp_path, loss_type=loss_type, kl=KL))
    split = one_step_gradients(make_trainer(policy, tmp_path, loss_type=loss_type, kl=KL, micro_batches=4))
    assert_close(split, whole)


@pytest.mark.parametrize("loss_type", ["dapo", "grpo", "bnpo"])
def test_fill_rows_change_no_gradient(policy, tmp_path, loss_type, monkeypatch):
    plain = one_step_gradients(make_trainer(policy, tmp_path, loss_type=loss_type, kl=KL))
    trainer = make_trainer(policy, tmp_path, loss_type=loss_type, kl=KL)
    one = Updates._one

    def another_rank_has_more(self, share, turns_R, counts, sizes):
        return one(self, share, turns_R, counts, [*sizes, max(sizes) + 5])

    monkeypatch.setattr(Updates, "_one", another_rank_has_more)
    filled = one_step_gradients(trainer)
    assert_close(filled, plain)


def test_after_one_step_exactly_the_adapters_have_moved(policy, tmp_path):
    before = {name: parameter.clone() for name, parameter in policy.model.named_parameters()}
    digest = policy.base_digest()
    make_trainer(policy, tmp_path, max_steps=1).train()
    learning = {name for adapter in policy.adapters for name, _ in policy.parameters_of(adapter)}
    moved = {name for name, p in policy.model.named_parameters() if not torch.equal(p, before[name])}
    assert moved == learning
    assert policy.base_digest() == digest


def test_a_resting_role_does_not_move_though_adam_has_momentum(policy, tmp_path):
    game = FixedGame(policy.model.config.vocab_size, periods={"proposer": 3})
    trainer = make_trainer(policy, tmp_path, game=game, max_steps=2)
    snapshots = []

    def snapshot(*_, **__):
        snapshots.append([p.clone() for _, p in policy.parameters_of("proposer")])

    class Snapshot(TrainerCallback):
        on_step_end = staticmethod(snapshot)
        on_train_begin = staticmethod(snapshot)

    trainer.add_callback(Snapshot())
    trainer.train()
    begin, first, second = snapshots
    assert not all(torch.equal(a, b) for a, b in zip(begin, first, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_role_that_says_nothing_does_not_move_though_adam_has_momentum(policy, tmp_path):
    trainer = make_trainer(policy, tmp_path, max_steps=2, game=FixedGame(policy.model.config.vocab_size, empty=(2, 3)))
    snapshots = []

    class Snapshot(TrainerCallback):
        def on_step_end(self, *_, **__):
            snapshots.append({name: p.detach().clone() for name, p in policy.model.named_parameters()})

    trainer.add_callback(Snapshot())
    trainer.train()
    first, second = snapshots
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_adapters_are_held_still_before_the_backward_pass(policy, tmp_path):
    """DeepSpeed takes its optimizer step inside backward: what is set after that comes too late."""
    game = FixedGame(policy.model.config.vocab_size, periods={"proposer": 2})
    trainer = make_trainer(policy, tmp_path, game=game, max_steps=2)
    rates = []
    original = trainer.training_step

    def training_step(*args):
        rates.append([group["lr"] for group in trainer.optimizer.param_groups])
        return original(*args)

    trainer.training_step = training_step
    trainer.train()
    assert rates == [[1e-2, 1e-2], [0.0, 1e-2]]


def test_a_role_that_never_learns_does_not_move_whatever_it_is_paid(policy, tmp_path):
    before = {name: parameter.clone() for name, parameter in policy.model.named_parameters()}
    game = FixedGame(policy.model.config.vocab_size, periods={"proposer": 0})
    make_trainer(policy, tmp_path, game=game, max_steps=2, weight_decay=0.1).train()
    moved = {name for name, p in policy.model.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {name for name, _ in policy.parameters_of("solver")}


def test_a_resting_role_has_no_entropy_in_the_log(policy, tmp_path, monkeypatch):
    game = FixedGame(policy.model.config.vocab_size, periods={"proposer": 2})
    trainer = make_trainer(policy, tmp_path, game=game, max_steps=2)
    rows = []
    monkeypatch.setattr(trainer.journal, "record", lambda step, row: rows.append(row))
    trainer.train()
    assert ["role/proposer/entropy" in row for row in rows] == [True, False]
    assert [row["learner/lr/proposer"] for row in rows] == [1e-2, 0.0]
    assert all("role/solver/entropy" in row for row in rows)


def test_dropout_does_not_blur_the_old_logprobs(base, tmp_path):
    rows = []
    for dropout in (0.0, 0.5):
        policy = make_policy(base, dropout=dropout)
        trainer = make_trainer(policy, tmp_path, max_steps=2, updates_per_window=2)
        policy.model.train()
        batches, _ = trainer.get_batch_samples(iter(trainer.get_train_dataloader()), 1, trainer.args.device)
        rows.append(batches[0][Share("solver", "reinforce")]["old_per_token_logps"])
    assert torch.equal(*rows)


def test_no_advantage_and_no_kl_means_no_gradient(policy, tmp_path):
    game = FixedGame(policy.model.config.vocab_size)
    original = game._turns

    def all_paid_alike(seed):
        turns = original(seed)
        for turn in turns:
            turn.rewards = {"luck": 1.0}
        return turns

    game._turns = all_paid_alike
    found = one_step_gradients(make_trainer(policy, tmp_path, game=game))
    assert all(gradient.abs().max() == 0 for gradient in found.values())


def test_leaving_out_dead_rows_changes_no_gradient(policy, tmp_path):
    game = FixedGame(policy.model.config.vocab_size)
    original = game._turns

    def first_group_dead(seed):
        turns = original(seed)
        for turn in turns:
            if turn.group.endswith("/0"):
                turn.rewards = {"luck": 1.0}
        return turns

    game._turns = first_group_dead
    trainer = make_trainer(policy, tmp_path, game=game)
    found = one_step_gradients(trainer)
    reference_loss(policy, turns_of_window(trainer), NO_KL).backward()
    assert_close(found, gradients(policy))


def test_a_window_in_which_nothing_was_said_trains_on(policy, tmp_path):
    game = FixedGame(policy.model.config.vocab_size, empty=(0, 1))
    trainer = make_trainer(policy, tmp_path, game=game, max_steps=2)
    trainer.train()
    assert trainer.state.global_step == 2


def test_several_updates_a_window_carry_old_logprobs(policy, tmp_path):
    trainer = make_trainer(policy, tmp_path, max_steps=4, updates_per_window=2)
    batches, _ = trainer.get_batch_samples(iter(trainer.get_train_dataloader()), 1, trainer.args.device)
    rows = batches[0][Share("solver", "reinforce")]
    assert "old_per_token_logps" in rows
    trainer.train()
    assert trainer.arena.game.memory == [0, 1, 0, 1, 2, 3]  # one window by hand above, then two windows of two seeds


def test_roles_that_share_an_adapter_must_agree_on_the_learning_rate(base, tmp_path):
    with pytest.raises(ValueError, match="share the adapter"):
        make_trainer(make_policy(base, "shared"), tmp_path, lr={"proposer": 1e-3, "solver": 1e-2})
