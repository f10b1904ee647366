"""Asks an endpoint how likely given choices are: by echo for raw prompts, by the listed first tokens for chat."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

from selfplay.samplers.endpoint.calls import Caller, CallFailed, EndpointError
from selfplay.samplers.endpoint.replies import has_choices, usage_of
from selfplay.samplers.endpoint.scores import TOP, echoed, listed, lowest_listed
from selfplay.samplers.endpoint.settings import Settings, question
from selfplay.types import Prompt, Raw

Count = Callable[..., None]


class Scorer:
    """Stateless besides its caller; see ``samplers.openai.OpenAISampler.score``."""

    def __init__(self, caller: Caller, settings: Settings) -> None:
        self.caller, self.settings = caller, settings

    def scores(
        self, role: str, prompt: Prompt, choices: Sequence[str], count: Count, stop: threading.Event
    ) -> list[float]:
        """Nats of each choice.

        Raises:
            EndpointError: no answer, or one without log-probabilities: there is no score that could stand for none.
        """
        try:
            if isinstance(prompt, Raw):
                return [self._echoed(prompt, choice, count, stop) for choice in choices]
            return self._listed(role, prompt, choices, count, stop)
        except CallFailed as failed:
            raise EndpointError(str(failed)) from failed

    def _echoed(self, prompt: Raw, choice: str, count: Count, stop: threading.Event) -> float:
        if not choice:
            return 0.0
        body = {"prompt": f"{prompt}{choice}", "max_tokens": 0, "echo": True, "logprobs": 1, "temperature": 1.0}
        answer = self.caller.call("completions", self.settings.dressed(body), has_choices, count, stop)
        count(**usage_of(answer))
        score = echoed(answer, choice)
        if score is None:
            self._refuse("gives no log-probabilities of a prompt (echo); choose a server that does, e.g. vLLM")
        return score

    def _listed(
        self, role: str, prompt: Prompt, choices: Sequence[str], count: Count, stop: threading.Event
    ) -> list[float]:
        path, body = question(prompt)
        body |= {"max_tokens": 1, "temperature": 1.0, "logprobs": True, "top_logprobs": TOP}
        answer = self.caller.call(path, self.settings.dressed(body), has_choices, count, stop)
        scores = listed(answer, choices)
        if scores is None:
            self._refuse("lists no log-probabilities (top_logprobs); let the role be sampled instead")
        if all(score is None for score in scores):
            self._refuse(
                f"begins no reply of the {role} with any of {', '.join(map(repr, choices))}; choices must be single "
                "tokens of a model that answers without thinking"
            )
        count(unseen=sum(score is None for score in scores), **usage_of(answer))
        return [lowest_listed(answer) if score is None else score for score in scores]

    def _refuse(self, what: str) -> NoReturn:
        raise EndpointError(f"endpoint.url={self.caller.address.url}: the server {what}.")
