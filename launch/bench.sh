#!/usr/bin/env bash
# The benchmark: the learner against plain TRL, one role against three, one process against two, adapters against copies.
#   bash launch/bench.sh [--quick] [--rounds 15] [--sections trl,roles,processes,copies] [--folder runs/bench]
# Prints ratios, measured in pairs, and writes FOLDER/bench.json; an earlier one is moved aside. Exit status 1 where a
# bound is broken. About eight minutes on two quiet cores; --quick tries everything once and holds nothing to a bound.
# What is measured and what was found: launch/bench.md.
set -euo pipefail

# shellcheck source=launch/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

case ${1:-} in
-h | --help)
    sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

ensure_environment
# The drivers are not part of the installed package; a --folder is the caller's, so the working directory stays.
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$venv/bin/python" "$root/tests/benchmarks/bench.py" "$@"
