"""``--judge``: the truth, the frozen base, a run's judge role, or an endpoint; chosen before a model is loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from selfplay.configuration import RecipeError
from selfplay.duel_contestants import BASE, Run, names_run, read_run
from selfplay.duel_requests import Subject
from selfplay.evaluation.contests import instruction_of
from selfplay.evaluation.judges import Ask, Judge, Read, SampledJudge, TruthJudge
from selfplay.games.serl import SERL
from selfplay.roles.judge_prompt import judge_prompt
from selfplay.roles.verdicts import REASONED_TOKENS, read_verdict
from selfplay.samplers.endpoint.address import may_be_shown
from selfplay.samplers.openai import OpenAISampler
from selfplay.types import Prompt, Request, Sampler

if TYPE_CHECKING:
    from selfplay.duel_stage import Stage  # which imports torch

JUDGE = "judge"
TRUTH = "truth"


@dataclass(frozen=True)
class Choice:
    """A judge that can be had: ``make`` loads what it needs, after the contestants have answered."""

    make: Callable[[Stage], Judge]


def choose_judge(word: str, house: Run | None, subject: Subject, seed: int, api_key_env: str | None = None) -> Choice:
    """
    Args:
        api_key_env: the environment variable that holds the key of an endpoint.

    Raises:
        RecipeError: a judge that is none, or that cannot judge here.
    """
    key = ("duel", JUDGE, seed)
    if word == TRUTH:
        if subject.truth is None:
            raise RecipeError(
                "--judge truth: how good an answer is, is not known here; take base, a run's folder or http://..."
            )
        truth = TruthJudge(subject.quality, subject.truth)
        return Choice(lambda stage: truth)
    if word == BASE:
        if house is None:
            raise RecipeError("--judge base: whose? Name a run's folder among the contestants, or as the judge.")
        name = f"the frozen base {house.config.policy.base}"
        return Choice(lambda stage: _judge(stage.sampler(house, JUDGE, True), name, house, key))
    if word.startswith(("http://", "https://")):
        url, _, model = word.partition("#")
        if not model:
            raise RecipeError("--judge: the address names no model; say it behind the address, http://HOST/v1#MODEL.")
        sampler = endpoint_sampler(url, model, api_key_env)
        return Choice(lambda stage: SampledJudge(sampler, word, *in_wording("boxed"), key))
    if not names_run(word):
        shown = f" {word}" if may_be_shown(word) else ""
        raise RecipeError(f"--judge{shown}: is no judge; take truth, base, a run's folder, or http://HOST/v1#MODEL.")
    run = read_run(word)
    if JUDGE not in run.game.roles:
        roles = ", ".join(run.game.roles)
        raise RecipeError(
            f"--judge {word}: its game has no role judge, only {roles}; take a run of a game that judges."
        )
    return Choice(lambda stage: _judge(stage.sampler(run, JUDGE), f"the judge of {run.name}", run, key))


def _judge(sampler: Sampler, name: str, run: Run, key: Sequence[int | str]) -> SampledJudge:
    """As the run's game has its verdicts: written, or scored."""
    choices = run.game.choices if isinstance(run.game, SERL) else None
    return SampledJudge(sampler, name, *wording_of(run), key, choices=choices)


def wording_of(run: Run) -> tuple[Ask, Read]:
    """As the run's game asks and reads its judge; in the wording of its domain where the game has none."""
    game = run.game
    if isinstance(game, SERL):
        return partial(_ask, game.ask, game.domain.wording), game.read
    return in_wording("compact" if run.config.domain.get("wording") == "compact" else "boxed")


def in_wording(wording: str) -> tuple[Ask, Read]:
    """``compact`` or ``boxed``, without ties."""
    return partial(_ask, partial(judge_prompt, wording=wording), wording), partial(read_verdict, wording=wording)  # type: ignore[arg-type]


def endpoint_sampler(url: str, model: str, api_key_env: str | None) -> Sampler:
    """Whoever answers at an OpenAI-compatible endpoint, e.g. ``http://localhost:8000/v1``; no call is made yet.

    Raises:
        RecipeError: an address that is none, or no key in the environment variable.
    """
    try:
        return OpenAISampler(url, model, max_new_tokens=REASONED_TOKENS, api_key_env=api_key_env)
    except ValueError as error:
        raise RecipeError(f"--judge: {error}") from error  # which shows no address, for that may hold a key


def _ask(prompt: Callable[[str, str, str], Prompt], wording: str, request: Request, first: str, second: str) -> Prompt:
    """The small base is told the category alone, as it was taught; everybody else reads the whole instruction."""
    return prompt(request.shown if wording == "compact" else instruction_of(request), first, second)
