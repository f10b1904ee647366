"""A subject so small that every figure of Ctx2Skill can be worked out by hand: letters to be written large.

    task   ab        rubrics   has A & has B        answer   AB passes both, Ab one

The wording is the compact one, so that transcripts are short: a task a reply, rubrics in a second call.
"""

from __future__ import annotations

from selfplay.types import Challenge, Context, Grading, Planted, Proposal, Skill

CONTEXTS = {"train": ("letters", "words"), "held_out": ("signs",)}


class Shelf:
    wording = "compact"

    def __init__(self, trainable: bool = True) -> None:
        self.trainable = trainable

    def contexts(self, split):
        return [Context(key, "be brief", f"<{key}>", self.trainable) for key in CONTEXTS[split]]

    def challenge_prompt(self, context, skill, number):
        return f"challenge {context.document} [{skill}]"

    def rubric_prompt(self, context, task):
        return f"rubrics {context.document} {task}"

    def reason_prompt(self, context, skill, task):
        return f"reason {context.document} [{skill}] {task}"

    def judge_prompt(self, task, rubrics, answer):
        return f"judge {' & '.join(rubrics)} : {answer}"

    def propose_prompt(self, context, traces, skill, side="reasoner", overview=()):
        shown = " ".join(f"{t.task}={t.answer}({sum(t.statuses)}/{len(t.statuses)})" for t in traces)
        return f"propose {side} {context.document} [{skill}] {shown} of {' '.join(overview)}"

    def generate_prompt(self, proposal, skill, side="reasoner"):
        return f"generate {side} {proposal} [{skill}]"

    def read_task(self, context, text):
        word, _, task = text.partition(" ")
        return [Challenge(task)] if word == "task" and task else None

    def read_rubrics(self, text):
        return tuple(text.split(" & ")) if text.startswith("has ") else None

    def read_verdicts(self, text):
        words = text.split()
        return Grading(tuple(word == "yes" for word in words)) if words and {*words} <= {"yes", "no"} else None

    def read_proposal(self, text):
        word, _, wish = text.partition(" ")
        return Proposal(wish) if word == "want" else None

    def read_skill(self, text):
        name, colon, body = text.partition(": ")
        return Skill(name, f"For {name}.", body) if colon else None

    def plant(self, task, answer, seed):
        return Planted(task, ("has Q", "has " + answer[:1]), answer, (False, True)) if answer else None

    def truth(self, context, task, answer):
        return answer == task.upper()


def judge(prompt, k) -> str:
    """A judge that makes no mistake."""
    rubrics, _, answer = str(prompt).removeprefix("judge ").partition(" : ")
    return " ".join("yes" if rubric.removeprefix("has ") in answer else "no" for rubric in rubrics.split(" & "))


def after(prompt) -> str:
    """The task at the end of a reasoner's prompt."""
    return str(prompt).rpartition("] ")[2]


def skill_in(prompt) -> str:
    return str(prompt).partition("[")[2].partition("]")[0]


TASKS = {("letters", ""): ["task ab", "task cd"], ("letters", "ask longer ones"): ["task ef", "task gh"]}
RUBRICS = {"ab": "has A & has B", "cd": "has C & has D", "ef": "has E", "gh": "has G & has H"}
ANSWERS = {
    ("", "ab"): "AB", ("", "cd"): "Cd",  # round 1: solved; one of two
    ("write D", "ef"): "EF", ("write D", "gh"): "gh",  # round 2: solved; none of two
    ("write D", "cd"): "CD", ("write D", "ab"): "AB",  # replayed: it solves three of four
    ("write H", "cd"): "Cd", ("write H", "gh"): "gH", ("write H", "ab"): "ab", ("write H", "ef"): "EF",  # one of four
}  # fmt: skip


class Asked:
    """The challenger: its tasks in turn for each of its prompts, and rubrics by the task."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}

    def __call__(self, prompt, k) -> str:
        text = str(prompt)
        if text.startswith("rubrics"):
            return RUBRICS[text.split()[-1]]
        number = self.asked[text] = self.asked.get(text, -1) + 1
        return TASKS[text.partition("<")[2].partition(">")[0], skill_in(text)][number]


def lines() -> dict:
    """What every role says in two rounds of two tasks on the first context."""
    return {
        "challenger": Asked(),
        "reasoner": lambda prompt, k: ANSWERS.get((skill_in(prompt), after(prompt)), "?"),
        "judge": judge,
        "reasoner_proposer": lambda prompt, k: "want D" if "cd" in str(prompt) else "want H",
        "reasoner_generator": lambda prompt, k: "upper: write D" if " D " in str(prompt) else "upper-h: write H",
        "challenger_proposer": ["want length"],
        "challenger_generator": ["length: ask longer ones"],
    }
