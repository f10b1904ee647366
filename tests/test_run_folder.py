"""Where a run lives: nothing is overwritten, and what a killed run left is put in order."""

import pytest
from omegaconf import OmegaConf

from selfplay.configuration import RecipeError
from selfplay.run_folder import open_run_folder
from tests.checkpoints import write_checkpoint
from tests.test_resume import config


def test_a_fresh_run_gets_an_empty_folder(tmp_path):
    folder = open_run_folder(config(tmp_path))
    assert (folder.path, folder.checkpoint, folder.remark) == (tmp_path / "mine", None, "")
    assert list(folder.path.iterdir()) == []


def test_an_earlier_run_is_moved_aside_and_kept(tmp_path):
    for text in ("first", "second"):
        folder = open_run_folder(config(tmp_path))
        (folder.path / "summary.json").write_text(text)
    folder = open_run_folder(config(tmp_path, resume="auto"))
    assert "which is now" in folder.remark
    assert "no whole checkpoint in" in folder.remark
    assert (tmp_path / "mine.1" / "summary.json").read_text() == "first"
    assert (tmp_path / "mine.2" / "summary.json").read_text() == "second"


def test_auto_takes_the_latest_whole_checkpoint_of_an_unfinished_run(tmp_path):
    run = tmp_path / "mine"
    write_checkpoint(run, 10, config(tmp_path))
    latest = write_checkpoint(run, 20, config(tmp_path))
    folder = open_run_folder(config(tmp_path, resume="auto"))
    assert (folder.path, folder.checkpoint, folder.continues) == (run, latest, True)


def test_what_a_killed_run_left_is_cleared_and_a_torn_checkpoint_set_aside(tmp_path):
    run = tmp_path / "mine"
    latest = write_checkpoint(run, 20, config(tmp_path))
    for name in (".step-000030.writing", ".step-000010.removing", "step-000040", ".mine", "step-000010-best"):
        (run / "checkpoints" / name).mkdir()
    (run / ".adapters.writing-77").mkdir()
    (run / ".adapters.old-77").mkdir()
    assert open_run_folder(config(tmp_path, resume="auto")).checkpoint == latest
    names = {path.name for path in (run / "checkpoints").iterdir()}
    assert names == {"step-000020", "step-000040.1", ".mine", "step-000010-best"}
    assert {path.name for path in run.iterdir()} == {"checkpoints", "adapters"}  # only the old ones were left


def test_going_back_puts_later_checkpoints_out_of_the_way_of_auto(tmp_path):
    run = tmp_path / "mine"
    earlier, later = (write_checkpoint(run, step, config(tmp_path)) for step in (10, 20))
    assert open_run_folder(config(tmp_path, resume=str(earlier))).continues
    assert open_run_folder(config(tmp_path, resume="auto")).checkpoint == earlier
    aside = later.with_name("step-000020.1")
    assert (aside / "state.json").exists()
    assert open_run_folder(config(tmp_path, resume=f"{aside}/")).continues  # and forward again
    assert [path.name for path in (run / "checkpoints").iterdir() if path.name == "step-000020"] == []


def test_auto_goes_on_from_a_finished_run_too(tmp_path):
    """With more windows it is extended; with as many there is nothing to do, and nothing is moved."""
    run = tmp_path / "mine"
    last = write_checkpoint(run, 40, config(tmp_path))
    (run / "summary.json").write_text("{}")
    assert open_run_folder(config(tmp_path, resume="auto", max_steps=80)).checkpoint == last


def test_a_checkpoint_of_another_run_starts_a_new_folder(tmp_path):
    checkpoint = write_checkpoint(tmp_path / "other", 10, config(tmp_path))
    folder = open_run_folder(config(tmp_path, resume=str(checkpoint)))
    assert (folder.path, folder.checkpoint, folder.continues) == (tmp_path / "mine", checkpoint, False)


def test_the_config_until_now_is_kept_beside_a_new_one(tmp_path):
    run = tmp_path / "mine"
    write_checkpoint(run, 10, config(tmp_path))
    OmegaConf.save(config(tmp_path), run / "config.yaml")
    open_run_folder(config(tmp_path, resume="auto"))
    assert not list(run.glob("config.until-*"))
    for _ in range(2):
        open_run_folder(config(tmp_path, resume="auto", max_steps=80))
    assert OmegaConf.load(run / "config.until-step-000010.yaml").max_steps == 40
    assert OmegaConf.load(run / "config.until-step-000010.2.yaml").max_steps == 40


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecipeError, match=r"output_dir=.*file cannot take the folder mine"):
        open_run_folder(config(tmp_path / "file"))
