"""The skill store: what lies in the folder, that it never changes, and what is left after a kill and a resume."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfplay.games.ctx2skill import Ctx2Skill
from selfplay.roles.skills import read_skill
from selfplay.samplers.scripted import Scripted
from selfplay.skills import store as module
from selfplay.skills.store import SkillStore, folder_name
from selfplay.tracking.journal import CannotRecord, Journal
from selfplay.types import Episode, Seed
from tests.games import shelf
from tests.tracking.fakes import RUN, UNSEEN
from tests.tracking.fakes import episode as episode_of_another_game


def played(index: int = 4, **changes) -> Episode:
    """The episode of tests/games/test_ctx2skill.py; contexts with an even number are the first one."""
    game = Ctx2Skill(shelf.Shelf(), **({"rounds": 2, "tasks": 2} | changes))
    (episode,) = game.play([Seed(index, "x")], Scripted(shelf.lines()))
    return episode


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_lies_in_the_folder(tmp_path):
    SkillStore(tmp_path / "skills").write(3, [played()])
    assert list(files(tmp_path / "skills")) == [
        "letters/SKILL.md",
        "letters/challenger/round-1.json",
        "letters/challenger/round-1.md",
        "letters/challenger/round-2.json",
        "letters/challenger/round-2.md",
        "letters/reasoner/round-1.json",
        "letters/reasoner/round-1.md",
        "letters/reasoner/round-2.json",
        "letters/reasoner/round-2.md",
        "letters/selected.json",
        "letters/visit.json",
    ]
    folder = tmp_path / "skills" / "letters"
    assert (folder / "SKILL.md").read_text() == (folder / "reasoner/round-1.md").read_text()
    skill = read_skill((folder / "SKILL.md").read_text())
    assert skill is not None
    assert (skill.name, skill.body) == ("upper", "write D")
    assert json.loads((folder / "reasoner/round-2.json").read_text()) == {
        "context": "letters", "side": "reasoner", "round": 2, "became": "written", "parent": 1, "began": 0,
        "names": ["upper-h"], "words": 2, "seed": 4, "step": 3,
        "tasks": [
            {"task": "ef", "rubrics": 1, "solved": True, "pass_rate": 1.0},
            {"task": "gh", "rubrics": 2, "solved": False, "pass_rate": 0.0},
        ],
    }  # fmt: skip
    selected = json.loads((folder / "selected.json").read_text())
    assert selected["round"] == 1
    assert selected["scores"]["2"] == {"hard": [0, 2], "easy": [1, 2], "score": pytest.approx(2 / 9)}
    assert selected["probes"][0] == {"kind": "hard", "round": 1, "task": "cd", "rubrics": ["has C", "has D"]}


def test_a_side_that_knew_nothing_has_provenance_and_no_file(tmp_path):
    store = SkillStore(tmp_path)
    store.write(1, [played(evolves=["challenger"], select=0)])
    assert sorted(path.name for path in tmp_path.rglob("*.md")) == ["round-1.md", "round-2.md"], "the challenger's"
    (visit,) = store.visits()
    assert [(version.round, version.text, version.provenance["became"]) for version in visit.versions("reasoner")] == [
        (1, "", "frozen"),
        (2, "", "frozen"),
    ]
    assert (visit.rounds, visit.selected and visit.selected["round"]) == (2, 0)


def test_writing_again_changes_nothing(tmp_path):
    store = SkillStore(tmp_path)
    store.write(3, [played()])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    store.write(3, [played()])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_version_never_changes(tmp_path):
    store = SkillStore(tmp_path)
    store.write(3, [played()])
    other = played()
    other.notes["skill/reasoner/1"] = other.notes["skill/reasoner/1"].replace("write D", "write X")
    before = files(tmp_path)
    with pytest.raises(FileExistsError, match=r"round-1\.md is there with another content"):
        store.write(3, [other])
    assert files(tmp_path) == before


def test_a_context_that_comes_again_has_a_folder_of_its_own(tmp_path):
    store = SkillStore(tmp_path)
    store.write(3, [played(4)])
    store.write(4, [played(6)])
    store.write(4, [played(6)])
    assert [(visit.folder.name, visit.seed, visit.step) for visit in store.visits()] == [
        ("letters", 4, 3),
        ("letters~2", 6, 4),
    ]


def test_other_games_leave_no_folder(tmp_path):
    store = SkillStore(tmp_path / "skills")
    store.write(1, [episode_of_another_game(0)])
    store.cut_after(-1, tmp_path / "cut-1")
    assert (store.visits(), list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize("at", range(11))
def test_a_kill_at_any_file_is_made_good(tmp_path, monkeypatch, at):
    """Killed before the ``at``-th file: the rounds that are whole are known, and the same step written again ends the
    same."""
    SkillStore(tmp_path / "whole").write(3, [played()])
    write, written = module.replace_whole, []

    def killed(path, content):
        if len(written) == at:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    monkeypatch.setattr(module, "replace_whole", killed)
    broken = SkillStore(tmp_path / "broken")
    with pytest.raises(KeyboardInterrupt):
        broken.write(3, [played()])
    monkeypatch.undo()
    for visit in broken.visits():
        rounds = [(visit.folder / side / f"round-{number}.json").exists() for number in (1, 2) for side in module.SIDES]
        assert visit.rounds == (all(rounds[:2]) and 1 + all(rounds[2:]))
        assert visit.selected is None, "written last"
    broken.write(3, [played()])
    assert files(tmp_path / "broken") == files(tmp_path / "whole")
    assert broken.visits()[0].rounds == 2


def test_a_visit_that_goes_on_has_numbers_that_go_on(tmp_path):
    store, game = SkillStore(tmp_path), Ctx2Skill(shelf.Shelf(), rounds=1, tasks=2, carry=True)
    lines = Scripted(shelf.lines())
    for step in (1, 2):
        episodes = game.play([Seed(4, "x")], lines)
        game.remember(episodes)
        store.write(step, episodes)
    first, second = store.visits()
    assert [visit.folder.name for visit in (first, second)] == ["letters", "letters~2"]
    assert [(visit.began, visit.rounds) for visit in (first, second)] == [(0, 1), (1, 1)]
    (version,) = second.versions("reasoner")
    assert (version.round, version.provenance["parent"]) == (2, 1)
    assert second.selected is not None
    assert second.selected["round"] == 1
    assert (second.folder / "SKILL.md").read_bytes() == (first.folder / "reasoner/round-1.md").read_bytes()


def test_a_resumed_run_puts_aside_what_it_plays_again(tmp_path):
    def opened(resume_step=None) -> Journal:
        return Journal.open(tmp_path, RUN, UNSEEN, resume_step, keepers=[SkillStore(tmp_path / "skills")])

    with opened() as journal:
        journal.episodes(1, [played(4)])
        journal.episodes(2, [played(6)])
    (tmp_path / "skills" / "torn").mkdir()
    kept = files(tmp_path / "skills" / "letters")
    with opened(resume_step=1) as journal:
        assert [visit.folder.name for visit in SkillStore(tmp_path / "skills").visits()] == ["letters"]
        assert files(tmp_path / "skills" / "letters") == kept
        assert sorted(path.name for path in (tmp_path / "cut-1" / "skills").iterdir()) == ["letters~2", "torn"]
        assert sorted(path.name for path in (tmp_path / "cut-1" / "episodes").iterdir()) == ["step-000002.parquet"]
        journal.episodes(2, [played(6)])
    assert [visit.folder.name for visit in SkillStore(tmp_path / "skills").visits()] == ["letters", "letters~2"]


def test_a_new_run_in_a_used_folder_never_meets_the_old_skills(tmp_path):
    for _ in range(2):
        store = SkillStore(tmp_path / "skills")
        with Journal.open(tmp_path, RUN, UNSEEN, keepers=[store]) as journal:
            assert store.visits() == []
            journal.episodes(1, [played(4)])
    assert [visit.folder.name for visit in store.visits()] == ["letters"]
    assert (tmp_path / "cut-1" / "skills" / "letters" / "SKILL.md").exists()


def test_a_store_that_refuses_ends_the_run_with_one_line(tmp_path):
    with Journal.open(tmp_path, RUN, UNSEEN, keepers=[SkillStore(tmp_path / "skills")]) as journal:
        journal.episodes(1, [played()])
        (tmp_path / "skills" / "letters" / "SKILL.md").write_text("mine")
        with pytest.raises(CannotRecord, match=r"the episodes of step 1 .*SKILL\.md is there with another content"):
            journal.episodes(1, [played()])
    assert (tmp_path / "skills" / "letters" / "SKILL.md").read_text() == "mine"


@pytest.mark.parametrize("text", ["\ud800", "\x00", "多语言", "---\nname: x\n---"])
def test_whatever_a_skill_holds_can_be_stored(tmp_path, text):
    episode = played()
    episode.notes["skill/reasoner/1"] = text
    SkillStore(tmp_path).write(1, [episode])
    stored = (tmp_path / "letters" / "reasoner" / "round-1.md").read_text("utf-8")
    assert stored == text.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize("key", ["", ".", "..", "../../etc", "a/b", "a b", "C:\\x", "x" * 300, "多", ".hidden", "-x"])
def test_no_key_leads_out_of_the_folder(tmp_path, key):
    name = folder_name(key)
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert name[0] not in ".-"
    assert len(name) < 100
    assert folder_name(key) == name != folder_name(key + "'")
