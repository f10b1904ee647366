"""SQLM (arXiv 2508.03682) over two windows, with every kind of proposal and vote."""

from selfplay.domains.arithmetic import Arithmetic
from selfplay.games.sqlm import SQLM
from selfplay.guards.gate import TaskGate
from selfplay.samplers.scripted import Scripted
from selfplay.types import Seed
from tests.golden.transcript import transcript

PROPOSALS = [
    *("27+85", "27+85=112", "100+1", "3 + 4"),  # asked, unreadable, out of scope, asked
    *("1+2", "85+27", "5+5", "5+5"),  # held out, a twin of another row, asked, a twin of its own row
    *("4+3", "85+27", "6+30", ""),  # both asked in window 0, asked, empty
]

ANSWERS = {
    "solve 27+85": [">112", ">112", ">102", ">112"],  # three agree, rightly
    "solve 3+4": [">7", ">7", ">7", ">7"],  # all agree: nothing to learn
    "solve 85+27": [">102", ">102", ">112", ""],  # a wrong consensus is paid
    "solve 5+5": [">9", ">10", ">10", ">9"],  # a tie: the first met wins
    "solve 6+30": ["", "36", ">", "?"],  # nothing can be read
}


def sqlm() -> str:
    domain = Arithmetic()
    script = Scripted({"proposer": PROPOSALS, "solver": lambda prompt, k: ANSWERS[str(prompt)][k]})
    windows = [[Seed(0, "addition"), Seed(1, "addition")], [Seed(2, "addition")]]
    return transcript(SQLM(domain, TaskGate(domain, max_level=2)), script, windows)
