"""SERL, Self-Examining Reinforcement Learning (arXiv 2511.07922): one answers, the same one judges, pair by pair.

    requests_B --actor--> answers_B_N --schedule, round by round--> meetings --judge--> verdicts --> R_A, R_J

    The answers to one request are a group; so are the judgments of one unordered pair, both orders together.

Quality, where the domain knows it, goes into ``facts`` and ``measures``, never into a reward. What the losses of the
two roles weigh is the learner's business. Suffixes: ``_B`` seeds, ``_N`` answers to one request, ``_G`` samples of one
prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

from selfplay.games.serl_facts import Contest, serl_facts
from selfplay.games.settings import at_least, one_of, plays_on
from selfplay.roles.judge import actor_rewards, judge_reward
from selfplay.roles.judge_prompt import Longest, Wording, judge_prompt
from selfplay.roles.schedules import Meeting, Schedule
from selfplay.roles.verdicts import Reading, Unfinished, Verdicts, judged_text, read_verdict, verdict_choices
from selfplay.types import Episode, Judgment, OpenDomain, Prompt, Sampler, Seed, Turn

NO_REQUESTS = "SERL needs open-ended requests, which it has not; choose domain=word_lists or hub_prompts, or game=sqlm"


class SERL:
    """Each seed is one request with ``answers`` answers (N); ``schedule`` says which meet before the judge.

    ``length_control`` is alpha of the Length Control Module, None for none (``roles.judge.length_weight``); ``ties``
    lets the judge call one; ``verdicts`` says whether it reasons (the paper) or only chooses, ``reading`` and
    ``unfinished`` what counts of a reply (``roles.verdicts``);
    ``request_chars`` and ``answer_chars`` bound what the judge is shown. ValueError for a setting that cannot work; its
    text starts with the key.
    """

    roles: tuple[str, ...] = ("actor", "judge")
    periods: Mapping[str, int] = {}

    def __init__(
        self,
        domain: OpenDomain,
        schedule: Schedule,
        answers: int = 4,
        length_control: float | None = 0.2,
        ties: bool = False,
        verdicts: Verdicts = "sampled",
        reading: Reading = "final",
        unfinished: Unfinished = "judge",
        request_chars: int = 4000,
        answer_chars: int = 6000,
    ) -> None:
        plays_on(domain, "request", NO_REQUESTS)
        at_least("game.answers", answers, 2, "a pair needs two")
        at_least("game.request_chars", request_chars, 1, "the judge must see what was asked")
        at_least("game.answer_chars", answer_chars, 1, "the judge must see the answers")
        one_of("game.verdicts", verdicts, Verdicts)
        one_of("game.reading", reading, Reading)
        one_of("game.unfinished", unfinished, Unfinished)
        if length_control is not None and not 0 < length_control < 1:
            raise ValueError(f"game.length_control={length_control}: must lie between 0 and 1, or be null for none.")
        one_of("domain.wording", domain.wording, Wording)
        form = {"wording": domain.wording, "ties": ties}
        self.ask = partial(judge_prompt, **form, longest=Longest(request_chars, answer_chars))
        self.ask("", "", "")  # refuses ties in a wording that has none
        self.read = partial(read_verdict, **form, reading=reading)
        self.choices = verdict_choices(**form) if verdicts == "scored" else None
        self.domain, self.schedule, self.judged_text = domain, schedule, partial(judged_text, unfinished=unfinished)
        self.answers, self.length_control = answers, length_control
        self.rows_per_seed: Mapping[str, int] = {"actor": answers, "judge": schedule.most_judgments(answers)}

    def play(self, seeds_B: Sequence[Seed], sampler: Sampler) -> list[Episode]:
        """One round of answers, then the schedule's rounds of judgments."""
        requests_B = [self.domain.request(seed) for seed in seeds_B]
        answers_B_N = sampler.sample("actor", [request.prompt for request in requests_B], n=self.answers)
        contests_B = [
            Contest(seed, request, answers_N, [self.judged_text(turn.text) for turn in answers_N])
            for seed, request, answers_N in zip(seeds_B, requests_B, answers_B_N, strict=True)
        ]
        for _ in range(self.schedule.rounds):
            meetings_B = [self.schedule.next(self.answers, contest.judgments) for contest in contests_B]
            pairs = list(zip(contests_B, meetings_B, strict=True))
            prompts = [self.ask(*contest.shown(*meeting)) for contest, meetings in pairs for meeting in meetings]
            replies_G = iter(self._replies(prompts, sampler))
            for contest, meetings in pairs:
                self._take(contest, meetings, replies_G)
        return [self._episode(contest) for contest in contests_B]

    def _replies(self, prompts: Sequence[Prompt], sampler: Sampler) -> list[list[Turn]]:
        if self.choices is None:
            return sampler.sample("judge", prompts, n=self.schedule.times)
        return sampler.choose("judge", prompts, self.choices, n=self.schedule.times)

    def _take(self, contest: Contest, meetings: Sequence[Meeting], replies_G: Iterator[list[Turn]]) -> None:
        for first, second in meetings:
            for reply in next(replies_G):
                reply.group = f"{contest.seed.index}/judge/{min(first, second)}-{max(first, second)}"
                contest.replies.append(reply)
                contest.judgments.append(Judgment(first, second, self.read(reply.text)))

    def _episode(self, contest: Contest) -> Episode:
        """R_A pays the answers, R_J the judgments; ``measures`` are what control arms would pay in their place."""
        expected = self.schedule.expected(self.answers, contest.judgments)
        rewards_N = actor_rewards(contest.words_N, contest.judgments, self.length_control, expected)
        qualities_N = [self.domain.quality(contest.request, text) for text in contest.texts_N]
        known_N = [quality for quality in qualities_N if quality is not None]
        known = len(known_N) == self.answers
        formed_N = [float(self.domain.is_well_formed(contest.request, text)) for text in contest.texts_N]
        for number, answer in enumerate(contest.answers_N):
            answer.group = f"{contest.seed.index}/actor"
            answer.rewards = {"copeland": rewards_N[number]}
            answer.measures = {"format": formed_N[number]} | ({"truth": known_N[number]} if known else {})
        for judgment, reply in zip(contest.judgments, contest.replies, strict=True):
            reply.rewards = {"consistency": judge_reward(judgment, rewards_N)}
            reply.measures = {"format": float(judgment.verdict is not None)}
            reply.measures |= {"truth": judge_reward(judgment, known_N)} if known else {}
        facts = serl_facts(contest, self.length_control, known_N if known else None) | {"formed": fmean(formed_N)}
        topical_N = [self.domain.is_on_topic(contest.request, text) for text in contest.texts_N]
        if None not in topical_N:
            facts["on_topic"] = fmean(map(bool, topical_N))
        return Episode(contest.seed, [*contest.answers_N, *contest.replies], facts)

    def remember(self, episodes: Sequence[Episode]) -> None:
        """Nothing: a request may come again."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing was kept."""
