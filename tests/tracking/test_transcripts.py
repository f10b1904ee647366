"""Transcripts: a golden one to read, and the choice of which to show."""

from selfplay.tracking.transcripts import LONGEST, mean_reward, printable, spread, transcript
from selfplay.types import Episode, Seed, Turn
from tests.tracking.fakes import episode

GOLDEN = """\
seed 3 · addition · mean reward 0.80 · vote_share 0.75 · vote_accuracy 1
  proposer <- propose addition
    1x 27+85   [calibration 1, advantage +0.50]
    1x 2+   [not learned from]
  solver <- solve 27+85
    3x >112   [majority 1, advantage +0.50]
    1x >113   [majority 0, advantage -0.50, cut off]"""


def test_golden():
    assert "\n".join(transcript(episode(3))) == GOLDEN


def test_texts_are_told_on_one_line_each():
    turns = [Turn("solver", [{"role": "user", "content": "one\ntwo"}], "a\x1b[31m\nb"), Turn("solver", "three", "")]
    lines = transcript(Episode(Seed(0, "addition"), turns))
    assert lines[1:] == [
        "  solver <- [user] one\\ntwo",
        "    1x a\\x1b[31m\\nb   [advantage +0.00]",
        "  solver <- three",
        "    1x (empty)   [advantage +0.00]",
    ]


def test_an_endless_text_is_shortened_and_counted():
    assert printable("9" * 100_000) == "9" * LONGEST + "... (+99000 characters)"


def worth(index: int, reward: float) -> Episode:
    return Episode(Seed(index, "addition"), [Turn("solver", "p", "t", rewards={"majority": reward})])


def test_spread_reaches_from_the_lowest_to_the_highest():
    episodes = [worth(index, reward) for index, reward in enumerate([0.5, 0.1, 0.9, 0.3, 0.7])]
    assert [chosen.seed.index for chosen in spread(episodes, 3)] == [1, 0, 2]
    assert [chosen.seed.index for chosen in spread(episodes, 1)] == [0]
    assert [chosen.seed.index for chosen in spread(episodes, 9)] == [1, 3, 0, 4, 2]
    assert spread([], 3) == []


def test_spread_breaks_ties_by_seed_so_that_a_run_repeats():
    episodes = [worth(index, 0.5) for index in (2, 0, 1)]
    assert [chosen.seed.index for chosen in spread(episodes, 3)] == [0, 1, 2]


def test_turns_that_are_not_learned_from_do_not_count():
    lazy = Turn("solver", "p", "t", objective=None, rewards={"majority": 1.0})
    assert mean_reward(Episode(Seed(0, "addition"), [lazy])) == 0.0
    assert mean_reward(Episode(Seed(0, "addition"), [lazy, Turn("solver", "p", "t", rewards={"majority": 0.5})])) == 0.5
