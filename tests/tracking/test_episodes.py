"""The episode store: one row a turn, readable whatever a model wrote."""

import json

import pyarrow.parquet as pq
import pytest

from selfplay.tracking.episodes import COLUMNS, EpisodeStore
from selfplay.types import Episode, Seed, Turn
from tests.tracking.fakes import episode


def test_a_turn_is_stored_whole(tmp_path):
    path = EpisodeStore(tmp_path).write(10, [episode(4), episode(5)])
    assert path == tmp_path / "step-000010.parquet"
    rows = pq.read_table(path).to_pylist()
    assert len(rows) == 12
    assert list(rows[0]) == list(COLUMNS)
    assert rows[2] == {
        "step": 10,
        "seed": 4,
        "topic": "addition",
        "turn": 2,
        "role": "solver",
        "group": "4/solver/0",
        "prompt": "solve 27+85",
        "text": ">112",
        "reward": 1.0,
        "rewards": '{"majority": 1.0}',
        "measures": '{"truth": 1.0}',
        "advantage": 0.5,
        "objective": "reinforce",
        "stopped": True,
        "failure": "",
        "tokens": 4,
        "mean_logprob": -0.25,
        "facts": '{"vote_share": 0.75, "vote_accuracy": 1.0}',
        "notes": '{"asked": "27+85"}',
    }
    assert (rows[1]["objective"], rows[1]["tokens"], rows[1]["mean_logprob"]) == (None, None, None)
    assert (rows[4]["stopped"], rows[11]["seed"], rows[11]["turn"]) == (False, 5, 5)


@pytest.mark.parametrize("text", ["", "\x00\x1b[2J", "lone \ud800 surrogate", "多语言", "9" * 100_000])
def test_any_text_is_data(tmp_path, text):
    conversation = [{"role": "user", "content": text}]
    path = EpisodeStore(tmp_path).write(1, [Episode(Seed(0, text), [Turn("solver", conversation, text)])])
    (row,) = pq.read_table(path).to_pylist()
    expected = text.replace("\ud800", "\\ud800")
    assert (row["text"], row["topic"], row["prompt"]) == (expected, expected, f"[user] {expected}")
    assert json.loads(row["rewards"]) == {}


def test_a_step_without_episodes_has_an_empty_table_of_the_same_columns(tmp_path):
    table = pq.read_table(EpisodeStore(tmp_path).write(1, []))
    assert (table.num_rows, table.column_names) == (0, list(COLUMNS))


def test_a_step_played_again_replaces_its_file(tmp_path):
    store = EpisodeStore(tmp_path)
    store.write(1, [episode(0)])
    path = store.write(1, [episode(7)])
    assert {row["seed"] for row in pq.read_table(path).to_pylist()} == {7}
    assert list(tmp_path.iterdir()) == [path]
