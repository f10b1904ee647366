"""The nouns every room shares: seed, prompt, turn, episode, and what a sampler, a domain and a game must do.

    seeds_B --Game.play--> episodes --> turns_N --advantages--> turns_N --micro_batches--> tensors --loss--> weights

Suffixes on names: ``_B`` seeds, ``_N`` flattened prompts or turns, ``_G`` samples of one prompt, ``_T`` tokens,
``_R`` rows of a micro-batch. This file imports nothing of ours and nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Message = dict[str, str]
"""One chat message: ``{"role": "user", "content": "solve 27+85"}``."""

Prompt = str | list[Message]
"""A plain ``str`` is one user message; a list is a whole conversation; a ``Raw`` bypasses the chat template."""

Objective = Literal["reinforce", "imitate"]

Rejection = Literal["unreadable", "out_of_scope", "held_out", "duplicate"]
"""Why a task gate turns a proposal away."""


class Raw(str):
    """Text fed to the model as it stands, without the chat template (MAGPIE needs it)."""

    __slots__ = ()


class Labelled(list[Message]):
    """A conversation that says what it is about, e.g. ``Labelled(messages, "context 7")``; who counts costs reads it,
    who answers never does."""

    def __init__(self, messages: Iterable[Message] = (), label: str = "") -> None:
        super().__init__(messages)
        self.label = label


def prompt_text(prompt: Prompt) -> str:
    """A prompt as a person reads it.

    >>> prompt_text([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "1+1?"}])
    '[system] Be brief.\\n[user] 1+1?'
    """
    if isinstance(prompt, str):
        return str(prompt)
    return "\n".join(f"[{message['role']}] {message['content']}" for message in prompt)


@dataclass(frozen=True, slots=True)
class Seed:
    """What one episode starts from: a topic, and its place in the run's endless row of seeds."""

    index: int  # 0, 1, 2, ... over the whole run; the same on one process as on eight
    topic: str  # e.g. "addition"


@dataclass(slots=True)
class Turn:
    """One role saw a prompt and said a text; what it was paid, and with whom it is compared.

    ``text_ids`` and ``logprobs`` have the same length (T,). ``logprobs`` are nats under the policy that sampled the
    text; ``None`` means that the text was written (by a script, a person, a corpus), not sampled. A server may give
    ``logprobs`` of its own tokens without ``text_ids``: nothing can be learned from those.
    """

    role: str  # "solver"
    prompt: Prompt  # "solve 27+85"
    text: str  # "7+5+0=12,2+8+1=11>112"
    group: str = ""  # "3/solver/1": turns with the same role and group are each other's baseline
    objective: Objective | None = "reinforce"  # None = kept for the record, never learned from
    rewards: dict[str, float] = field(default_factory=dict)  # {"majority": 1.0}: named parts, paid as their sum
    measures: dict[str, float] = field(default_factory=dict)  # {"truth": 0.0}: what a control arm could pay; never paid
    advantage: float = 0.0
    prompt_ids: list[int] | None = None
    text_ids: list[int] | None = None  # the end token included when ``stopped``; not where a choice was drawn
    logprobs: list[float] | None = None
    stopped: bool = True  # False = cut off at the token limit
    failure: str = ""  # why there is no reply, e.g. "HTTP 503 after 5 tries": nobody's answer, and no fault of the role

    @property
    def reward(self) -> float:
        """The sum of the named parts."""
        return sum(self.rewards.values())


@dataclass(slots=True)
class Episode:
    """What one seed led to. ``facts`` are averaged into the log; ``notes`` are what ``Game.remember`` reads."""

    seed: Seed
    turns: list[Turn] = field(default_factory=list)
    facts: dict[str, float] = field(default_factory=dict)  # {"vote_share": 0.75, "vote_accuracy": 1.0}
    notes: dict[str, str] = field(default_factory=dict)  # {"asked": "27+85 3+4"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A question as a domain understood it. ``truth`` is for measuring only: no reward of a method may read it."""

    text: str  # what the solver is shown: "27+85"
    key: str  # equal keys are the same problem: "27+85" for "85 + 27" too; no white space
    level: int  # difficulty as the domain counts it; for arithmetic, digits of the longest operand
    truth: str | None = None  # "112"; None where the domain cannot know


Verdict = Literal["first", "second", "tie"]
"""Which of two contestants is better, by the place in which the judge saw them."""

Contestant = int | str
"""An answer's number within its episode, or a policy's name in a tournament."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """One comparison: a judge was shown ``first`` before ``second``."""

    first: Contestant
    second: Contestant
    verdict: Verdict | None  # None = the judge said nothing that can be read
    item: str = ""  # what was answered, e.g. a question's number; judgments of different items are not set against

    @property
    def winner(self) -> Contestant | None:
        """None for a tie and where nothing could be read."""
        return {"first": self.first, "second": self.second}.get(self.verdict or "")

    @property
    def loser(self) -> Contestant | None:
        return {"first": self.second, "second": self.first}.get(self.verdict or "")


@dataclass(frozen=True, slots=True)
class Request:
    """An open-ended prompt, for which there are better and worse answers and no right one."""

    prompt: Prompt  # what the actor sees: "list animals"
    shown: str  # how it is put to the judge: "animals"
    about: str = ""  # what its domain knows it by, for measuring: "animals"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one request of which the first is known to be better; for measuring judges only."""

    request: Request
    better: str
    worse: str


@runtime_checkable
class OpenDomain(Protocol):
    """A subject without right answers: requests, and their hidden quality where it can be known."""

    wording: str  # in which the judge is asked; one of roles.judge_prompt.WORDINGS
    knows_quality: bool  # whether ``quality`` is ever anything but None

    def request(self, seed: Seed) -> Request: ...
    def held_out_requests(self, n: int, seed: int) -> list[Request]:
        """Up to ``n`` distinct requests to measure on; the same for the same seed. Never played, where the domain has
        enough to keep some back; the domain says where it has not."""
        ...

    def held_out_pairs(self, n: int, seed: int) -> list[Pair]:
        """``n`` pairs of answers to measure a judge on; none where no quality is known."""
        ...

    def is_on_topic(self, request: Request, answer: str) -> bool | None:
        """Whether the answer is about what was asked, be it good or bad; None where it cannot be told. Never raises."""
        ...

    def is_well_formed(self, request: Request, answer: str) -> bool:
        """Whether the answer has the form that was asked for, be it good or bad. Never raises."""
        ...

    def quality(self, request: Request, answer: str) -> float | None:
        """How good the answer is, for measuring only; None where it cannot be known. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """Documents and the system prompt they come with: what tasks are about and skills are mined from."""

    key: str  # stable id, e.g. "rules-0017"
    system: str  # system prompt, may be empty
    document: str  # the documents' text
    trainable: bool = True  # False: benchmarking only, may never be learned from


Side = Literal["challenger", "reasoner"]
"""Whose skill it is: the one that writes tasks, or the one that solves them."""


@dataclass(frozen=True, slots=True)
class Skill:
    """A short text that a model reads before it works; the fields of a SKILL.md file."""

    name: str  # kebab-case, e.g. "check-the-units"
    description: str  # one sentence: when to use it
    body: str  # Markdown; one line of the small base's language in the compact wording


@dataclass(frozen=True, slots=True)
class Challenge:
    """A task, solved when every rubric passes."""

    task: str
    rubrics: tuple[str, ...] = ()  # yes-or-no criteria, one sentence each; empty where a second call asks for them


@dataclass(frozen=True, slots=True)
class Grading:
    """What a judge said of one answer."""

    statuses: tuple[bool, ...]  # one for each rubric
    overall: bool | None = None  # the judge's own conclusion; None = it gave none
    rationale: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A task and what became of it: what a proposer learns from."""

    task: str
    rubrics: tuple[str, ...]
    answer: str
    rationale: str
    statuses: tuple[bool, ...]  # one for each rubric; empty where nothing was judged


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a proposer wants the generator to write."""

    text: str  # all that the generator is told, e.g. "mip" or the proposal's JSON
    action: Literal["create", "edit"] = "create"
    target: str = ""  # the skill to edit, by its name


@dataclass(frozen=True, slots=True)
class Planted:
    """An answer whose verdicts are known beforehand: what a judge's accuracy is measured and paid by."""

    task: str
    rubrics: tuple[str, ...]
    answer: str
    statuses: tuple[bool, ...]


class ContextDomain(Protocol):
    """Contexts to mine skills from, and the wording in which the five agents of Ctx2Skill are asked.

    No reader ever raises, whatever the text; what cannot be read is None. ``skill`` is a side's whole skill set as one
    text (`selfplay.roles.skills.skill_text`), empty where there is none.
    """

    wording: str  # "compact": one task or skill line a reply (small base) | "json" (instruction-tuned models)

    def contexts(self, split: str) -> list[Context]:
        """All contexts of ``train`` or ``held_out``, always in the same order."""
        ...

    def challenge_prompt(self, context: Context, skill: str, number: int) -> Prompt:
        """Asks for ``number`` tasks in one reply; always 1 in the compact wording."""
        ...

    def rubric_prompt(self, context: Context, task: str) -> Prompt | None:
        """Asks for a task's rubrics; None where tasks come with theirs."""
        ...

    def reason_prompt(self, context: Context, skill: str, task: str) -> Prompt: ...
    def judge_prompt(self, task: str, rubrics: Sequence[str], answer: str) -> Prompt:
        """The judge sees neither the context nor any skill."""
        ...

    def propose_prompt(
        self,
        context: Context,
        traces: Sequence[Trace],
        skill: str,
        side: Side = "reasoner",
        overview: Sequence[str] = (),
    ) -> Prompt:
        """Asks what skill would help. ``traces``: the failed tasks for the reasoner's side, the passed ones for the
        challenger's; ``overview``: all tasks of the round."""
        ...

    def merged_prompt(
        self,
        context: Context,
        traces: Sequence[Trace],
        skill: str,
        side: Side = "reasoner",
        overview: Sequence[str] = (),
    ) -> Prompt:
        """Proposer and generator in one, whose reply is a generator's; not asked for in the compact wording."""
        ...

    def generate_prompt(self, proposal: str, skill: str, side: Side = "reasoner") -> Prompt:
        """Asks for the skill that ``proposal`` wants; the generator sees no context and no trace."""
        ...

    def read_task(self, context: Context, text: str) -> list[Challenge] | None:
        """The tasks in a challenger's reply; None also where none of them can be asked of this context."""
        ...

    def read_rubrics(self, text: str) -> tuple[str, ...] | None: ...
    def read_verdicts(self, text: str) -> Grading | None: ...
    def read_proposal(self, text: str) -> Proposal | None: ...
    def read_skill(self, text: str) -> Skill | None: ...
    def plant(self, task: str, answer: str, seed: str) -> Planted | None:
        """An item of known verdicts made from a task and an answer to it; None where it cannot be made."""
        ...

    def truth(self, context: Context, task: str, answer: str) -> bool | None:
        """Whether the answer is right, for measuring only; None where it cannot be known. Never raises."""
        ...

    def held_out_tasks(self, context: Context, n: int, seed: int) -> list[str]: ...
    def true_skill(self, context: Context) -> str | None: ...
    def random_rule(self, context: Context, seed: int) -> str | None: ...
    def random_rules(self, context: Context, seed: int, like: str) -> str | None:
        """As many true rules, drawn at random, as the skill ``like`` has; None where no rules are known."""
        ...


class Domain(Protocol):
    """A subject to play in: the prompts' wording, reading of problems and answers, and truth for measuring."""

    def propose_prompt(self, topic: str) -> Prompt: ...
    def solve_prompt(self, problem: Problem) -> Prompt: ...
    def read_problem(self, text: str) -> Problem | None:
        """The problem that ``text`` poses, or None when it poses none. Never raises, whatever the text."""
        ...

    def read_answer(self, text: str) -> str | None:
        """The answer in ``text`` in normal form, or None when there is none. Never raises, whatever the text."""
        ...

    def is_right(self, problem: Problem, answer: str | None) -> bool | None:
        """Ground truth, for measuring; None where it cannot be known."""
        ...

    def is_held_out(self, problem: Problem) -> bool:
        """Whether the problem is kept for yardsticks and must not be practised."""
        ...

    def held_out_problems(self, per_level: int, seed: int) -> dict[int, list[Problem]]:
        """Up to ``per_level`` distinct held-out problems for each level; the same for the same seed."""
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """What a task gate says of one proposal: the problem, or the reason for turning it away."""

    problem: Problem | None
    reason: Rejection | Literal["admitted"] = "admitted"


class TaskGate(Protocol):
    """Stands between proposing and solving. Its memory grows in ``remember`` only, so that all ranks agree on it."""

    def admit(self, texts_G: Sequence[str]) -> list[Admission]:
        """Judge one row of proposals; a twin within the row counts as a duplicate of the first."""
        ...

    def remember(self, keys: Sequence[str]) -> None: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


class Sampler(Protocol):
    """Whatever answers: a model, a server, a script, a person.

    ``sample`` is collective: every rank calls it equally often, perhaps with no prompts.
    """

    def begin(self, *key: int | str) -> None:
        """Start a window: take up the policy's present weights, and seed all randomness from ``key`` and the role."""
        ...

    def sample(
        self, role: str, prompts_N: Sequence[Prompt], n: int = 1, *, temperature: float | None = None
    ) -> list[list[Turn]]:
        """``n`` turns for each prompt, ``turns_N_G``. ``temperature`` None is the sampler's own, 0 is greedy."""
        ...

    def score(self, role: str, prompts_N: Sequence[Prompt], choices: Sequence[str]) -> list[list[float]]:
        """Log-probability (nats, summed over tokens) of each choice as the continuation of each prompt."""
        ...

    def choose(
        self,
        role: str,
        prompts_N: Sequence[Prompt],
        choices: Sequence[str],
        n: int = 1,
        *,
        temperature: float | None = None,
    ) -> list[list[Turn]]:
        """``n`` turns for each prompt, each of them one of ``choices``: ``turns_N_G``, collective as ``sample`` is.

        A model draws as if it could say nothing else: by its probabilities of the tokens at which the choices part,
        renormalised over the choices; these are the turn's ``logprobs``. ``temperature`` as in ``sample``; 0 is the
        likeliest choice. Nothing is reasoned, and ending the reply is no part of the choice.
        """
        ...


class Game(Protocol):
    """One method of the literature. It knows no model, tokenizer, device or process group."""

    roles: tuple[str, ...]
    periods: Mapping[str, int]  # {"proposer": 5}: learns in every 5th window, 0 = never; absent = in every window
    rows_per_seed: Mapping[str, int]  # {"proposer": 6, "solver": 48}: most turns of a role in one episode

    def play(self, seeds_B: Sequence[Seed], sampler: Sampler) -> list[Episode]:
        """One episode for each seed, in lockstep rounds: one ``sampler.sample`` a round for the whole batch."""
        ...

    def remember(self, episodes: Sequence[Episode]) -> None:
        """Take in the episodes of all ranks, in seed order, so that the memory is the same everywhere."""
        ...

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What a role will be asked for, before anything is: upper bounds where nothing is asked twice."""

    calls: int
    most_calls: int  # every further try used up
    prompt_tokens: int  # of ``calls``, about: text is not tokenized for it
    reply_tokens: int  # of ``calls``

    def __add__(self, other: Asked) -> Asked:
        return Asked(
            self.calls + other.calls,
            self.most_calls + other.most_calls,
            self.prompt_tokens + other.prompt_tokens,
            self.reply_tokens + other.reply_tokens,
        )


@runtime_checkable
class Budgeted(Protocol):
    """A game that can tell what it will ask for, as prompts of very different lengths make worth while."""

    def budget(self, episodes: int, limits: Mapping[str, int]) -> Mapping[str, Asked]:
        """By role, of so many episodes from the first seed on; ``limits``: most tokens of a reply of each role."""
        ...


@runtime_checkable
class Skilled(Protocol):
    """A game that mines skills: what it chose so far can be measured from outside."""

    @property
    def skills(self) -> Mapping[str, str]:
        """Context key -> its chosen skill, "" where none was chosen. One object, which grows in ``remember`` only."""
        ...
