#!/usr/bin/env bash
# A rank or mpirun is killed: the job is over within seconds, leaves nobody behind, and can be started again at once.
# Nobody trains in a run directory that another job is using.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"
train=("${on_two_ranks[@]}" "$switchyard" train tiny.yaml)

# start_long_run DIRECTORY [OPTION…]: sets job and ranks once it has made its first steps.
start_long_run() {
    starts "$1.log" "${train[@]}" --set train.steps=100000000 --set "run.directory=$1" "${@:2}"
    if ! wait_until "$limit" has_step "$1" 2; then
        fails "a long run starts" "no step within $limit s" "$1.log"
        exit 1
    fi
    mapfile -t ranks < <(ranks_of "$job")
    expect "a job on two ranks trains in $1" [ "${#ranks[@]}" -eq 2 ]
}

# In order, if mpirun still lives: killed, it would leave its shared memory behind.
stop_long_run() {
    end_group "$job"
    kill -KILL "${ranks[@]}" 2>/dev/null || true
    { wait "$job" || true; } 2>/dev/null
}

# a rank dies, with one micro-batch in flight and with two
for micro_batches in 1 2; do
    start_long_run "rank-killed-$micro_batches" --set "parallel.micro_batches_in_flight=$micro_batches"
    kill -KILL "${ranks[1]}"
    expect "all ranks end within 5 s of one being killed, $micro_batches in flight" wait_until 5 are_gone "$job" "${ranks[@]}"
    status=0
    { wait "$job" || status=$?; } 2>/dev/null
    expect "mpirun says 137, a killed rank" [ "$status" -eq 137 ]
    stop_long_run
done

# mpirun dies
start_long_run mpirun-killed
kill -KILL "$job"
expect_exit "the same command, started at once, trains" 0 'validation after step 3' -- \
    "${train[@]}" --set run.directory=mpirun-killed
expect "the ranks of the killed mpirun are gone" wait_until "$limit" are_gone "${ranks[@]}"
stop_long_run

# mpirun is the first process, as in a container: its ranks have not lost their launcher
first=(unshare --pid --fork --mount-proc --kill-child)
((EUID == 0)) || first+=(--map-root-user)
if "${first[@]}" true 2>/dev/null; then
    expect_exit "ranks of an mpirun that is process 1 train" 0 'validation after step 3' -- \
        "${first[@]}" "${train[@]}" --set run.directory=first-process
else
    passes "nobody may have processes of their own here, so mpirun is not process 1"
fi

# two jobs, one directory
start_long_run in-use
expect_exit "a run directory in use is refused" 77 'in use by process [0-9]+ on .*in-use/lock' -- \
    "${train[@]}" --set run.directory=in-use
expect "the job that owns it trains on" kill -0 "${ranks[@]}"
stop_long_run
