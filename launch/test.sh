#!/usr/bin/env bash
# The whole check of this repository: style, types, tests. Installs what it needs into .venv.
#   bash launch/test.sh [PYTEST ARGUMENTS]      e.g. bash launch/test.sh -k gate -x
set -euo pipefail

# shellcheck source=launch/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

ensure_environment dev
cd "$root"
"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check .
"$venv/bin/pyright"
exec "$venv/bin/python" -m pytest "$@"
