"""What torch knows of this job's processes: how many met, and how many GPUs one of them sees."""

from __future__ import annotations

import torch
import torch.distributed as dist


def group_size() -> int:
    """Processes in the group; 1 where there is none."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def visible_gpus() -> int:
    return torch.cuda.device_count()
