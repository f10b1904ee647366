"""Who plays each role: the recipe's ``players`` as one sampler.

players {role: model | script | human | endpoint} --> PerRole(proposer=HFSampler, solver=Human, ...)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from selfplay.checks import players
from selfplay.configuration import RecipeError, build
from selfplay.endpoints import ENDPOINT, endpoint_samplers
from selfplay.quiet import quieten
from selfplay.samplers.endpoint.answered import CALLS, AnsweredCalls, kept_calls
from selfplay.samplers.endpoint.ledger import Ledger
from selfplay.samplers.human import Human
from selfplay.samplers.openai import EndpointError, OpenAISampler
from selfplay.samplers.per_role import PerRole
from selfplay.samplers.scripted import Scripted
from selfplay.types import Game, Sampler


def sampler_of(config: DictConfig, game: Game, model: Callable[[], Sampler]) -> Sampler:
    """The sampler that a recipe asks for.

    Args:
        model: makes the model's sampler; called once, and only if a role needs it.

    Raises:
        RecipeError: a role whose script is empty, or whose endpoint cannot be asked.
    """
    chosen = players(config, game)
    by_role: dict[str, Sampler] = dict(endpoint_samplers(config, [role for role in chosen if chosen[role] == ENDPOINT]))
    by_kind: dict[str, Sampler] = {}
    for kind in sorted(set(chosen.values()) - {ENDPOINT}):
        if kind == "model":
            by_kind[kind] = model()
        elif kind == "human":
            by_kind[kind] = Human()
        else:
            by_kind[kind] = _script(config, [role for role in chosen if chosen[role] == "script"])
    return PerRole(**{role: by_role[role] if kind == ENDPOINT else by_kind[kind] for role, kind in chosen.items()})


def ledgers_of(sampler: Sampler) -> list[Ledger]:
    """What the endpoints among a recipe's players count in; none where nobody is asked over a network."""
    return [player.ledger for player in _endpoints(sampler)]


def keep_answers(sampler: Sampler, run: Path, rank: int) -> None:
    """From now on the endpoints keep what they are answered in the run's folder, and ask for nothing that lies there.

    Raises:
        EndpointError: the folder takes no file.
    """
    asked, file = _endpoints(sampler), run / CALLS / f"rank-{rank}.jsonl"
    if not asked:
        return
    try:
        answered = AnsweredCalls(file)
    except OSError as error:
        raise EndpointError(f"answered calls cannot be kept in {file} ({error.strerror}); mend the folder.") from error
    for player in asked:
        player.asker.answered = answered


def _endpoints(sampler: Sampler) -> list[OpenAISampler]:
    """Each once, however many roles it plays."""
    players = sampler.by_role.values() if isinstance(sampler, PerRole) else [sampler]
    return list({id(player): player for player in players if isinstance(player, OpenAISampler)}.values())


def endpoint_rows(sampler: Sampler) -> list[dict[str, Any]]:
    """What this process's endpoints were asked since it started, a row for each role and label."""
    return [row for ledger in ledgers_of(sampler) for row in ledger.as_data()]


def endpoint_facts(rows: Iterable[Mapping[str, Any]], run: Path) -> dict[str, Any]:
    """For the summary: the rows of all processes since the last start, added up by role and label, and what the run has
    kept since it first began; {} without endpoints.

    >>> rows = [{"role": "judge", "label": "", "calls": 2}, {"role": "judge", "label": "", "calls": 3}]
    >>> endpoint_facts(rows, Path("no/run"))
    {'endpoints': [{'role': 'judge', 'label': '', 'calls': 5}], 'answered_calls': {}}
    """
    sums: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        sums.setdefault((row["role"], row["label"]), Counter()).update(
            {name: count for name, count in row.items() if name not in ("role", "label")}
        )
    added = [{"role": role, "label": label, **counts} for (role, label), counts in sorted(sums.items())]
    return {"endpoints": added, "answered_calls": kept_calls(run / CALLS)} if added else {}


def model_sampler(config: DictConfig, game: Game, adapters: Path | None = None) -> Sampler:
    """The recipe's policy, loaded to play and not to learn.

    Args:
        adapters: folder of saved adapters, e.g. ``runs/quickstart/adapters``; None = fresh ones, which play the base.

    Raises:
        RecipeError: adapters that are missing or do not fit.
    """
    quieten()
    policy = build(config, "policy", roles=game.roles)
    if adapters is not None:
        try:
            policy.load(adapters)
        except ValueError as error:
            raise RecipeError(f"adapters={adapters}: {error}") from error
    return build(config, "sampler", policy=policy)


def _script(config: DictConfig, roles: list[str]) -> Sampler:
    lines = OmegaConf.to_container(config.script, resolve=True)
    assert isinstance(lines, dict)
    for role in roles:
        if not lines.get(role):
            raise RecipeError(
                f"players.{role}=script, but script.{role} is empty; give it a list of texts, or use debug=scripted."
            )
    return Scripted({role: [str(text) for text in lines[role]] for role in roles})
