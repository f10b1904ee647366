#!/usr/bin/env bash
# A recipe against its control arms, over seeds and bases: does the method's reward teach, or would anything?
#   bash launch/controls.sh [--recipe sqlm_small] [--seeds "0 1 2"] [--bases "small small-1"]
#                           [--arms "none truth random format"] [--jobs 1] [--folder runs/controls/RECIPE] [KEY=VALUE ...]
# A base is small, small-1 or the folder of a checkpoint. A run that is finished (its summary.json exists) is skipped, so
# the script can be stopped and started again. Prints the table of `selfplay compare` and writes it to FOLDER/table.md.
set -euo pipefail

# shellcheck source=launch/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

recipe=sqlm_small seeds="0 1 2" bases="small small-1" arms="none truth random format" jobs=1 folder=
words=()
while [ $# -gt 0 ]; do
    case $1 in
    --recipe | --seeds | --bases | --arms | --jobs | --folder)
        [ $# -gt 1 ] || { say "$1 needs a value"; exit 2; }
        printf -v "${1#--}" %s "$2"
        shift
        ;;
    -h | --help)
        sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    -*)
        say "$1 is unknown; see --help"
        exit 2
        ;;
    *) words+=("$1") ;;
    esac
    shift
done

folder=${folder:-runs/controls/$(basename "$recipe" .yaml)}
ensure_environment

# One line per run: NAME ARM SEED BASE. Jobs side by side share the cores, so each gets one thread.
[ "$jobs" -le 1 ] || export OMP_NUM_THREADS=1

run_one() { # NAME ARM SEED BASE
    local name=$1 arm=$2 seed=$3 base=$4
    [ ! -f "$folder/$name/summary.json" ] || return 0
    mkdir -p "$folder/logs"
    say "starting $name"
    if ! "$venv/bin/accelerate" launch --quiet --config_file "$root/launch/accelerate/laptop.yaml" \
        -m selfplay.train "recipe=$recipe" "control=$arm" "seed=$seed" "policy.base=$base" \
        "output_dir=$folder" "run_name=$name" tracking.wandb=disabled tracking.transcripts_every=0 \
        ${words[@]+"${words[@]}"} >"$folder/logs/$name.txt" 2>&1; then
        say "$name failed; the end of $folder/logs/$name.txt:"
        tail -n 3 "$folder/logs/$name.txt" >&2
        return 1
    fi
}

mkdir -p "$folder"
names=()
running=0
failed=0
for base in $bases; do
    for arm in $arms; do
        for seed in $seeds; do
            name=$(basename "$base")-$arm-seed$seed
            names+=("$name")
            run_one "$name" "$arm" "$seed" "$base" &
            running=$((running + 1))
            if [ "$running" -ge "$jobs" ]; then
                wait -n || failed=$((failed + 1))
                running=$((running - 1))
            fi
        done
    done
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=$((failed + 1))
    running=$((running - 1))
done

"$venv/bin/selfplay" compare --write "$folder/table.md" "${names[@]/#/$folder/}" || failed=$((failed + 1))
[ "$failed" -eq 0 ]
