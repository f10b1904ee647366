"""Libraries' chatter that would bury our own lines: progress bars of loading, notices about renamed options."""

from __future__ import annotations

import os
import warnings


def quieten() -> None:
    """Call before transformers, trl or deepspeed are imported. Warnings that a user can act on are left alone."""
    import torch

    if not torch.cuda.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")  # otherwise DeepSpeed warns on import that it found no GPU
    for module in ("transformers", "trl", "peft", "accelerate", "deepspeed"):
        warnings.filterwarnings("ignore", category=FutureWarning, module=rf"{module}\b")

    from transformers.utils import logging

    logging.disable_progress_bar()
