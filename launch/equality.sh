#!/usr/bin/env bash
# Is the learner exact? Every cell of the equality table on two processes against a single-process reference, under DDP,
# ZeRO-1, ZeRO-2 and ZeRO-3: about ten minutes on two CPU cores. Prints the table; exit status 1 when a cell is over its
# bound. What the figures mean, and the table as it was measured: launch/equality.md.
#   bash launch/equality.sh [--strategies "DDP ZeRO-3"] [--only "grpo kl"] [--write launch/equality.md]
set -euo pipefail

# shellcheck source=launch/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

ensure_environment dev
export OMP_NUM_THREADS=1
cd "$root"
exec "$venv/bin/python" -m tests.learner.equality "$@"
