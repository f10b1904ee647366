"""Which checkpoint a run starts from, and the one line for whoever may not."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from selfplay.configuration import RecipeError
from selfplay.resume import find_start
from tests.checkpoints import write_checkpoint


def config(root: Path, **more):
    learner = {"lr": 1.0, "lr_scheduler": "constant", "loss_mix": "sum", "keep": 2} | more.pop("learner", {})
    plain = {"output_dir": str(root), "run_name": "mine", "resume": "never", "resume_allow": [], "seed": 0,
             "max_steps": 40, "seeds": {"topics": ["sums"]}, "evaluation": {"every": 10, "duel": True}}  # fmt: skip
    return OmegaConf.create({**plain, "learner": learner, **more})


def refusal(*words, **more) -> str:
    with pytest.raises(RecipeError) as caught:
        find_start(config(*words, **more))
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_nothing_to_go_on_from_is_a_fresh_start_and_said(tmp_path):
    start = find_start(config(tmp_path, resume="auto"))
    assert start.checkpoint is None
    assert start.remarks == (f"resume=auto: no whole checkpoint in {tmp_path}/mine/checkpoints, so this starts at the "
                             "beginning",)  # fmt: skip
    assert find_start(config(tmp_path)).remarks == ()


TEARS = {
    "without its manifest": (lambda folder: (folder / "manifest.json").unlink(), "manifest.json is missing"),
    "a torn manifest": (lambda folder: (folder / "manifest.json").write_text('{"fi'), "manifest.json cannot be read"),
    "a missing file": (lambda folder: (folder / "optimizer.pt").unlink(), "optimizer.pt is missing"),
    "a short file": (lambda folder: (folder / "optimizer.pt").write_text("mom"), "optimizer.pt has 3 bytes of 7"),
    "a changed byte": (lambda folder: (folder / "optimizer.pt").write_text("momenta"), "holds other bytes"),
}


@pytest.mark.parametrize("tear", TEARS)
def test_auto_passes_over_a_torn_checkpoint_and_a_path_to_it_is_refused(tmp_path, tear):
    run = tmp_path / "mine"
    earlier, torn = (write_checkpoint(run, step, config(tmp_path)) for step in (10, 20))
    act, words = TEARS[tear]
    act(torn)
    start = find_start(config(tmp_path, resume="auto"))
    assert start.checkpoint == earlier
    assert start.remarks[0].startswith("passed over step-000020: ")
    assert words in start.remarks[0]
    assert words in refusal(tmp_path, resume=str(torn))


def test_a_path_near_a_checkpoint_is_answered_with_the_checkpoint(tmp_path):
    run = tmp_path / "mine"
    latest = [write_checkpoint(run, step, config(tmp_path)) for step in (10, 20)][-1]
    for near in (run, run / "checkpoints", run / "checkpoints" / "step-000099", f"{run}/"):
        assert f"give resume={latest}." in refusal(tmp_path, resume=str(near))
    assert "resume=/no/where does not exist; give auto, never" in refusal(tmp_path, resume="/no/where")
    assert find_start(config(tmp_path, resume=f"{latest}/")).checkpoint == latest


def test_a_changed_recipe_is_refused_by_key_with_the_word_that_allows_it(tmp_path):
    write_checkpoint(tmp_path / "mine", 10, config(tmp_path))
    changed = {"resume": "auto", "learner": {"lr": 2.0}, "seeds": {"topics": ["products"]}}
    line = refusal(tmp_path, **changed)
    assert "(learner.lr 1.0 -> 2.0, seeds.topics ['sums'] -> ['products'])" in line
    assert "'resume_allow=[learner.lr,seeds.topics]'" in line
    assert "'resume_allow=[learner,seeds.topics]'" in refusal(tmp_path, resume_allow=["learner"], **changed)
    start = find_start(config(tmp_path, resume_allow=["learner.lr", "seeds"], **changed))
    assert start.remarks == ("allowed by name: learner.lr 1.0 -> 2.0, seeds.topics ['sums'] -> ['products']",)


def test_a_parent_s_name_is_no_beginning_of_a_word(tmp_path):
    write_checkpoint(tmp_path / "mine", 10, config(tmp_path))
    assert "learner.lr" in refusal(tmp_path, resume="auto", resume_allow=["learn"], learner={"lr": 2.0})


@pytest.mark.parametrize(
    "change",
    [
        {"learner": {"keep": 5}},
        {"game": {"visits": None}},
        {"evaluation": {"every": 1, "duel": True}},
        {"run_name": "other"},
        {"max_steps": 80},
    ],
)
def test_what_alters_nothing_that_is_learned_may_change(tmp_path, change):
    checkpoint = write_checkpoint(tmp_path / "mine", 10, config(tmp_path))
    assert find_start(config(tmp_path, resume=str(checkpoint), **change)).remarks == ()


ASKED = {"url": "http://a/v1", "timeout": 120, "model": "m"}


@pytest.mark.parametrize(
    ("players", "change", "refused"),
    [
        ({"judge": "endpoint"}, {"endpoint": {**ASKED, "url": "http://b/v1", "timeout": 600}}, ""),
        ({"judge": "endpoint"}, {"endpoint": {**ASKED, "model": "n"}}, "endpoint.model m -> n"),
        ({"judge": "endpoint"}, {"endpoints": {"judge": {"timeout": 5}}}, ""),
        ({"judge": "endpoint"}, {"endpoint": {**ASKED, "extra": {"n": None}}}, "endpoint.extra.n None -> None"),
        ({"judge": "endpoint"}, {"endpoints": {"judge": {"model": "n"}}}, "endpoints.judge.model None -> n"),
        ("endpoint", {"endpoint": {**ASKED, "model": "n"}}, "endpoint.model m -> n"),
        ({"judge": "model"}, {"endpoint": {**ASKED, "model": "n"}}, ""),
        ({}, {"endpoint": {}, "endpoints": {"judge": {"model": "n"}}}, ""),
    ],
)
def test_an_endpoint_may_move_but_not_become_another_one(tmp_path, players, change, refused):
    before = {"players": players, "endpoint": ASKED, "endpoints": {}}
    write_checkpoint(tmp_path / "mine", 10, config(tmp_path, **before))
    after = {**before, **change, "resume": "auto"}
    if refused:
        assert refused in refusal(tmp_path, **after)
    else:
        assert find_start(config(tmp_path, **after)).remarks == ()


@pytest.mark.parametrize(("schedule", "mix", "free"), [("constant", "sum", True), ("constant_with_warmup", "sum", True),
                                                       ("constant", {"judge": 0}, True), ("constant", "ramp", False),
                                                       ("linear", "sum", False), ("cosine", "sum", False)])  # fmt: skip
def test_the_number_of_windows_is_free_where_no_rate_or_weight_depends_on_it(tmp_path, schedule, mix, free):
    learner = {"lr_scheduler": schedule, "loss_mix": mix}
    write_checkpoint(tmp_path / "mine", 10, config(tmp_path, learner=learner))
    longer = {"resume": "auto", "learner": learner, "max_steps": 80}
    if free:
        assert find_start(config(tmp_path, **longer)).remarks == ()
    else:
        assert "max_steps 40 -> 80" in refusal(tmp_path, **longer)
        assert find_start(config(tmp_path, resume_allow=["max_steps"], **longer)).checkpoint


def test_another_number_of_processes_must_be_allowed(tmp_path, monkeypatch):
    write_checkpoint(tmp_path / "mine", 10, config(tmp_path))
    monkeypatch.setenv("WORLD_SIZE", "2")
    line = refusal(tmp_path, resume="auto")
    assert "written by one process, and this job runs 2 processes under DDP" in line
    assert "'resume_allow=[processes]'" in line
    start = find_start(config(tmp_path, resume="auto", resume_allow=["processes"]))
    assert start.remarks == ("written by one process, going on with 2 processes under DDP: no longer bit-exact",)


def test_shards_go_on_under_the_launch_that_cut_them_alone(tmp_path, monkeypatch):
    two = {"processes": 2, "strategy": "zero2"}
    write_checkpoint(tmp_path / "mine", 10, config(tmp_path), launched=two)
    line = refusal(tmp_path, resume="auto", resume_allow=["processes"])
    assert "written by 2 processes under ZeRO-2, and this job runs one process" in line
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    assert find_start(config(tmp_path, resume="auto")).remarks == ()
    monkeypatch.setenv("ACCELERATE_DEEPSPEED_ZERO_STAGE", "3")
    assert "runs 2 processes under ZeRO-3" in refusal(tmp_path, resume="auto", resume_allow=["processes"])


def test_other_versions_are_said(tmp_path):
    write_checkpoint(tmp_path / "mine", 10, config(tmp_path), versions={"torch": "1.0"})
    (remark,) = find_start(config(tmp_path, resume="auto")).remarks
    assert "torch 1.0 -> 2" in remark
    assert "perhaps not bit-exact" in remark
