"""A role played by any server that speaks the OpenAI protocol: a vLLM server, a hosted model, ``selfplay serve``.

    prompts_N --split into calls--> asked at once, again where it must be --> replies --> turns_N_G

Constructing it makes no call. The turns have no token ids, for a server's tokens are not our learner's: they are
played and recorded, never learned from. Prompts go out as they are, long common beginnings first and byte for byte
equal, which is all that automatic prefix caching (vLLM, OpenAI) asks for; what was cached is in the ledger.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from selfplay.samplers.endpoint.address import Address
from selfplay.samplers.endpoint.answered import Asker, Question
from selfplay.samplers.endpoint.calls import Caller, CallFailed, EndpointError
from selfplay.samplers.endpoint.ledger import Ledger
from selfplay.samplers.endpoint.pace import at_once
from selfplay.samplers.endpoint.places import Place, Places, request_seed
from selfplay.samplers.endpoint.replies import Reply, read_replies, usage_of
from selfplay.samplers.endpoint.scorer import Scored, Scorer
from selfplay.samplers.endpoint.settings import Settings, question
from selfplay.types import Labelled, Prompt, Turn


@dataclass(frozen=True)
class _Ask:
    """One call for ``n`` replies to one prompt; ``place`` makes its seed its own, and the call known again."""

    role: str
    prompt: Prompt
    label: str
    n: int
    temperature: float
    place: Place


class OpenAISampler:
    """Plays roles by asking a server. Constructor arguments are the config group ``endpoint``.

    Args:
        url: the root of the API, e.g. ``http://localhost:8000/v1``.
        model: its name at the server.
        max_new_tokens: a number, or one for each role.
        temperature: unless ``sample`` is told otherwise.
        timeout: seconds for each call.
        retries: further tries after a busy or broken server; the wait before them doubles from ``backoff`` seconds.
        at_once: most calls under way at the same time.
        per_minute: most calls a minute; None = no limit.
        most_n: most replies asked for in one call; 1 for a server without ``n``; None = all of a prompt's.
        logprobs: ask for the log-probabilities of what is said.
        on_failure: what a prompt without an answer does: ``stop`` ends the run; ``mark`` gives a turn with text "" and
            the reason in ``Turn.failure``, for games that leave such turns out. A server that refuses everybody, or has
            never said anything that can be read, ends the run all the same.
        api_key_env: the environment variable that holds the key.
        extra: further keys of each request; null removes one of ours.
        prices: of a million tokens, ``{prompt: 2.0, completion: 8.0}``, in whatever money; for estimates alone.

    Raises:
        ValueError: a value that cannot work, or a key that is not in the environment.
    """

    def __init__(
        self,
        url: str | None,
        model: str | None,
        max_new_tokens: int | Mapping[str, int] = 1024,
        temperature: float = 1.0,
        timeout: float = 120.0,
        retries: int = 4,
        backoff: float = 1.0,
        at_once: int = 8,
        per_minute: float | None = None,
        most_n: int | None = None,
        logprobs: bool = False,
        on_failure: str = "stop",
        api_key_env: str | None = None,
        extra: Mapping[str, Any] | None = None,
        prices: Mapping[str, float] | None = None,
    ) -> None:
        self.settings = Settings(
            model, max_new_tokens, temperature, timeout, retries, backoff, at_once, per_minute, most_n, logprobs,
            on_failure, dict(extra or {}), prices,
        )  # fmt: skip
        self.caller = Caller(Address(url, api_key_env), timeout, retries, per_minute, backoff)
        self.asker = Asker(self.caller)
        self.ledger = Ledger()
        self._scorer = Scorer(self.asker, self.settings)
        self.begin()

    def begin(self, *key: int | str) -> None:
        """Seeds of requests follow from ``key``; its words are the label under which the ledger counts."""
        self._key = key
        self._places = Places()
        self._label = " ".join(part for part in key if isinstance(part, str))

    def sample(
        self, role: str, prompts_N: Sequence[Prompt], n: int = 1, *, temperature: float | None = None
    ) -> list[list[Turn]]:
        """``n`` turns for each prompt, in order; see ``types.Sampler``. Greedy replies are asked for once and copied.

        Raises:
            ValueError: n below 1, a negative temperature, or no ``max_new_tokens`` for the role.
            EndpointError: the server gave no answer, and ``on_failure`` or the kind of refusal says stop.
        """
        if n < 1:
            raise ValueError(f"n={n} samples of a prompt were asked of {role}; ask for 1 or more.")
        heat = self.settings.heat(temperature)
        self.settings.new_tokens(role)
        parts = self.settings.parts(n if heat else 1)
        asks = [
            _Ask(role, prompt, self._label_of(prompt), size, heat, (*place, part))
            for prompt, place in zip(prompts_N, self._places.of(role, prompts_N), strict=True)
            for part, size in enumerate(parts)
        ]
        answers = iter(self._all([partial(self._replies, ask) for ask in asks]))
        turns_N_G = []
        for prompt in prompts_N:
            replies = [reply for _ in parts for reply in next(answers)]
            turns_N_G.append([_turn(role, prompt, *reply) for reply in (replies if heat else replies * n)])
        return turns_N_G

    def score(self, role: str, prompts_N: Sequence[Prompt], choices: Sequence[str]) -> list[list[float]]:
        """Log-probability (nats) of each choice as the continuation of each prompt.

        A ``Raw`` prompt is scored whole, by ``completions`` with ``echo`` (vLLM has it): choices of any length. A chat
        prompt is scored by the listed first tokens of its reply: choices must be one token each, and one that is not
        among the likeliest counts as likely as the last that is (its upper bound; counted as ``unseen``).

        Raises:
            EndpointError: no answer, or a server that does not give log-probabilities.
        """
        jobs = []
        for prompt, place in zip(prompts_N, self._places.of(role, prompts_N), strict=True):
            count = partial(self.ledger.count, role, self._label_of(prompt))
            jobs.append(partial(self._scorer.scores, Scored(role, prompt, self._key, place, count), choices))
        return self._all(jobs) if choices else [[] for _ in prompts_N]

    def choose(
        self,
        role: str,
        prompts_N: Sequence[Prompt],
        choices: Sequence[str],
        n: int = 1,
        *,
        temperature: float | None = None,
    ) -> list[list[Turn]]:
        """``n`` of the choices for each prompt, drawn by what ``score`` says of them, renormalised; 0 is the likelier.

        Raises:
            EndpointError: as ``score`` does.
        """
        heat = self.settings.heat(temperature)
        places = self._places.of(role, prompts_N)
        scores_N_C = self.score(role, prompts_N, choices)
        turns_N_G = []
        for prompt, place, scores_C in zip(prompts_N, places, scores_N_C, strict=True):
            rng = random.Random(request_seed(self._key, role, place))
            nats_C = renormalised(scores_C, heat or 1.0)
            weights_C = [math.exp(nats) for nats in nats_C]
            likeliest = weights_C.index(max(weights_C))
            picks_G = rng.choices(range(len(choices)), weights_C, k=n) if heat else [likeliest] * n
            turns_N_G.append([Turn(role, prompt, choices[c], objective=None, logprobs=[nats_C[c]]) for c in picks_G])
        return turns_N_G

    def _all(self, jobs: Sequence[Any]) -> list[Any]:
        return at_once(jobs, self.settings.at_once, patience=self.settings.timeout)

    def _replies(self, ask: _Ask, stop: threading.Event) -> list[tuple[Reply, str]]:
        """``ask.n`` replies, each with the reason for which it is missing, or "". A server may give fewer than asked
        for, and is asked again for the rest."""
        replies: list[tuple[Reply, str]] = []
        count = partial(self.ledger.count, ask.role, ask.label)
        for again in range(ask.n):
            missing = ask.n - len(replies)
            if not missing:
                break
            path, body = question(ask.prompt)
            body |= self.settings.sampling(ask.role, missing, ask.temperature, path)
            place = (*ask.place, again)
            body["seed"] = request_seed(self._key, ask.role, place)
            asked = Question(path, self.settings.dressed(body), self._key, ask.role, place)
            try:
                answer, fresh = self.asker.ask(asked, count, stop)
            except CallFailed as failed:
                self._stop_or_go_on(failed)
                return [*replies, *[(Reply("", stopped=False), failed.reason)] * missing]
            got = read_replies(answer)[:missing]
            if fresh:
                count(
                    replies=len(got),
                    empty=sum(not reply.text for reply in got),
                    cut=sum(not reply.stopped for reply in got),
                    **usage_of(answer),
                )
            replies += [(reply, "") for reply in got]
        return replies

    def _label_of(self, prompt: Prompt) -> str:
        return prompt.label if isinstance(prompt, Labelled) else self._label

    def _stop_or_go_on(self, failed: CallFailed) -> None:
        """Raise where the run cannot go on without this answer."""
        nobody_there = failed.kind == "garbage" and not self.asker.heard  # nothing but garbage: a wrong address
        if self.settings.on_failure == "stop" or failed.kind == "closed" or nobody_there:
            raise EndpointError(str(failed)) from failed


def _turn(role: str, prompt: Prompt, reply: Reply, failure: str) -> Turn:
    return Turn(
        role, prompt, reply.text, objective=None, logprobs=reply.logprobs, stopped=reply.stopped, failure=failure
    )


def renormalised(scores_C: Sequence[float], temperature: float) -> list[float]:
    """Log-probabilities at a temperature, of the choices alone.

    >>> [round(nats, 3) for nats in renormalised([-1.0, -1.0], 0.5)]
    [-0.693, -0.693]
    """
    highest = max(scores_C)
    if highest == -math.inf:  # nothing is known of any
        return [-math.log(len(scores_C))] * len(scores_C)
    heated = [(score - highest) / temperature for score in scores_C]
    total = math.log(math.fsum(math.exp(score) for score in heated))
    return [score - total for score in heated]
