"""CL-bench's rows as they are described: contexts put together, rubrics in either form, and no training, ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfplay.domains.cl_bench import CLBench, read_cl_bench
from selfplay.types import Challenge


def row(task: str = "Add.", **more) -> dict:
    messages = [
        {"role": "system", "content": "Be exact."},
        {"role": "user", "content": "Rule one."},
        {"role": "user", "content": f"Rule two.\n\n<|task|>\n{task}"},
    ]
    return {"messages": messages, "rubrics": ["Has 7.", {"rubric": " Is short. ", "weight": 1}, 3, ""]} | more


def write(tmp_path: Path, *rows: object) -> str:
    path = tmp_path / "bench.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in rows) + "\n\n", encoding="utf-8")
    return str(path)


def test_rows_of_one_context_are_put_together(tmp_path):
    path = write(tmp_path, row(), row("Subtract."), row(context_id="b"), row("Divide.", metadata={"context_id": "b"}))
    bench = CLBench(path)
    first, second = bench.contexts("held_out")
    assert (first.system, first.document, first.trainable) == ("Be exact.", "Rule one.\n\nRule two.", False)
    assert second.key == "cl-bench-b"
    assert bench.held_out_tasks(first, 9, 0) == ["Add.", "Subtract."]
    assert bench.held_out_tasks(second, 1, 0) == ["Add."]
    assert bench.challenges(second)[1] == Challenge("Divide.", ("Has 7.", "Is short."))


def test_without_a_delimiter_the_last_message_is_the_task(tmp_path):
    messages = [{"role": "user", "content": "Rule one."}, {"role": "user", "content": "Add."}]
    ((context, challenges),) = read_cl_bench(write(tmp_path, {"messages": messages})).items()
    assert (context.system, context.document) == ("", "Rule one.")
    assert challenges == [Challenge("Add.")]


def test_there_is_nothing_to_train_on(tmp_path):
    bench = CLBench(write(tmp_path, row()))
    with pytest.raises(ValueError, match=r"^game.split=train: CL-bench may not be trained on"):
        bench.contexts("train")
    assert [context.trainable for context in bench.contexts("held_out")] == [False]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "is not JSON"),
        ("[]", "has no list of messages"),
        ('{"messages": []}', "has no list of messages"),
        ('{"messages": [{"role": "user"}]}', "has no list of messages"),
        ('{"messages": [{"role": "user", "content": 7}]}', "has no list of messages"),
        ('{"messages": [{"role": "system", "content": "Be exact."}]}', "has no task"),
        ('{"messages": [{"role": "user", "content": "Rules. <|task|> "}]}', "has no task"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_by_its_line(tmp_path, line, reason):
    path = tmp_path / "bench.jsonl"
    path.write_text(f"{json.dumps(row())}\n{line}\n")
    with pytest.raises(ValueError, match=rf"^domain.path=.*, line 2: {reason}"):
        read_cl_bench(str(path))


def test_files_that_cannot_be_read_are_told(tmp_path):
    (tmp_path / "latin.jsonl").write_bytes(b"caf\xe9")
    for name in ("missing.jsonl", "latin.jsonl"):
        with pytest.raises(ValueError, match=r"^domain.path=.*cannot be read"):
            CLBench(str(tmp_path / name))
    with pytest.raises(ValueError, match=r"^domain.path=.*the file is empty"):
        CLBench(write(tmp_path))
    with pytest.raises(ValueError, match=r"^domain.path=.*line 1: .*more than domain.longest_context=10"):
        CLBench(write(tmp_path, row()), longest_context=10)
