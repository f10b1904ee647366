"""What the README shows must work as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

from selfplay.cli import VERBS
from selfplay.configuration import recipe_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_game_of_the_readme_trains_from_its_own_recipe(tmp_path):
    (code,), (group, recipe) = blocks("python"), blocks("yaml")
    (tmp_path / "game").mkdir()
    (tmp_path / "mine.py").write_text(code)
    (tmp_path / "game" / "echo.yaml").write_text(group)
    (tmp_path / "echo.yaml").write_text(recipe)
    words = ["recipe=echo.yaml", "max_steps=2", "tracking.wandb=disabled"]
    done = subprocess.run(
        [Path(sys.executable).parent / "selfplay", "train", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "echo" / "adapters" / "parrot").is_dir()


def test_the_game_of_the_readme_is_short():
    (code,) = blocks("python")
    assert len(code.splitlines()) < 100


def test_every_file_and_recipe_named_there_exists():
    for link in re.findall(r"\]\(((?!https?:)[^)]+)\)", README):
        assert (ROOT / link).exists(), link
    for script in re.findall(r"bash (launch/\w+\.sh)", README):
        assert (ROOT / script).exists(), script
    for recipe in re.findall(r"recipe=(\w+)(?![\w.])", README):
        assert recipe in recipe_names(), recipe
    for verb in re.findall(r"^    selfplay ([\w-]+)", README, flags=re.MULTILINE):
        assert verb in VERBS, verb
