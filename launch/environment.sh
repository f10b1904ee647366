# shellcheck shell=bash
# Sourced by the other scripts: a virtual environment with this package in it, and settings for CPU runs.
#   PYTHON=/path/to/python3.12   which interpreter builds the environment
#   SELFPLAY_VENV=/path          where it lies (default: .venv beside pyproject.toml)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${SELFPLAY_VENV:-$root/.venv}

export PATH=$PATH:$venv/bin # DeepSpeed builds its extension with ninja, which the environment has if the system has not
export TORCH_EXTENSIONS_DIR=${TORCH_EXTENSIONS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/selfplay/torch_extensions} # built once
export PYTHONHASHSEED=${PYTHONHASHSEED:-0} # PEFT orders adapters by hash
export TOKENIZERS_PARALLELISM=false
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE} # spinning threads steal each other's cores
if [ -z "${OMP_NUM_THREADS:-}" ]; then
    cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
    export OMP_NUM_THREADS=$((cores < 2 ? cores : 2)) # more threads do not help a small model
fi

say() { printf 'selfplay: %s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local candidate candidates=(python3 python3.13 python3.12 python3.11)
    if [ -n "${PYTHON:-}" ]; then candidates=("$PYTHON"); fi
    for candidate in "${candidates[@]}"; do
        if new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    local found="not found"
    if command -v "${candidates[0]}" >/dev/null; then found=$("${candidates[0]}" --version 2>&1 || true); fi
    say "Python 3.11 or newer is needed; ${candidates[0]}: $found." \
        "Install one, or name it: PYTHON=/path/to/python3.12 bash $0"
    return 2
}

# What is installed answers to pyproject.toml, the extra and the interpreter; a stamp in the environment holds their hash.
wanted_stamp() { { cat "$root/pyproject.toml"; printf '%s %s' "$1" "$root"; } | cksum; }

# ensure_environment [EXTRA]: install once, return at once when nothing has changed since.
ensure_environment() {
    local extra=${1:-} python stamp
    stamp=$venv/.selfplay-installed${extra:+-$extra}
    if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(wanted_stamp "$extra")" ]; then
        return
    fi
    if [ ! -x "$venv/bin/python" ]; then
        python=$(find_python)
        say "creating $venv"
        "$python" -m venv "$venv" || {
            say "could not create $venv; on Debian and Ubuntu: apt install python3-venv"
            return 2
        }
    fi
    say "installing the package and what it needs (some minutes the first time, about 2 GB)"
    # torch first and pinned: left to the resolver, a newer build with gigabytes of CUDA packages may come.
    local torch cpu_wheels=()
    torch=$(sed -n 's/^ *"\(torch==[^"]*\)".*/\1/p' "$root/pyproject.toml")
    if [ "$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null; then
        cpu_wheels=(--extra-index-url https://download.pytorch.org/whl/cpu --retries 1)
    fi
    "$venv/bin/python" -m pip install --quiet ${cpu_wheels[@]+"${cpu_wheels[@]}"} "$torch"
    "$venv/bin/python" -m pip install --quiet --editable "$root${extra:+[$extra]}"
    wanted_stamp "$extra" >"$stamp"
    wanted_stamp "" >"$venv/.selfplay-installed" # with an extra, all that it needs without one is there too
}

# launch_training WORDS...: accelerate launch, whose own answer to Ctrl-C would be a traceback, and leaving before the
# job has saved. So the launcher does not hear it; the job does, ends after the present window, and we wait for it.
launch_training() {
    local status=0 interrupted=
    trap 'interrupted=130' INT
    (
        trap '' INT
        exec "$venv/bin/accelerate" launch --quiet --config_file "$root/launch/accelerate/laptop.yaml" \
            -m selfplay.train "$@"
    ) || status=$?
    trap - INT
    [ "$status" -eq 0 ] || status=${interrupted:-$status} # the launcher makes 1 of the job's 130
    return "$status"
}
