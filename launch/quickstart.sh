#!/usr/bin/env bash
# SQLM self-play on the small base, from a fresh clone, on two CPU cores: a held-out curve that rises without a label.
#   bash launch/quickstart.sh [--rebuild-base] [KEY=VALUE ...]
# --rebuild-base builds the small base from nothing first, instead of using the one that ships with the package.
# Everything else is a Hydra override, e.g. seed=1 max_steps=20 control=random run_name=mine.
set -euo pipefail

# shellcheck source=launch/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

rebuild=false
words=()
for word in "$@"; do
    case $word in
    --rebuild-base) rebuild=true ;;
    -h | --help)
        sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *) words+=("$word") ;;
    esac
done

ensure_environment

recipe=(recipe=sqlm_small run_name=quickstart)
if $rebuild; then
    base=runs/small-base/$(date +%Y%m%d-%H%M%S)
    "$venv/bin/selfplay" small-base build --folder "$base" || {
        status=$?
        [ "$status" -eq 1 ] || exit "$status"
        say "the base lies outside the bands its recipe expects (see above); training on it all the same"
    }
    recipe+=("policy.base='$base'")
fi

# A slip in a word is told here in one line, with exit status 2; the launcher would answer 1.
"$venv/bin/python" -m selfplay.checks "${recipe[@]}" ${words[@]+"${words[@]}"}

launch_training "${recipe[@]}" ${words[@]+"${words[@]}"}
