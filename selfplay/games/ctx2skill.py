"""Ctx2Skill (arXiv 2604.27660): skills for a context, mined by playing on it; the weights may learn as well.

    round:  challenger --tasks, rubrics--> reasoner --answers--> judge --verdicts--> failed -> the reasoner's side
            of a side: proposer --what is missing--> generator --> its next skill    passed -> the challenger's side
    end:    Cross-time Replay: every version of the reasoner's skill on the probes of all rounds; the best one stays

Five agents in seven roles: challenger, reasoner, judge, and proposer and generator once for each side, since neither
side may see the other's skill. Skills are of one context; what is deployed is the reasoner's. The game reads and writes
no files: skills go into the episode's notes, from which `selfplay.skills.store` writes them.
Suffixes: ``_B`` seeds, ``_N`` tasks of a round, ``_G`` answers to one task, ``_K`` gradings of one answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from selfplay.games.ctx2skill_agents import Agents
from selfplay.games.ctx2skill_budget import budget
from selfplay.games.ctx2skill_facts import facts_of, notes_of
from selfplay.games.ctx2skill_memory import Memory
from selfplay.games.ctx2skill_pay import pay
from selfplay.games.ctx2skill_settings import Settings
from selfplay.games.ctx2skill_state import Ask, Attempt, Loop, Round, ask
from selfplay.roles.replay import Combine, Probe, best_round, easiest_passed, hardest_failed, tally
from selfplay.roles.skills import update
from selfplay.types import Asked, Challenge, ContextDomain, Episode, Proposal, Sampler, Seed, Side, Skill


class Ctx2Skill:
    """One seed is one context and one episode; all contexts of a window go through their rounds in lockstep.

    The settings are `selfplay.games.ctx2skill_settings.Settings`. ValueError for one that cannot work; its text starts
    with the key.
    """

    roles: tuple[str, ...] = (
        "challenger", "reasoner", "judge",
        "reasoner_proposer", "reasoner_generator", "challenger_proposer", "challenger_generator",
    )  # fmt: skip

    def __init__(self, domain: ContextDomain, **settings: Any) -> None:
        if not hasattr(domain, "contexts"):
            raise ValueError("game.domain: has no contexts to mine skills from; choose a domain of contexts.")
        self.domain, self.set = domain, Settings(**settings)
        self.contexts = domain.contexts(self.set.split)
        self.set.check_domain(domain.wording, self.contexts)
        self.seeds = None if self.set.visits is None else self.set.visits * len(self.contexts)  # so many are played
        self.agents = Agents(domain, self.set)
        self.periods: Mapping[str, int] = {role: 0 for role in self.roles if role not in self.set.learns}
        self.memory = Memory(self.set.carry)
        self.skills: Mapping[str, str] = self.memory.skills
        self.rows_per_seed: Mapping[str, int] = self.set.rows(self.agents.compact)

    def play(self, seeds_B: Sequence[Seed], sampler: Sampler) -> list[Episode]:
        """Rounds, replay, and the closed-book check where it is asked for; of the seeds those that `Settings.visits`
        leaves, which may be none."""
        seeds_B = seeds_B if self.seeds is None else [seed for seed in seeds_B if seed.index < self.seeds]
        loops_B = [self.memory.loop(seed, self.contexts[seed.index % len(self.contexts)]) for seed in seeds_B]
        for place in range(1, self.set.rounds + 1):
            for loop in loops_B:
                loop.rounds.append(Round(loop.start + place))
            self._challenge(loops_B, sampler)
            self._solve(loops_B, sampler)
            for side in self.set.evolves:
                self._evolve(loops_B, side, sampler)
            for loop in loops_B:
                loop.probes += self._probes(loop)
        self._select(loops_B, sampler)
        if self.set.closed_book:
            self._close_books(loops_B, sampler)
        for loop in loops_B:
            pay(loop, self.domain, self.set)
        return [
            Episode(loop.seed, loop.turns, facts_of(loop, self.domain, self.set), notes_of(loop, self.set))
            for loop in loops_B
        ]

    def budget(self, episodes: int, limits: Mapping[str, int]) -> dict[str, Asked]:
        """See `selfplay.types.Budgeted`."""
        played = episodes if self.seeds is None else min(episodes, self.seeds)
        visited = [self.contexts[number % len(self.contexts)] for number in range(played)]
        return budget(self.domain, self.set, visited, limits)

    def _challenge(self, loops_B: Sequence[Loop], sampler: Sampler) -> None:
        """Tasks, then the rubrics of those that came without; a task whose rubrics cannot be read is dropped."""
        for loop in loops_B:
            loop.now.asks = self.agents.tasks(loop)
        ask(sampler, "challenger", [one for loop in loops_B for one in loop.now.asks], self.set.tries)
        for loop in loops_B:
            posed = [(one, task) for one in loop.now.asks for task in one.value or ()][: self.set.tasks]
            loop.now.authors_N, loop.now.tasks_N = [one for one, _ in posed], [task for _, task in posed]
        asks_B_N = [self.agents.rubrics(loop) for loop in loops_B]
        ask(sampler, "challenger", [one for asks_N in asks_B_N for asks in asks_N for one in asks], self.set.tries)
        for loop, asks_N in zip(loops_B, asks_B_N, strict=True):
            posed = [
                (author, replace(task, rubrics=_elected(asks)) if asks else task)
                for author, task, asks in zip(loop.now.authors_N, loop.now.tasks_N, asks_N, strict=True)
            ]
            pairs = zip(loop.now.authors_N, asks_N, strict=True)
            loop.now.lost = [author for author, asks in pairs if asks and not any(one.replies for one in asks)]
            checkable = [(author, task) for author, task in posed if task.rubrics]
            loop.now.authors_N, loop.now.tasks_N = [one for one, _ in checkable], [task for _, task in checkable]

    def _solve(self, loops_B: Sequence[Loop], sampler: Sampler) -> None:
        """Every task with the skill of the round before, some without, and the verdicts; planted items go along."""
        for loop in loops_B:
            skills = loop.skills("reasoner", loop.now.number - 1)
            loop.now.attempts_N_G = self._attempts(loop, skills, self.set.tasks)
            loop.now.unaided_N_G = self._attempts(loop, (), self.set.unaided, "/unaided") if skills else []
        self._answer([one for loop in loops_B for ones_G in loop.now.answered_N_G for one in ones_G], sampler)
        for loop in loops_B:
            loop.now.planted = self.agents.planted(loop)
            for ones_G in loop.now.answered_N_G:
                for number, one in enumerate(ones_G):
                    one.gradings_K = self.agents.gradings(one, number)
        asks = [k for loop in loops_B for ones_G in loop.now.answered_N_G for one in ones_G for k in one.gradings_K]
        asks += [one for loop in loops_B for _, asks_K in loop.now.planted for one in asks_K]
        ask(sampler, "judge", asks, self.set.tries)

    def _attempts(self, loop: Loop, skills: Sequence[Skill], first: int, mark: str = "") -> list[list[Attempt]]:
        """G answers, yet to be asked for, to each of the round's first tasks."""
        names = [(task, f"{loop.now.number}/{at}{mark}") for at, task in enumerate(loop.now.tasks_N[:first])]
        return [[self.agents.attempt(loop, skills, *named) for _ in range(self.set.answers)] for named in names]

    def _answer(self, attempts: Sequence[Attempt], sampler: Sampler) -> None:
        """One try: what an answer says is never a reason to ask again."""
        ask(sampler, "reasoner", [one.answer for one in attempts], tries=1)

    def _measure(self, attempts: Sequence[Attempt], sampler: Sampler) -> None:
        self._answer(attempts, sampler)
        for one in attempts:
            one.gradings_K = self.agents.gradings(one)
        ask(sampler, "judge", [grading for one in attempts for grading in one.gradings_K], self.set.tries)

    def _evolve(self, loops_B: Sequence[Loop], side: Side, sampler: Sampler) -> None:
        """Proposer, then generator; a side that has nothing to learn from, or cannot be read, keeps its skill."""
        for loop in loops_B:
            loop.now.proposed[side] = self.agents.proposal(loop, side)
        asked = [one for loop in loops_B if (one := loop.now.proposed[side]) is not None]
        ask(sampler, f"{side}_{'generator' if self.set.merged else 'proposer'}", asked, self.set.tries)
        drafts = asked
        if not self.set.merged:
            drafts = [self.agents.skill(one.loop, side, one.value) for one in asked if one.value is not None]
            ask(sampler, f"{side}_generator", drafts, self.set.tries)
        for loop in loops_B:
            loop.now.skills[side] = loop.skills(side, loop.now.number - 1)
            loop.now.became[side] = "kept" if loop.now.proposed[side] is None else "unreadable"
        for draft in drafts:
            if draft.value is not None:
                self._take(draft, side)

    def _take(self, draft: Ask, side: Side) -> None:
        now, proposed = draft.loop.now, draft.loop.now.proposed[side]
        proposal = Proposal("") if self.set.merged or proposed is None else proposed.value
        settings = (self.set.replacement, self.set.most_skills)
        now.skills[side] = update(now.skills[side], draft.value, proposal, *settings)
        now.became[side] = "written"

    def _probes(self, loop: Loop) -> list[Probe]:
        """The round's hardest failed and easiest passed task."""
        number, key = loop.now.number, f"{loop.seed.index} {loop.now.number}"
        hard = hardest_failed(self.agents.traces(loop, "reasoner"))
        easy = easiest_passed(self.agents.traces(loop, "challenger"), self.set.ties, key)
        found = [] if hard is None else [Probe("hard", number, hard.task, hard.rubrics)]
        return found if easy is None else [*found, Probe("easy", number, easy.task, easy.rubrics)]

    def _select(self, loops_B: Sequence[Loop], sampler: Sampler) -> None:
        """Cross-time Replay, in one round of answers for all versions of all contexts; or the fixed choice."""
        if not self.set.replays:
            for loop in loops_B:
                loop.selected = self.set.fixed_choice(loop.start)
            return
        replays = [
            (loop, version, self._replay_attempts(loop, version))
            for loop in loops_B
            for version in self.set.candidates_of(loop.start, loop.origin)
        ]
        self._measure([one for *_, attempts in replays for one in attempts], sampler)
        for loop, version, attempts in replays:
            outcomes = [one.solved(self.set.verdict, self.set.unanswered) for one in attempts]
            loop.replayed[version] = tally([probe.kind for probe in loop.probes], outcomes)
        combine: Combine = "sum" if self.set.select == "sum" else "product"
        for loop in loops_B:
            best = best_round(loop.replayed, combine)
            loop.selected = loop.origin or None if best is None else best  # nothing to choose by: what there was stays

    def _replay_attempts(self, loop: Loop, version: int) -> list[Attempt]:
        skills = loop.skills("reasoner", version)
        tasks = [Challenge(probe.task, probe.rubrics) for probe in loop.probes]
        return [self.agents.attempt(loop, skills, task, f"replay/{version}/{at}") for at, task in enumerate(tasks)]

    def _close_books(self, loops_B: Sequence[Loop], sampler: Sampler) -> None:
        """The first tasks of each round again without document, system prompt and skill: what is solved all the same
        does not need them."""
        rounds = [(loop, done) for loop in loops_B for done in loop.rounds]
        for loop, done in rounds:
            done.closed_N = [
                self.agents.attempt(loop, (), task, f"closed/{done.number}/{at}", closed=True)
                for at, task in enumerate(done.tasks_N[: self.set.closed_book])
            ]
        self._measure([one for _, done in rounds for one in done.closed_N], sampler)

    def remember(self, episodes: Sequence[Episode]) -> None:
        """Keep what was chosen, for whoever measures it and for the next visits."""
        self.memory.remember(episodes)

    def state_dict(self) -> dict[str, Any]:
        return self.memory.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.memory.load_state_dict(state)


def _elected(asks: Sequence[Ask]) -> tuple[str, ...]:
    """The rubrics most often given, the first of several; empty where none could be read."""
    votes = Counter(tuple(one.value) for one in asks if one.value)
    return votes.most_common(1)[0][0] if votes else ()
