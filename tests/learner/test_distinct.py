"""Twins go through the model once and padding is cut away: fewer and shorter rows, the same gradients."""

import pytest
import torch

from selfplay.learner.batches import Share
from selfplay.learner.distinct import ROWS_FOR_TWO, is_noisy, score_distinct
from selfplay.policy import Policy
from tests.learner.harness import ROLES, FixedGame, gradients, make_trainer, reference_loss
from tests.learner.test_trainer import KL, assert_close, make_policy, one_step_gradients, turns_of_window
from tests.tiny import tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"))


class Repeating(FixedGame):
    """Every group says one text of a few, now and then a long one."""

    def _turns(self, seed):
        turns = super()._turns(seed)
        for number, turn in enumerate(turns):
            turn.prompt_ids = [6 + seed.index % 3] * (1 + seed.index % 2)
            turn.text_ids = [7 + number % 2] * (9 if number == 4 else 2)
        return turns


@pytest.mark.parametrize("kl", [dict.fromkeys(ROLES, 0.0), KL], ids=["no_kl", "kl"])
@pytest.mark.parametrize("adapters", ["per_role", "shared"])
def test_gradients_equal_the_reference_that_knows_no_twins(base, tmp_path, adapters, kl):
    policy = make_policy(base, adapters)
    game = Repeating(policy.model.config.vocab_size)
    trainer = make_trainer(policy, tmp_path, game=game, kl=kl, per_window=16)
    found = one_step_gradients(trainer)
    turns = turns_of_window(trainer)
    assert sum(turn.role == "solver" for turn in turns) >= ROWS_FOR_TWO  # short and long apart
    reference_loss(policy, turns, kl).backward()
    assert_close(found, gradients(policy))


def tokens_through_the_model(trainer, monkeypatch):
    """Of one step on the solver's rows: tokens fed, padding included, and tokens a padded batch of all rows has."""
    fed = []
    base = trainer.policy.base
    monkeypatch.setattr(base, "forward", record(base.forward, fed))
    trainer.current_gradient_accumulation_steps = 1
    batches, items = trainer.get_batch_samples(iter(trainer.get_train_dataloader()), 1, trainer.args.device)
    rows = batches[0][Share("solver", "reinforce")]
    trainer.training_step(trainer.model, {Share("solver", "reinforce"): rows}, items)
    return sum(fed), rows["prompt_ids"].numel() + rows["completion_ids"].numel()


def record(forward, fed):
    def recorded(input_ids, **words):
        fed.append(input_ids.numel())
        return forward(input_ids=input_ids, **words)

    return recorded


@pytest.mark.parametrize(("dropout", "most"), [(0.0, 0.3), (0.5, 1.0)])
def test_twins_are_computed_once_unless_dropout_tells_them_apart(base, tmp_path, monkeypatch, dropout, most):
    policy = make_policy(base, dropout=dropout)
    assert is_noisy(policy.model) == (dropout > 0)
    trainer = make_trainer(policy, tmp_path, game=Repeating(policy.model.config.vocab_size), per_window=16)
    fed, padded = tokens_through_the_model(trainer, monkeypatch)
    assert fed <= most * padded
    assert fed == padded or dropout == 0


def test_a_base_that_drops_activations_by_itself_is_noisy(tmp_path):
    base = tiny_base(tmp_path, attention_dropout=0.1)
    assert is_noisy(Policy.build(base=str(base), roles=ROLES).model)


def sums_so_far(ids, mask, kept):
    """A model that needs no weights: what a row has said so far, whatever stands beside or before it."""
    return (ids * mask).cumsum(1)[:, -kept:] * mask[:, -kept:], None, None


@pytest.mark.parametrize("rows", [1, 5, ROWS_FOR_TWO - 1, ROWS_FOR_TWO, 100])
@pytest.mark.parametrize("kinds", [1, 2, 9])
@pytest.mark.parametrize("fixed_calls", [True, False])
def test_every_row_gets_its_own_scores(rows, kinds, fixed_calls):
    generator = torch.Generator().manual_seed(rows + kinds)
    chosen = torch.randint(0, kinds, (rows,), generator=generator)
    prompts, texts = 1 + chosen % 3, (chosen * 2) % 7  # kind 0 says nothing, as a fill row does
    ids, mask = torch.zeros(2, rows, 3 + 12, dtype=torch.long)
    for row, (prompt, text) in enumerate(zip(prompts, texts, strict=True)):
        ids[row, 3 - prompt : 3 + text] = torch.arange(int(prompt + text)) + 5 * chosen[row] + 1
        mask[row, 3 - prompt : 3 + text] = 1
    calls = []

    def score(*words):
        calls.append(words)
        return sums_so_far(*words)

    found, entropies, aux = score_distinct(score, ids, mask, 12, fixed_calls)
    assert torch.equal(found, sums_so_far(ids, mask, 12)[0])
    assert entropies is None
    assert aux is None
    # under ZeRO-3 the same on every rank, whatever the rows say; one kind of row leaves nothing to spare
    assert len(calls) == (2 if rows >= ROWS_FOR_TWO and (fixed_calls or kinds > 1) else 1)
