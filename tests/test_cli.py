"""The console script: verbs are found, mistakes answered with status 2, and nothing heavy imported on the way."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points

import pytest

from selfplay import cli
from selfplay.configuration import recipe_names


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_has_its_main(verb: str):
    main = import_module(cli.VERBS[verb][0]).main
    assert len(inspect.signature(main).parameters) == 1


def test_help_names_every_verb(capsys):
    assert cli.main(["--help"]) == cli.main([]) == 0
    printed = capsys.readouterr().out
    assert all(f"  {verb}" in printed for verb in cli.VERBS)


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("selfplay 0.")


def test_an_unknown_verb_is_one_line(capsys):
    assert cli.main(["trian"]) == 2
    assert capsys.readouterr().err == "selfplay: 'trian' is no verb; did you mean train?\n"


def test_recipes_are_listed_with_what_they_are(capsys):
    assert cli.main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in recipe_names():
        method = name.split("_")[0].upper()
        told = [line.removeprefix(name).upper() for line in lines if line.startswith(f"{name} ")]
        assert any(method in line for line in told), name


def test_words_reach_the_verb(capsys):
    assert cli.main(["train", "recipe=sqlm_smal"]) == 2
    assert "did you mean sqlm_small" in capsys.readouterr().err


def test_the_console_script_is_this_one():
    (script,) = [point for point in entry_points(group="console_scripts") if point.name == "selfplay"]
    assert script.value == "selfplay.cli:main"


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from selfplay.cli import main; main(['--help']); "
        "print(sorted({'torch', 'hydra', 'rich', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_has_seen_enough_is_no_traceback():
    command = f"{sys.executable} -m selfplay.cli recipes | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.strip() == "141"
