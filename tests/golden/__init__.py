"""Golden transcripts and prompts: one transcript per game, played by a script, to be read by a person when they change.

python -m tests.golden        writes them anew; read the difference before you commit it
"""

from pathlib import Path

from tests.golden.ctx2skill import ctx2skill, skill_prompts
from tests.golden.rule_books import rule_books
from tests.golden.serl import judge_prompts, serl
from tests.golden.sqlm import sqlm

FOLDER = Path(__file__).parent

HEAD = "# Written by `python -m tests.golden`; compared by tests/golden/test_golden.py. Not edited by hand.\n\n"

SCENES = {
    "sqlm": sqlm,
    "serl": serl,
    "serl_judge_prompts": judge_prompts,
    "ctx2skill": ctx2skill,
    "skill_prompts": skill_prompts,
    "rule_books": rule_books,
}
"""File name -> the transcript."""


def written(scene: str) -> str:
    """What the file of this scene should hold."""
    return HEAD + SCENES[scene]()
