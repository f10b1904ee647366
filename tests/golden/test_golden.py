import pytest

from tests.golden import FOLDER, SCENES, written


@pytest.mark.parametrize("scene", SCENES)
def test_the_transcript_is_as_it_was(scene):
    assert written(scene) == (FOLDER / f"{scene}.txt").read_text(encoding="utf-8"), "see tests/golden/__init__.py"


def test_no_transcript_without_a_scene():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(SCENES)
