#!/usr/bin/env bash
#SBATCH --job-name=selfplay
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@180
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%j.txt
# One job on 1 to 8 nodes: a launcher on each node, a process for each GPU, resumed by itself after a requeue.
#   sbatch --nodes 2 launch/slurm.sh [--config zero2] recipe=NAME output_dir=/shared/runs [KEY=VALUE ...]
# To be submitted from the repository's root. --config names a file of launch/accelerate (default: ddp on one node, zero2
# on more). PER_NODE=2 says how many processes a node starts where SLURM does not count GPUs. The repository, .venv and
# output_dir must lie on storage that all nodes share; install on the login node first (bash launch/quickstart.sh).
# Nodes without internet: tracking.wandb=offline, later `wandb sync`; HF_HUB_OFFLINE=1 with a base that was fetched before.
#
# Being stopped. --signal=B:USR1@180 wakes this script alone, three minutes before the time is up (raise it when a window
# takes longer). It sends USR1 to its srun by number, and srun hands it to the launchers, which have their processes
# finish the window, save and end with status 130; then the job is put back into the queue. Without B: the processes
# would be told, but nobody here would know to requeue; scancel --signal would do what kill does, by way of the
# controller. A plain scancel sends SIGTERM to the processes only: they save too, within KillWait, and nothing is
# requeued. When the scheduler preempts, it requeues by itself. --kill-on-bad-exit stays off: the first node to leave
# with 130 would have the others killed while they still write.
set -euo pipefail

# sbatch runs a copy of this file from its spool folder, so the repository is where the job was submitted.
here=${SLURM_SUBMIT_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
if [ ! -f "$here/launch/environment.sh" ]; then
    echo "selfplay: no launch/environment.sh in $here; submit from the repository's root" >&2
    exit 2
fi
# shellcheck source=launch/environment.sh
. "$here/launch/environment.sh"

config=
words=()
while [ $# -gt 0 ]; do
    case $1 in
    --config)
        [ $# -gt 1 ] || { say "--config needs a name, e.g. zero2"; exit 2; }
        config=$2
        shift
        ;;
    -h | --help)
        sed -n '12,18s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    -*)
        say "$1 is unknown; sbatch's own options stand before launch/slurm.sh, see --help"
        exit 2
        ;;
    *) words+=("$1") ;;
    esac
    shift
done

if [ -z "${SLURM_JOB_ID:-}" ]; then
    say "this is a batch script: sbatch launch/slurm.sh ...; without SLURM see launch/README.md"
    exit 2
fi

nodes=${SLURM_JOB_NUM_NODES:-1}
per_node=${PER_NODE:-${SLURM_GPUS_ON_NODE:-1}}
processes=$((nodes * per_node))
if [ -z "$config" ]; then
    if [ "$nodes" -gt 1 ]; then config=zero2; else config=ddp; fi
fi
file=$root/launch/accelerate/$config.yaml
if [ ! -f "$file" ]; then
    say "--config $config: there is no $file"
    exit 2
fi
hosts=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
first=${hosts%%$'\n'*}
port=$((20000 + SLURM_JOB_ID % 10000)) # below the ports that systems hand out by themselves; jobs may share a node

ensure_environment
cd "$root"
words=(resume=auto ${words[@]+"${words[@]}"} "processes=$processes") # no launch on fewer than were counted here
"$venv/bin/python" -m selfplay.checks "${words[@]}"                  # a slip in a word is told once, not by every node

say "job $SLURM_JOB_ID: $processes processes on $nodes node(s), $config, meeting at $first:$port"
# $SLURM_NODEID is known to the task, not here. --wait: a node that has failed takes the others along ten minutes later,
# should their processes not have noticed by themselves.
# shellcheck disable=SC2016
srun --nodes="$nodes" --ntasks="$nodes" --ntasks-per-node=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" \
    --kill-on-bad-exit=0 --wait=600 \
    bash -c 'exec "$1" -m selfplay.launch --machine_rank "$SLURM_NODEID" "${@:2}"' node "$venv/bin/python" \
    --config_file "$file" --num_machines "$nodes" --num_processes "$processes" --same_network \
    --main_process_ip "$first" --main_process_port "$port" --deepspeed_multinode_launcher standard \
    -m selfplay.train "${words[@]}" &
step=$!

out_of_time=
trap 'out_of_time=1; kill -USR1 "$step" 2>/dev/null || true' USR1
trap 'kill -TERM "$step" 2>/dev/null || true' TERM
while kill -0 "$step" 2>/dev/null; do
    wait "$step" || true # a signal ends the waiting, not the step
done
status=0
wait "$step" || status=$?

if [ -n "$out_of_time" ] && [ "$status" -eq 130 ]; then
    say "out of time and saved; back into the queue, to go on with resume=auto"
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
