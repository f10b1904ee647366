"""Where a run lives: nothing is overwritten, and a resume must be the same recipe."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from selfplay.configuration import RecipeError
from selfplay.run_folder import open_run_folder


def config(root: Path, **more):
    plain = {"output_dir": str(root), "run_name": "mine", "resume": "never", "seed": 0, "learner": {"lr": 1.0}}
    return OmegaConf.create({**plain, **more})


def write_checkpoint(run: Path, step: int) -> Path:
    folder = run / "checkpoints" / f"step-{step:06d}"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("{}")
    return folder


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
    assert (tmp_path / "mine.1" / "summary.json").read_text() == "first"
    assert (tmp_path / "mine.2" / "summary.json").read_text() == "second"


def test_auto_takes_the_latest_whole_checkpoint_of_an_unfinished_run(tmp_path):
    run = tmp_path / "mine"
    write_checkpoint(run, 10)
    latest = write_checkpoint(run, 20)
    (run / "checkpoints" / ".step-000030.writing").mkdir()
    (run / "checkpoints" / "step-000040").mkdir()  # no state.json: not whole
    folder = open_run_folder(config(tmp_path, resume="auto"))
    assert (folder.path, folder.checkpoint, folder.continues) == (run, latest, True)


def test_going_back_puts_later_checkpoints_out_of_the_way_of_auto(tmp_path):
    run = tmp_path / "mine"
    earlier, later = write_checkpoint(run, 10), write_checkpoint(run, 20)
    assert open_run_folder(config(tmp_path, resume=str(earlier))).continues
    assert open_run_folder(config(tmp_path, resume="auto")).checkpoint == earlier
    assert (later.with_name("step-000020.1") / "state.json").exists()


def test_auto_goes_on_from_a_finished_run_too(tmp_path):
    """With more windows it is extended; with as many there is nothing to do, and nothing is moved."""
    run = tmp_path / "mine"
    last = write_checkpoint(run, 40)
    (run / "summary.json").write_text("{}")
    assert open_run_folder(config(tmp_path, resume="auto")).checkpoint == last


def test_a_checkpoint_of_another_run_starts_a_new_folder(tmp_path):
    checkpoint = write_checkpoint(tmp_path / "other", 10)
    folder = open_run_folder(config(tmp_path, resume=str(checkpoint)))
    assert (folder.path, folder.checkpoint, folder.continues) == (tmp_path / "mine", checkpoint, False)


def test_a_path_that_is_no_checkpoint_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"resume=.*nowhere is not a whole checkpoint"):
        open_run_folder(config(tmp_path, resume=str(tmp_path / "nowhere")))


def test_a_changed_recipe_is_refused_by_key(tmp_path):
    run = tmp_path / "mine"
    write_checkpoint(run, 10)
    OmegaConf.save(config(tmp_path, max_steps=40), run / "config.yaml")
    with pytest.raises(RecipeError, match=r"changed since \(learner.lr 1.0 -> 2.0\)"):
        open_run_folder(config(tmp_path, resume="auto", learner={"lr": 2.0}))


def test_how_long_a_resumed_run_goes_on_may_change(tmp_path):
    run = tmp_path / "mine"
    write_checkpoint(run, 10)
    OmegaConf.save(config(tmp_path, max_steps=40), run / "config.yaml")
    assert open_run_folder(config(tmp_path, resume="auto", max_steps=80)).continues


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecipeError, match=r"output_dir=.*file cannot take the folder mine"):
        open_run_folder(config(tmp_path / "file"))
