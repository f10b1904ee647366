"""Asks an endpoint how likely given choices are: by echo for raw prompts, by the listed first tokens for chat."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from selfplay.samplers.endpoint.answered import Asker, Question
from selfplay.samplers.endpoint.calls import CallFailed, EndpointError
from selfplay.samplers.endpoint.places import Place
from selfplay.samplers.endpoint.replies import usage_of
from selfplay.samplers.endpoint.scores import TOP, echoed, listed, lowest_listed
from selfplay.samplers.endpoint.settings import Settings, question
from selfplay.types import Prompt, Raw


@dataclass(frozen=True)
class Scored:
    """A prompt to be scored: who says it, and which call of the window it is."""

    role: str
    prompt: Prompt
    window: Sequence[int | str]
    place: Place
    count: Callable[..., None]


class Scorer:
    """Stateless besides its asker; see ``samplers.openai.OpenAISampler.score``."""

    def __init__(self, asker: Asker, settings: Settings) -> None:
        self.asker, self.settings = asker, settings

    def scores(self, scored: Scored, choices: Sequence[str], stop: threading.Event) -> list[float]:
        """Nats of each choice.

        Raises:
            EndpointError: no answer, or one without log-probabilities: there is no score that could stand for none.
        """
        try:
            if isinstance(scored.prompt, Raw):
                return [self._echoed(scored, number, choice, stop) for number, choice in enumerate(choices)]
            return self._listed(scored, choices, stop)
        except CallFailed as failed:
            raise EndpointError(str(failed)) from failed

    def _echoed(self, scored: Scored, number: int, choice: str, stop: threading.Event) -> float:
        if not choice:
            return 0.0
        body = {"prompt": f"{scored.prompt}{choice}", "max_tokens": 0, "echo": True, "logprobs": 1, "temperature": 1.0}

        def worth(answer: Any) -> bool:
            return echoed(answer, choice) is not None

        answer = self._ask(scored, "completions", body, (number,), worth, stop)
        score = echoed(answer, choice)
        if score is None:
            self._refuse("gives no log-probabilities of a prompt (echo); choose a server that does, e.g. vLLM")
        return score

    def _listed(self, scored: Scored, choices: Sequence[str], stop: threading.Event) -> list[float]:
        path, body = question(scored.prompt)
        body |= {"max_tokens": 1, "temperature": 1.0, "logprobs": True, "top_logprobs": TOP}

        def worth(answer: Any) -> bool:
            return any(score is not None for score in listed(answer, choices) or ())

        answer = self._ask(scored, path, body, (), worth, stop)
        scores = listed(answer, choices)
        if scores is None:
            self._refuse("lists no log-probabilities (top_logprobs); let the role be sampled instead")
        if all(score is None for score in scores):
            self._refuse(
                f"begins no reply of the {scored.role} with any of {', '.join(map(repr, choices))}; choices must be "
                "single tokens of a model that answers without thinking"
            )
        scored.count(unseen=sum(score is None for score in scores))
        return [lowest_listed(answer) if score is None else score for score in scores]

    def _ask(
        self,
        scored: Scored,
        path: str,
        body: Mapping[str, Any],
        within: tuple[int, ...],
        worth: Callable[[Any], bool],
        stop: threading.Event,
    ) -> Mapping[str, Any]:
        """``worth`` of being kept is an answer that can be used: another server may give a better one."""
        place = (*scored.place, *within)
        asked = Question(path, self.settings.dressed(body), scored.window, scored.role, place, worth)
        answer, fresh = self.asker.ask(asked, scored.count, stop)
        if fresh:
            scored.count(**usage_of(answer))
        return answer

    def _refuse(self, what: str) -> NoReturn:
        raise EndpointError(f"endpoint.url={self.asker.caller.address.url}: the server {what}.")
