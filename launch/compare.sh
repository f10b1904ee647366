#!/usr/bin/env bash
# Methods side by side: recipes x control arms x seeds, one run each, then one arena for all of them and a report.
#   bash launch/compare.sh SWEEP [--folder runs/compare/SWEEP] [--dry-run] [KEY=VALUE ...]
# SWEEP is small (recipes/sweep/small.yaml) or the path of your own file; KEY=VALUE is an override for every job. What is
# finished is skipped and what was cut goes on, so the script can be stopped, or killed, and started again.
set -euo pipefail

[ -n "${OMP_NUM_THREADS:-}" ] || export SELFPLAY_THREADS=shared # not the user's: jobs side by side may take fewer
# shellcheck source=launch/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

case ${1:-} in
"" | -h | --help)
    sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

ensure_environment
exec "$venv/bin/python" -m selfplay.compare "$@"
