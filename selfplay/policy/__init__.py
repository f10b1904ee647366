"""One base model and its LoRA adapters: ``Policy``. The door for transformers' models and peft.

bases.py finds and loads a base; adapters.py makes, flips, writes and reads adapters; policy.py joins them.
"""

from selfplay.policy.adapters import PROJECTIONS, LoraShape
from selfplay.policy.policy import Policy

__all__ = ["PROJECTIONS", "LoraShape", "Policy"]
