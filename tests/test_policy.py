"""The policy: who wears what, what may move, what is saved. The traps of several adapters on one base, each by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from selfplay.policy import Policy, adapters
from selfplay.policy.bases import digest
from tests.tiny import tiny_base

ROLES = ("proposer", "solver")
IDS = torch.tensor([[5, 9, 30, 7, 12, 44]])


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> str:
    return str(tiny_base(tmp_path_factory.mktemp("base")))


def moved(policy: Policy, seed: int = 1) -> Policy:
    """The policy with adapters that do something: B is 0 in a fresh one."""
    generator = torch.Generator().manual_seed(seed)
    for adapter in policy.adapters:
        for name, parameter in policy.parameters_of(adapter):
            if "lora_B" in name:
                parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1
    policy.advance()
    return policy


@torch.no_grad()
def logits(policy: Policy, role: str | None = None) -> torch.Tensor:
    if role is not None:
        policy.wear(role)
    return policy.model(input_ids=IDS).logits


def trainable(policy: Policy) -> set[str]:
    return {name for name, parameter in policy.model.named_parameters() if parameter.requires_grad}


def own_names(policy: Policy) -> set[str]:
    return {name for adapter in policy.adapters for name, _ in policy.parameters_of(adapter)}


def test_fresh_adapters_change_nothing(base):
    policy = Policy.build(base, ROLES)
    plain = AutoModelForCausalLM.from_pretrained(base)
    assert policy.adapters == ROLES
    for role in ROLES:
        torch.testing.assert_close(logits(policy, role), plain(input_ids=IDS).logits)


def test_exactly_the_adapters_are_trainable(base):
    policy = Policy.build(base, ROLES, rank=4)
    assert trainable(policy) == own_names(policy)
    # 2 layers x 7 projections x (A, B), each adapter; q_proj: A is (4, 32), B is (32, 4)
    assert [len(policy.parameters_of(adapter)) for adapter in ROLES] == [28, 28]
    assert {tuple(p.shape) for n, p in policy.parameters_of("solver") if "q_proj" in n} == {(4, 32), (32, 4)}


def test_building_leaves_global_randomness_alone_and_follows_the_seed(base):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = Policy.build(base, ROLES, seed=3)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(99)
    other = Policy.build(base, ("judge", "solver"), seed=3)  # another role beside it changes nothing
    third = Policy.build(base, ROLES, seed=4)
    for (name, mine), (_, same), (_, different) in zip(
        *(policy.parameters_of("solver") for policy in (one, other, third)), strict=True
    ):
        assert torch.equal(mine, same)
        assert ("lora_B" in name) == torch.equal(mine, different)
    pairs = zip(one.parameters_of("proposer"), one.parameters_of("solver"), strict=True)
    assert not any(torch.equal(mine, others) for (name, mine), (_, others) in pairs if "lora_A" in name)


def test_wear_switches_the_role_and_freezes_nobody(base):
    policy = moved(Policy.build(base, ROLES))
    proposer, solver = logits(policy, "proposer"), logits(policy, "solver")
    assert not torch.allclose(proposer, solver)
    assert torch.equal(logits(policy, "proposer"), proposer)
    assert trainable(policy) == own_names(policy)
    with policy.bare():
        assert not torch.allclose(logits(policy), proposer)
        assert trainable(policy) == own_names(policy)
    assert trainable(policy) == own_names(policy)


def test_what_wear_sets_is_what_peft_reads(base):
    """``flip`` writes two private fields of PEFT's layers; their public readers must agree."""
    policy = Policy.build(base, ROLES)
    policy.wear("solver")
    assert {tuple(layer.active_adapters) for layer in policy.lora_layers.values()} == {("solver",)}
    assert not any(layer.disable_adapters for layer in policy.lora_layers.values())
    assert policy.model.active_adapter == "solver"
    with policy.bare():
        assert all(layer.disable_adapters for layer in policy.lora_layers.values())


def test_wear_brings_back_what_peft_froze(base):
    policy = Policy.build(base, ROLES)
    policy.model.set_adapter("solver")
    assert trainable(policy) == {name for name, _ in policy.parameters_of("solver")}
    policy.wear("proposer")
    assert trainable(policy) == own_names(policy)


def test_bare_restores_the_role_after_an_error(base):
    policy = moved(Policy.build(base, ROLES))
    solver = logits(policy, "solver")
    with pytest.raises(RuntimeError), policy.bare():
        raise RuntimeError
    assert policy.worn == "solver"
    assert torch.equal(logits(policy), solver)


def test_a_frozen_role_plays_the_bare_base(base):
    policy = moved(Policy.build(base, ROLES, frozen=["proposer"]))
    assert policy.adapters == ("solver",)
    plain = AutoModelForCausalLM.from_pretrained(base)
    solver = logits(policy, "solver")
    torch.testing.assert_close(logits(policy, "proposer"), plain(input_ids=IDS).logits)
    assert not torch.allclose(solver, logits(policy))
    assert trainable(policy) == own_names(policy)


def test_shared_and_no_adapters(base):
    shared = moved(Policy.build(base, ROLES, adapters="shared"))
    assert shared.adapters == ("shared",)
    assert torch.equal(logits(shared, "proposer"), logits(shared, "solver"))
    none = Policy.build(base, ROLES, adapters="none")
    assert none.adapters == ()
    assert trainable(none) == set()
    assert torch.equal(logits(none, "proposer"), logits(none, "solver"))
    with none.bare():
        assert none.worn is None


def test_an_unknown_role_is_refused(base):
    with pytest.raises(ValueError, match="role 'judge' is unknown"):
        Policy.build(base, ROLES).wear("judge")


# ---- one backward pass over two roles -------------------------------------------------------------------------------


def two_role_gradients(policy: Policy) -> dict[str, torch.Tensor]:
    policy.model.train()
    losses = []
    for role in ROLES:
        policy.wear(role)
        losses.append(policy.model(input_ids=IDS, labels=IDS, use_cache=False).loss)
    sum(losses).backward()  # type: ignore[union-attr]
    return {name: p.grad for name, p in policy.model.named_parameters() if p.grad is not None}


def test_one_backward_moves_every_adapter_and_nothing_else(base):
    policy = moved(Policy.build(base, ROLES))
    before = {name: p.detach().clone() for name, p in policy.model.named_parameters()}
    hashed = policy.base_digest()
    optimizer = torch.optim.AdamW([p for p in policy.model.parameters() if p.requires_grad], lr=1e-2)
    assert two_role_gradients(policy).keys() == own_names(policy)
    optimizer.step()
    changed = {name for name, p in policy.model.named_parameters() if not torch.equal(p, before[name])}
    assert changed == own_names(policy)
    assert policy.base_digest() == hashed


def test_checkpointing_recomputes_each_role_under_its_own_adapter(base):
    plain = two_role_gradients(moved(Policy.build(base, ROLES)))
    policy = moved(Policy.build(base, ROLES, checkpointing=True))
    gradients = two_role_gradients(policy)
    assert gradients.keys() == plain.keys()
    for name in plain:
        torch.testing.assert_close(gradients[name], plain[name], msg=name)
    assert policy.worn == "solver"
    assert trainable(policy) == own_names(policy)


def test_ordinary_checkpointing_would_be_wrong(base):
    """What the test above guards against; should transformers mend it, our context can go."""
    plain = two_role_gradients(moved(Policy.build(base, ROLES)))
    policy = moved(Policy.build(base, ROLES))
    policy.base.gradient_checkpointing_enable({"use_reentrant": False})
    gradients = two_role_gradients(policy)
    wrong = [name for name in plain if name not in gradients or not torch.allclose(gradients[name], plain[name])]
    assert any(".proposer." in name for name in wrong)


# ---- saved and loaded -----------------------------------------------------------------------------------------------


def test_saved_adapters_load_in_plain_peft(base, tmp_path):
    policy = moved(Policy.build(base, ROLES))
    policy.save(tmp_path / "adapters")
    for role in ROLES:
        plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(tmp_path / "adapters" / role))
        torch.testing.assert_close(plain(input_ids=IDS).logits, logits(policy, role))
    config = json.loads((tmp_path / "adapters" / "solver" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == base
    assert [path.name for path in tmp_path.iterdir()] == ["adapters"]


@pytest.mark.parametrize("name", ["small"])
def test_a_shipped_base_is_known_by_its_name(tmp_path, name):
    policy = Policy.build(name, ROLES)
    policy.save(tmp_path / "adapters")
    config = json.loads((tmp_path / "adapters" / "solver" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == name
    assert policy.base.name_or_path == name


def test_load_brings_back_every_bit_and_advances_the_version(base, tmp_path):
    policy = moved(Policy.build(base, ROLES))
    policy.save(tmp_path / "adapters")
    other = Policy.build(base, ROLES, seed=9)
    version = other.version
    other.load(tmp_path / "adapters")
    for role in ROLES:
        assert torch.equal(logits(other, role), logits(policy, role))
    assert other.version > version
    assert trainable(other) == own_names(other)


def test_a_second_save_replaces_the_first(base, tmp_path):
    policy = moved(Policy.build(base, ROLES))
    policy.save(tmp_path / "adapters")
    moved(policy, seed=2).save(tmp_path / "adapters")
    other = Policy.build(base, ROLES)
    other.load(tmp_path / "adapters")
    assert torch.equal(logits(other, "solver"), logits(policy, "solver"))


def test_a_full_disk_leaves_the_earlier_adapters_whole(base, tmp_path, monkeypatch):
    policy = moved(Policy.build(base, ROLES))
    policy.save(tmp_path / "adapters")
    solver = logits(policy, "solver")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(adapters, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        moved(policy, seed=2).save(tmp_path / "adapters")
    assert [path.name for path in tmp_path.iterdir()] == ["adapters"]
    other = Policy.build(base, ROLES)
    other.load(tmp_path / "adapters")
    assert torch.equal(logits(other, "solver"), solver)


def test_a_disk_that_lies_is_noticed(base, tmp_path, monkeypatch):
    policy = moved(Policy.build(base, ROLES))
    monkeypatch.setattr(adapters, "load_file", lambda _: dict.fromkeys(["x"], torch.zeros(1)))
    with pytest.raises(OSError, match="reads back differently"):
        policy.save(tmp_path / "adapters")
    assert list(tmp_path.iterdir()) == []


def break_missing(folder: Path) -> None:
    (folder / "solver" / "adapter_model.safetensors").unlink()


def break_torn(folder: Path) -> None:
    weights = folder / "solver" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])


def break_rank(folder: Path) -> None:
    config = folder / "solver" / "adapter_config.json"
    config.write_text(config.read_text().replace('"r": 8', '"r": 4'))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_missing, "holds no saved adapter 'solver'; adapters there: \\['proposer'\\]"),
        (break_torn, "cannot be read"),
        (break_rank, "r=4, this policy r=8; set policy.rank"),
    ],
)
def test_a_damaged_adapter_is_named_and_nothing_is_changed(base, tmp_path, damage, message):
    moved(Policy.build(base, ROLES)).save(tmp_path / "adapters")
    damage(tmp_path / "adapters")
    policy = Policy.build(base, ROLES)
    before = logits(policy, "proposer")
    with pytest.raises(ValueError, match=message):
        policy.load(tmp_path / "adapters")
    assert torch.equal(logits(policy, "proposer"), before)


def test_adapters_of_other_targets_are_refused(base, tmp_path):
    Policy.build(base, ROLES, targets=["q_proj"]).save(tmp_path / "adapters")
    with pytest.raises(ValueError, match=r"check policy\.base and policy\.targets"):
        Policy.build(base, ROLES).load(tmp_path / "adapters")


def test_the_digest_is_the_base_and_nothing_but_the_base(base):
    policy = moved(Policy.build(base, ROLES))
    plain = AutoModelForCausalLM.from_pretrained(base)
    assert policy.base_digest() == digest(plain, policy.gathered)
    plain.model.norm.weight.data[0] += 1e-6
    assert policy.base_digest() != digest(plain, policy.gathered)


# ---- what a user may get wrong --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"adapters": "both"}, "policy.adapters='both' is unknown"),
        ({"frozen": ["judge"]}, r"policy.frozen=\['judge'\]: the game has no role 'judge'"),
        ({"rank": 0}, "policy.rank=0 must be 1 or more"),
        ({"alpha": 0}, "policy.alpha=0 must be above 0"),
        ({"dropout": 1.0}, "policy.dropout=1.0 must be"),
        ({"targets": []}, r"policy.targets=\(\) must be a list"),
        ({"targets": ["q_prj"]}, "no linear layer 'q_prj'; it has down_proj, gate_proj"),
        ({"dtype": "float8"}, "policy.dtype='float8' is unknown"),
        ({"roles": ["default"]}, "role 'default' cannot name an adapter"),
    ],
)
def test_a_wrong_setting_names_key_value_and_mend(base, words, message):
    with pytest.raises(ValueError, match=message):
        Policy.build(base, **{"roles": ROLES, **words})


def spoil_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def spoil_model_type(folder: Path) -> None:
    (folder / "config.json").write_text("{}")


def spoil_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def spoil_weight_bytes(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"not a tensor file")


def spoil_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_config, "no readable config.json"),
        (spoil_model_type, "names no model_type"),
        (spoil_weights, "holds no weights"),
        (spoil_weight_bytes, "cannot be loaded"),
        (spoil_tokenizer, "holds no tokenizer"),
    ],
)
def test_an_unreadable_base_folder_is_refused_with_the_mend(tmp_path, spoil, message):
    spoil(tiny_base(tmp_path / "base"))
    with pytest.raises(ValueError, match="policy.base=.*" + message):
        Policy.build(str(tmp_path / "base"), ROLES)


@pytest.mark.parametrize("name", ["./nowhere", "nowhere", "a/b/c"])
def test_a_name_that_is_neither_folder_nor_hub_id_is_refused(name):
    with pytest.raises(ValueError, match="is not a folder; give a folder written by save_pretrained"):
        Policy.build(name, ROLES)


def test_a_half_precision_base_gets_full_precision_adapters(base):
    policy = Policy.build(base, ROLES, dtype="bfloat16")
    assert {p.dtype for _, p in policy.parameters_of("solver")} == {torch.float32}
    assert next(policy.base.parameters()).dtype == torch.bfloat16
    assert logits(policy, "solver").isfinite().all()
