"""``selfplay skills``: what people read, and how mistakes are answered."""

from __future__ import annotations

import pytest

from selfplay import cli
from selfplay.roles.skills import read_skill
from selfplay.skills.store import SkillStore
from tests.skills.test_store import played


@pytest.fixture
def run(tmp_path):
    """A run of two visits of one context; the second has no skill."""
    store = SkillStore(tmp_path / "run" / "skills")
    store.write(1, [played(4)])
    store.write(2, [played(6, evolves=["challenger"], select=0)])
    return str(tmp_path / "run")


def skills(capsys, *words: str) -> str:
    assert cli.main(["skills", *words]) == 0
    return capsys.readouterr().out


def test_list(run, capsys):
    assert skills(capsys, "list", run) == (
        "context    step  words by round  solved by round  chosen\n"
        "letters    1     2 2             1/2 1/2          round 1\n"
        "letters~2  2     0 0             1/2 0/2          no skill\n"
    )


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["letters"], "write D"),  # the chosen one
        (["letters", "2"], "write H"),
        (["letters", "reasoner", "round-2"], "write H"),
        (["letters", "challenger", "1"], "ask longer ones"),
    ],
)
def test_show(run, capsys, words, shown):
    printed = skills(capsys, "show", run, *words)
    skill = read_skill(printed)
    assert skill is not None
    assert skill.body == shown


def test_show_where_nothing_was_known(run, capsys):
    assert skills(capsys, "show", run, "letters~2", "1") == "(the reasoner knew nothing after round 1)\n"


def test_diff(run, capsys):
    assert skills(capsys, "diff", run, "letters", "1", "2").splitlines() == [
        "--- letters/reasoner/round-1.md",
        "+++ letters/reasoner/round-2.md",
        "@@ -1,6 +1,6 @@",
        " ---",
        "-name: upper",
        "-description: For upper.",
        "+name: upper-h",
        "+description: For upper-h.",
        " ---",
        " ",
        "-write D",
        "+write H",
    ]
    assert skills(capsys, "diff", run, "letters", "challenger", "1", "2") == "(round 1 and round 2 are the same)\n"


def test_export(run, capsys, tmp_path):
    target = tmp_path / "exported" / "letters" / "upper" / "SKILL.md"
    assert skills(capsys, "export", run, str(tmp_path / "exported"), "letters") == f"{target}\n"
    assert target.read_text() == "---\nname: upper\ndescription: For upper.\n---\n\nwrite D\n"
    target.write_text("mine")
    assert cli.main(["skills", "export", run, str(tmp_path / "exported"), "letters"]) == 2
    assert capsys.readouterr().err == f"selfplay: {target} exists already; choose another folder.\n"
    assert target.read_text() == "mine"


def test_export_of_several_skills_makes_a_folder_of_each(capsys, tmp_path):
    SkillStore(tmp_path / "run" / "skills").write(1, [played(replacement="append", select="last")])
    printed = skills(capsys, "export", str(tmp_path / "run"), str(tmp_path / "out"))
    assert [line.split("/")[-2] for line in printed.splitlines()] == ["upper", "upper-h"]
    for line in printed.splitlines():
        assert read_skill((tmp_path / line).read_text()) is not None


def test_export_of_nothing(run, capsys, tmp_path):
    assert cli.main(["skills", "export", run, str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"selfplay: {run}: no skill was chosen for letters.\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["list", "nowhere"], "nowhere holds no skills; give the folder of a run of Ctx2Skill"),
        (["list"], "these words cannot be read; see selfplay skills --help."),
        (["show", "RUN", "leters"], "has no context 'leters'; did you mean letters"),
        (["show", "RUN", "letters", "3"], "letters has no round 3 of the reasoner; known: 1, 2."),
        (["show", "RUN", "letters", "judge"], "'judge' is neither a side (reasoner, challenger) nor a round"),
        (["show", "RUN", "letters", "1", "2"], "one round can be shown at a time"),
        (["show", "RUN", "letters~2"], "no skill was chosen for letters~2; name a round."),
        (["diff", "RUN", "letters", "reasoner", "1"], "two rounds are compared, e.g. selfplay skills diff"),
    ],
)
def test_mistakes_are_one_line(run, capsys, words, line):
    assert cli.main(["skills", *(run if word == "RUN" else word for word in words)]) == 2
    printed = capsys.readouterr().err
    assert line in printed
    assert printed.count("\n") == 1


def test_help(capsys):
    assert cli.main(["skills", "--help"]) == 0
    assert "selfplay skills export RUN FOLDER" in capsys.readouterr().out
    assert cli.main(["skills"]) == cli.main(["skills", "delete", "x"]) == 2
