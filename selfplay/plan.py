"""What a recipe would do, worked out without loading a weight: roles, adapters, rows, tokens, memory, measurements.

config + shape of the base --make_plan--> Plan --show--> tables

accelerate launch -m selfplay.train recipe=sqlm_multiplication dry_run=true
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from selfplay.checks import has_model, micro_batches, players, rows_per_update
from selfplay.configuration import build, roles_of
from selfplay.endpoint_plan import ASKED_HEADER, ASKED_NOTE, Asking, addresses, asked_rows, askings, new_tokens
from selfplay.endpoints import ENDPOINT, settings_of
from selfplay.processes import world_size
from selfplay.shape import Shape, read_shape
from selfplay.suites import yardstick_of
from selfplay.types import Game

GIB = 2**30
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
ADAPTER_BYTES = 4 + 4 + 8
"""Of one trainable parameter: fp32 weight, gradient, AdamW's two moments."""

LIBRARIES_GIB = 0.9
"""Resident memory of the process with torch, transformers, TRL and pyarrow imported."""

MERGED_COPY_PARAMETERS = 100_000_000
"""merge=auto generates from a merged copy up to this size (samplers/hf.py)."""

ASSUMED_PROMPT_TOKENS = 128
"""Prompts are not tokenized for a plan; instructions of the shipped games are shorter than this."""


@dataclass(frozen=True)
class RolePlan:
    """One role in one window, all processes together. Token counts are upper bounds."""

    role: str
    player: str  # "model", "script", "human" or "endpoint"
    adapter: str  # "solver", "shared", "bare base" for a role that never learns, or an endpoint's model
    period: int  # learns in every so many windows; 0 = never
    rows: int  # most turns
    new_tokens: int  # most tokens of one turn

    @property
    def tokens(self) -> int:
        return self.rows * self.new_tokens

    @property
    def learns(self) -> str:
        if self.player != "model" or self.adapter == BARE or not self.period:
            return "never"
        return "every window" if self.period == 1 else f"every {self.period} windows"


@dataclass(frozen=True)
class Plan:
    """Everything that ``show`` prints. Memory is in GiB for one process."""

    recipe: str
    steps: int
    world_size: int
    micro_batches: int
    updates_per_window: int
    base: str
    parameters: int  # of the base, frozen
    roles: tuple[RolePlan, ...]
    adapters: dict[str, int]  # trainable parameters by adapter
    memory: dict[str, float]
    measurements: int  # times that the yardsticks are taken
    asked: dict[str, Asking]  # of endpoints, by role
    texts_per_measurement: int

    @property
    def trainable(self) -> int:
        return sum(self.adapters.values())

    @property
    def memory_total(self) -> float:
        """The peak: generation and learning do not happen at once."""
        passing = ("generation", "learning")
        lasting = sum(size for part, size in self.memory.items() if part not in passing)
        return lasting + max(self.memory.get(part, 0.0) for part in passing)


def make_plan(config: DictConfig, world_size: int = 1) -> Plan:
    """The plan of a checked config.

    Raises:
        RecipeError: the base is not on this machine and the recipe does not give its shape.
    """
    game: Game = build(config, "game")
    roles = _plan_roles(config, game)
    adapters: dict[str, int] = {}
    memory = {"libraries": LIBRARIES_GIB}
    parameters = 0
    if has_model(config, game):
        given = config.policy.get("shape")
        shape = read_shape(config.policy.base, None if given is None else dict(given))
        parameters = shape.parameters
        size = shape.lora_parameters(config.policy.rank, config.policy.targets)
        adapters = {role.adapter: size for role in roles if role.player == "model" and role.adapter != BARE}
        memory |= _memory(config, shape, sum(adapters.values()), game, world_size)
    measurements, texts = _evaluation(config, game)
    return Plan(
        recipe=config.recipe,
        steps=config.max_steps,
        world_size=world_size,
        micro_batches=micro_batches(config, world_size),
        updates_per_window=config.learner.updates_per_window,
        base=config.policy.base,
        parameters=parameters,
        roles=roles,
        adapters=adapters,
        memory=memory,
        measurements=measurements,
        texts_per_measurement=texts,
        asked=askings(config, game),
    )


BARE = "bare base"


def _plan_roles(config: DictConfig, game: Game) -> tuple[RolePlan, ...]:
    limits = roles_of(config.sampler.max_new_tokens, game.roles, "sampler.max_new_tokens")
    return tuple(
        RolePlan(
            role=role,
            player=player,
            adapter=settings_of(config, role)["model"] if player == ENDPOINT else _adapter_of(config, role),
            period=game.periods.get(role, 1),
            rows=config.seeds.per_window * game.rows_per_seed[role],
            new_tokens=_new_tokens(config, role, player, limits[role]),
        )
        for role, player in players(config, game).items()
    )


def _new_tokens(config: DictConfig, role: str, player: str, limit: int) -> int:
    if player != ENDPOINT:
        return limit
    return new_tokens(settings_of(config, role)["max_new_tokens"], role)


def _adapter_of(config: DictConfig, role: str) -> str:
    if role in config.policy.frozen:
        return BARE
    return "shared" if config.policy.adapters == "shared" else role


def _memory(config: DictConfig, shape: Shape, trainable: int, game: Game, world_size: int) -> dict[str, float]:
    """GiB of one process, by part. Good to a factor of about two: enough to tell a laptop from a GPU."""
    width = BYTES[config.policy.dtype]
    micro = micro_batches(config, world_size)
    limits = roles_of(config.sampler.max_new_tokens, game.roles, "sampler.max_new_tokens")
    rows_by_role, seeds = rows_per_update(config, game, world_size), config.seeds.per_window // world_size
    merged = {"always": True, "never": False}.get(config.sampler.merge, shape.parameters <= MERGED_COPY_PARAMETERS)
    # One backward over all roles: the graphs of every role's rows are alive together.
    tokens = {role: -(-rows // micro) * (ASSUMED_PROMPT_TOKENS + limits[role]) for role, rows in rows_by_role.items()}
    written = sum(-(-rows // micro) * limits[role] for role, rows in rows_by_role.items())
    block = 12 * shape.hidden + 5 * shape.intermediate  # values that a block keeps for its backward, per token
    kept = shape.layers * shape.hidden + block if config.policy.checkpointing else shape.layers * block
    generated = max(
        min(rows * seeds, config.sampler.rows) * (ASSUMED_PROMPT_TOKENS + limits[role])
        for role, rows in game.rows_per_seed.items()
    )
    values = {
        "base weights": shape.parameters * width,
        "merged copy for sampling": shape.parameters * width * merged,
        "adapters, gradients, optimizer": trainable * ADAPTER_BYTES,
        "generation": generated * shape.kv_values_per_token() * width,
        "learning": sum(tokens.values()) * kept * width + written * shape.vocab * 4 * 3,  # logits, softmax, gradient
    }
    return {part: size / GIB for part, size in values.items()}


def _evaluation(config: DictConfig, game: Game) -> tuple[int, int]:
    """How often is measured, and how many texts one measurement samples at most."""
    every = config.evaluation.every
    if not every:
        return 0, 0
    texts = sum(yardstick_of(config, name, game).texts for name in config.evaluation.yardsticks)
    return 1 + -(-config.max_steps // every), texts


def show(config: DictConfig) -> None:
    """Print the plan of a checked config."""
    plan = make_plan(config, world_size=world_size(config))
    console = Console(width=None if Console().is_terminal else 110)
    console.print(
        f"[bold]{plan.recipe}[/bold], {plan.steps} windows on {plan.world_size} process(es); nothing is loaded"
    )
    header = ("role", "played by", "weights", "learns", "turns a window", "tokens a turn", "tokens a window")
    rows = [
        (
            r.role,
            r.player,
            r.adapter,
            r.learns,
            f"{r.rows:,}",
            f"<= {r.new_tokens:,}",
            f"<= {r.tokens:,}",
        )
        for r in plan.roles
    ]
    console.print(_table("Roles", header, rows))
    learning = {r.adapter for r in plan.roles if r.learns != "never"}
    if len(plan.asked) < len(plan.roles):
        _show_model(console, plan, learning)
    steps = f"{plan.updates_per_window} optimizer step(s) of {plan.micro_batches} micro-batch(es)"
    console.print(
        f"Each window: {steps if learning else 'no weight changes'}. "
        f"Measured {plan.measurements} times, up to {plan.texts_per_measurement:,} texts each."
    )
    if plan.asked:
        console.print(_table(f"Asked of endpoints in {plan.steps} windows", ASKED_HEADER, asked_rows(plan.asked)))
        for line in (*addresses(plan.asked), ASKED_NOTE):
            console.print(line, soft_wrap=True, highlight=False)
    console.print("dry_run=true: nothing was trained. Leave the word out to start.")


def _show_model(console: Console, plan: Plan, learning: set[str]) -> None:
    weights = [
        (f"adapter {name}", f"{size:,}", "learns" if name in learning else "never learns")
        for name, size in plan.adapters.items()
    ]
    weights.append((f"base {plan.base}", f"{plan.parameters:,}", "frozen"))
    console.print(_table("Parameters", ("part", "parameters", ""), weights))
    memory = [(part, f"{size:.2f}") for part, size in plan.memory.items()]
    memory.append(("peak of one process, about", f"{plan.memory_total:.2f}"))
    console.print(_table("Memory (GiB, estimated)", ("part", "GiB"), memory))


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 or rows[0][number][:1].isalpha() else "right")
    for row in rows:
        table.add_row(*row)
    return table
