"""What all ranks must know of each other: objects and episodes, gathered. On one process these are identities."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from accelerate import PartialState

from selfplay.types import Episode

T = TypeVar("T")


def gather_objects(mine: T) -> list[T]:
    """One object of each rank, in rank order. Collective."""
    if not (dist.is_available() and dist.is_initialized()):
        return [mine]
    gathered: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, mine)
    return gathered


def on_any_rank(mine: bool) -> bool:
    """Whether a thing is true on any rank. Collective; called for every token of ZeRO-3's generation, so a tensor."""
    if not (dist.is_available() and dist.is_initialized()):
        return mine
    found = torch.tensor(int(mine), device=PartialState().device)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return bool(found)


def whole_parameters(parameters: Iterable[torch.Tensor]) -> AbstractContextManager[Any]:
    """A context in which parameters that ZeRO-3 spreads over the ranks are whole.

    Collective. What the first rank writes into them there, all ranks keep; the optimizer's own copies do not follow, so
    write before training begins.
    """
    import deepspeed  # seconds to import, and only ZeRO-3 comes here

    return deepspeed.zero.GatheredParameters(list(parameters), modifier_rank=0)


def start_processes() -> None:
    """Join the process group that the launcher prepared. A DeepSpeed config on a machine without a GPU needs this
    before any Accelerator exists, or every rank believes to be alone."""
    PartialState(cpu=not torch.cuda.is_available())


def end_processes() -> None:
    """Leave the process group: its threads, still running when Python ends, now and then abort a finished job."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def first_decides(decide: Callable[[], T]) -> T:
    """The first rank's decision, on every rank; what it raises, all raise. Collective."""
    outcome: list[Any] = [None]
    if int(os.environ.get("RANK", "0")) == 0:
        try:
            outcome[0] = decide()
        except Exception as error:  # handed on: the other ranks would wait for ever
            outcome[0] = _Refusal(error)
    if dist.is_available() and dist.is_initialized():
        dist.broadcast_object_list(outcome)
    if isinstance(outcome[0], _Refusal):
        raise outcome[0].error
    return cast(T, outcome[0])


@dataclass
class _Refusal:
    error: Exception


def gather_episodes(mine: list[Episode]) -> list[Episode]:
    """All ranks' episodes, in rank order; this rank's own are not read back from what it sent. Collective."""
    if not (dist.is_available() and dist.is_initialized()):
        return mine
    sent = gather_objects(pickle.dumps(mine, pickle.HIGHEST_PROTOCOL))
    everyone = [mine if rank == dist.get_rank() else pickle.loads(theirs) for rank, theirs in enumerate(sent)]
    return [episode for episodes in everyone for episode in episodes]
