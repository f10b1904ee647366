#!/usr/bin/env bash
# The kill drill: N kills at random moments of short real jobs, each resumed; the end must be the undisturbed run's.
#   bash launch/drill.sh N [--seed S] [--configs laptop,two_cpu,zero2:2] [--launchers ours,accelerate] [--windows 16]
#                          [--kills-per-job 4] [--folder runs/drill] [KEY=VALUE ...]
# A line for each kill, and at the end "N of N clean resumes"; exit status 1 below N. About 15 s a kill on two cores.
set -euo pipefail

# shellcheck source=launch/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

case ${1:-} in
-h | --help | "")
    sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

ensure_environment
cd "$root"
export OMP_NUM_THREADS=1 # two processes share two cores
exec "$venv/bin/python" -m tests.drill "$@"
