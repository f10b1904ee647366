"""What a window's row in the log holds of the learner, under the names of the house."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def step_record(
    logs: Mapping[str, float],
    metrics: Mapping[str, Sequence[float]],
    rates: Mapping[str, float],
    seconds: Mapping[str, float],
) -> dict[str, float]:
    """One window's figures.

    Args:
        logs: the Trainer's own, of which loss and gradient norm are kept.
        metrics: TRL's, by name; the mean of those of a role is kept, NaN (a role that said nothing) left out.
        rates: each adapter's learning rate in this step.
        seconds: by part of the step.

    >>> step_record({"loss": 0.5}, {"role/solver/kl": [0.1, float("nan"), 0.3], "x": [1.0]}, {"solver": 0.0}, {})
    {'role/solver/kl': 0.2, 'learner/loss': 0.5, 'learner/grad_norm': 0.0, 'learner/lr/solver': 0.0}
    """
    record = {}
    for name, values in metrics.items():
        valid = [value for value in values if not math.isnan(value)]
        if name.startswith("role/") and valid:
            record[name] = sum(valid) / len(valid)
    record["learner/loss"] = logs["loss"]
    record["learner/grad_norm"] = float(logs.get("grad_norm", 0.0))
    record |= {f"learner/lr/{adapter}": rate for adapter, rate in rates.items()}
    return record | {f"perf/{name}_seconds": spent for name, spent in seconds.items()}
