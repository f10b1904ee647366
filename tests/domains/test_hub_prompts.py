"""Prompts from real datasets on this disk, read by the datasets library: parquet, JSONL, save_to_disk; chats too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict

from selfplay.domains.hub_prompts import HubPrompts
from selfplay.domains.open_ended import PromptFile
from selfplay.types import Seed

TEXTS = [f"Explain the number {number}." for number in range(200)]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """The library keeps what it has read; not in this machine's own folder."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


def parquet(folder: Path, rows: Dataset, **splits: Dataset) -> str:
    for name, part in {"train": rows, **splits}.items():
        part.to_parquet(folder / "data" / f"{name}-00000-of-00001.parquet")
    return str(folder / "data")


def saved(folder: Path, rows: Dataset) -> str:
    rows.save_to_disk(folder / "saved")
    return str(folder / "saved")


def saved_splits(folder: Path, rows: Dataset) -> str:
    DatasetDict({"train": rows, "test": rows.select([0])}).save_to_disk(folder / "splits")
    return str(folder / "splits")


def jsonl(folder: Path, rows: Dataset) -> str:
    (folder / "lines").mkdir()
    rows.to_json(folder / "lines" / "train.jsonl")
    return str(folder / "lines")


@pytest.mark.parametrize("write", [parquet, saved, saved_splits, jsonl])
def test_every_kind_of_folder_is_played_like_the_prompt_file_of_the_same_texts(tmp_path, write):
    domain = HubPrompts(write(tmp_path, Dataset.from_dict({"text": TEXTS, "n": range(200)})), field="text", seed=3)
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps({"prompt": text}) + "\n" for text in TEXTS))
    twin = PromptFile(str(tmp_path / "prompts.jsonl"), seed=3)
    indices = (0, 1, 150, 250, 999)
    assert [domain.request(Seed(i, "")) for i in indices] == [twin.request(Seed(i, "")) for i in indices]
    assert domain.held_out_requests(3, seed=1) == twin.held_out_requests(3, seed=1)
    assert (domain.wording, domain.quality(domain.request(Seed(0, "")), "x")) == ("boxed", None)


CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Name a {prompt}."},
    {"role": "assistant", "content": "Ash."},
    {"role": "user", "content": "Another."},
    {"role": "assistant", "content": "Oak."},
]


def test_a_chat_is_asked_up_to_the_users_last_message(tmp_path):
    rows = Dataset.from_dict({"messages": [CHAT], "chosen": [CHAT[1:3]]})
    path = parquet(tmp_path, rows)
    request = HubPrompts(path, field="messages", template="Please: {prompt}", held_out=0).request(Seed(0, ""))
    assert request.prompt == [*CHAT[:3], {"role": "user", "content": "Please: Another."}]
    assert request.shown == "System: Be brief.\n\nUser: Name a {prompt}.\n\nAssistant: Ash.\n\nUser: Please: Another."
    request = HubPrompts(path, field="chosen", held_out=0).request(Seed(0, ""))
    assert request.prompt == request.shown == "Name a {prompt}."  # one message is a plain prompt


def test_a_part_of_a_split_and_rows_without_text(tmp_path):
    rows = Dataset.from_dict({"prompt": ["one", "", None, " \n", "five", "six"]})
    path = parquet(tmp_path, rows, validation=rows.select([0]))

    def asked(**words):
        domain = HubPrompts(path, held_out=0, **words)
        return sorted({domain.request(Seed(index, "")).shown for index in range(20)})

    assert asked() == ["five", "one", "six"]
    assert asked(split="train[:5]") == ["five", "one"]
    assert asked(split="validation") == ["one"]


def test_nothing_is_read_before_it_is_asked_for():
    domain = HubPrompts("/nowhere/at/all")
    with pytest.raises(ValueError, match=r"^domain\.path=/nowhere/at/all: there is no such folder"):
        domain.request(Seed(0, ""))


@pytest.mark.parametrize(
    ("words", "start", "names"),
    [
        ({"split": "tran"}, "domain.split='tran', domain.path=", ["'train'", "'test'"]),
        ({"split": "train[:x]"}, "domain.split='train[:x]', domain.path=", []),
        ({"name": "3.0.0"}, "domain.name=3.0.0, domain.path=", ["'default'"]),
        ({"field": "question"}, "domain.field='question': ", ["choose one of text, n."]),
        ({"field": "n"}, "domain.field='n': no row of ", ["int64", "choose another of text, n."]),
    ],
)
def test_what_the_dataset_has_not_is_named_with_what_it_has(tmp_path, words, start, names):
    rows = Dataset.from_dict({"text": TEXTS, "n": range(200)})
    domain = HubPrompts(parquet(tmp_path, rows, test=rows), **{"field": "text"} | words)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        domain.held_out_requests(1, seed=0)
    line = str(caught.value)
    assert line.startswith(start)
    assert "\n" not in line
    assert all(name in line for name in names)


def test_splits_that_were_saved_are_named_too(tmp_path):
    path = saved_splits(tmp_path, Dataset.from_dict({"prompt": TEXTS}))
    with pytest.raises(ValueError, match=r"^domain\.split='tran', domain\.path=.*\['train', 'test'\]\.$"):
        _ = HubPrompts(path, split="tran").pool


def test_a_folder_that_holds_no_data_or_broken_data_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "train.jsonl").write_text('{"prompt": 1\nno')
    (tmp_path / "file.parquet").touch()
    for name, part in (
        ("empty", "doesn't contain any data files"),
        ("broken", "An error occurred while generating the dataset ("),
        ("file.parquet", "is a file; give its folder, or set domain=prompt_file for JSONL."),
    ):
        with pytest.raises(ValueError, match=rf"^domain\.path={tmp_path / name}") as caught:
            _ = HubPrompts(str(tmp_path / name)).pool
        assert part in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_part_of_the_only_dataset_of_a_folder_is_refused_not_ignored(tmp_path):
    path = saved(tmp_path, Dataset.from_dict({"text": TEXTS}))
    for split in ("test", "train[:5]"):
        with pytest.raises(ValueError, match=r"holds one dataset; leave domain\.split=train"):
            HubPrompts(path, field="text", split=split).request(Seed(0, ""))


def test_a_mistyped_folder_does_not_go_to_the_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    with pytest.raises(ValueError, match=r"domain.path=data/promts: there is no such folder"):
        HubPrompts("data/promts").request(Seed(0, ""))
