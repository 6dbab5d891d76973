#!/usr/bin/env bash
# cluster/launch and the batch script: how many ranks they start, what reaches the ranks, and what goes back into the queue.
# Slurm is a stand-in: an `scontrol` that knows one job, and, where no ranks are wanted, an `mpirun` that writes down its
# command.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
launch=$PWD/cluster/launch
mkdir "$work/stand-ins" "$work/project"
ln -s "$PWD/cluster" "$work/project/cluster"
ln -s "$PWD/.build" "$work/project/.build"
cd "$work"
first=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status)

# stand_in NAME < BODY
stand_in() {
    { echo '#!/bin/bash' && cat; } >"stand-ins/$1"
    chmod +x "stand-ins/$1"
}
# The real mpirun without binding, for machines with too few cores.
stand_in mpirun <<END
while [[ \$1 != sh ]]; do shift; done
exec $(command -v mpirun) --bind-to none -np \${RANKS:-1} "\$@"
END
cp stand-ins/mpirun real-mpirun
stand_in mpirun <<'END'
echo "$*" >>mpirun.log
exit "${MPIRUN_STATUS:-0}"
END
stand_in scontrol <<'END'
case $1 in
    show) echo "JobId=7 EndTime=${END:-Unknown} X=1" ;;
    requeue) echo "$2" >>requeued ;;
esac
END
PATH=$work/stand-ins:$PATH

# starts_ranks NAME RANKS THREADS COMMAND…: what mpirun is given.
starts_ranks() {
    rm -f mpirun.log
    local status=0
    "${@:4}" >launch.log 2>&1 || status=$?
    if ((status == 0)) && grep -q -- "^-np $2 --map-by slot:PE=$3 " mpirun.log 2>/dev/null; then
        passes "$1"
    else
        fails "$1" "exit code $status; mpirun: $(cat mpirun.log 2>/dev/null)" launch.log
    fi
}

# cores
processors() {
    stand_in lscpu <<END
echo '# CPU,Core,Socket'
printf '%s\n' $*
END
}
processors "$first,0,0" "$first,0,0" 99999,1,0
expect "two hyper-threads of one core are one core, another's cores do not count" [ "$("$launch" --cores)" = 1 ]
starts_ranks "… and one rank starts" 1 1 "$launch" true
processors "$first,0,0" "$first,1,0" "$first,0,1" "$first,1,1"
for threads in 1 8; do
    starts_ranks "OMP_NUM_THREADS=$threads counts no cores" 4 1 env OMP_NUM_THREADS=$threads "$launch" true
done
expect "launch says what it chose" grep -q '4 rank(s) of 1 core(s) each (ranks from 4 cores of this machine' launch.log
starts_ranks "two ranks of two cores" 2 2 "$launch" -t 2 true
starts_ranks "-n counts" 3 2 "$launch" -n 3 -t 2 true
expect_exit "a rank of more cores than there are is refused" 64 'a rank of 8 cores .*which has 4' -- "$launch" -t 8 true
rm stand-ins/lscpu
expect_exit "a program that is not there is refused" 66 'there is no program ./nothing' -- "$launch" ./nothing

# Slurm's variables
slurm=(env SLURM_JOB_ID=7 SLURM_SUBMIT_DIR="$work/project" SLURM_CPUS_PER_TASK=2)
batch=(bash "${launch%/*}/switchyard.sbatch" "$work/tiny.yaml" --set run.directory="$work/batch"
    --set "data.train=$work/corpus.txt")
ln -s ../mpirun.log project/mpirun.log
starts_ranks "Slurm's tasks" 6 2 "${slurm[@]}" SLURM_NTASKS=6 "${batch[@]}"
starts_ranks "… a node" 8 2 "${slurm[@]}" SLURM_NTASKS_PER_NODE=4 SLURM_JOB_NUM_NODES=2 "${batch[@]}"
starts_ranks "… node by node" 11 2 "${slurm[@]}" 'SLURM_TASKS_PER_NODE=4(x2),3' "${batch[@]}"

# what goes back into the queue
queue=("${slurm[@]}" SLURM_NTASKS=1 SLURM_CPUS_PER_TASK=1)
in_queue() { wc -l 2>/dev/null <project/requeued || echo 0; }
expect_exit "saved, but no further than before: not requeued" 75 'not put back .*no newer checkpoint than at the start .none.' -- \
    "${queue[@]}" MPIRUN_STATUS=75 "${batch[@]}"
expect_exit "a wrong configuration: not requeued" 78 '' -- "${queue[@]}" MPIRUN_STATUS=78 "${batch[@]}"
expect "the queue is empty" [ "$(in_queue)" = 0 ]
mkdir batch
for attempt in 1 2 3; do
    expect_exit "a killed rank, for the ${attempt}. time: requeued" 137 "back into the queue .$attempt of 3" -- \
        "${queue[@]}" MPIRUN_STATUS=137 "${batch[@]}"
done
expect_exit "… and then no more" 137 'not put back .*137' -- "${queue[@]}" MPIRUN_STATUS=137 "${batch[@]}"
expect "three times in all" [ "$(in_queue)" = 3 ]
stand_in mpirun <<'END'
mkdir -p "$BATCH"/checkpoints/step-00000050
exit 137
END
expect_exit "a killed rank after progress: counted anew" 137 'step 50; back into the queue .1 of 3' -- \
    "${queue[@]}" BATCH="$work/batch" "${batch[@]}"
rm -rf batch/checkpoints
expect_exit "… but not without end" 137 'not put back .*after 4 requeues for killed ranks in all' -- \
    "${queue[@]}" SWITCHYARD_REQUEUES=4 BATCH="$work/batch" "${batch[@]}"
# shellcheck disable=SC2016  # shell code that must not run
printf '%s\n' '7 x[$(touch${IFS}planted)] 1' >batch/requeued-failures
expect_exit "a note that is none counts as none" 137 'back into the queue .1 of 3' -- \
    "${queue[@]}" BATCH="$work/batch" "${batch[@]}"
expect "… and runs nothing" [ ! -e project/planted -a ! -e planted ]
for wrong in 3x 1e2 none -1 010 9999999; do
    expect_exit "SWITCHYARD_REQUEUES=$wrong is refused before the job starts" 64 "SWITCHYARD_REQUEUES is '$wrong': it must be" -- \
        "${queue[@]}" SWITCHYARD_REQUEUES="$wrong" "${batch[@]}"
done
rm -rf batch project/requeued

# how long before the end of its time a job is asked to save
lead_of() (
    run=figures
    # shellcheck source=../../cluster/slurm.sh
    source "${launch%/*}/slurm.sh"
    lead "$1"
)
mkdir figures
expect "nothing recorded: 300 s" [ "$(lead_of 3600)" = 300 ]
expect "… and never more than a quarter of the limit" [ "$(lead_of 60)" = 15 ]
printf '{"compute_seconds":99,"seconds":%s,"step":1}\n' 2.5 1.5 >figures/metrics.jsonl
expect "steps, but no save yet: 300 s" [ "$(lead_of 3600)" = 300 ]
printf '{"checkpoint_stall_seconds":%s,"seconds":2,"step":3}\n' 40 4e0 >>figures/metrics.jsonl
expect "three times the longest save and the longest step, and 30 s" [ "$(lead_of 3600)" = 157 ]

# the time limit: a start takes all of it
limit=$((2 * limit))
cp real-mpirun stand-ins/mpirun
long=(--set train.steps=1000000 --set train.validate_every=0 --set schedule.kind=constant)
# The time of a job in which a start leaves time for steps, also on a busy machine.
began=$SECONDS
expect_exit "a start" 0 'checkpoint' -- env RANKS=1 "$launch" -n 1 "$switchyard" train tiny.yaml --set train.steps=1 \
    --set run.directory=start
seconds=$((24 + 6 * (SECONDS - began)))
for start in first second; do
    expect_exit "$start start: asked to save before the time is over, and requeued" 75 \
        'is asked to save [1-9][0-9]* s before.*asking the ranks to save.*the state is saved.*saved at step [0-9]+; back into the queue' -- \
        "${queue[@]}" END="$(date -d "+$seconds seconds" +%FT%T)" "${batch[@]}" "${long[@]}"
done
expect "both starts went further" [ "$(in_queue)" = 2 ]
expect "… many steps each" [ "$(grep -c . batch/metrics.jsonl)" -gt 20 ]

# requests while ranks start
for pause in 0 0.1 0.2 0.4 0.8; do
    starts log env RANKS=2 "$launch" -n 2 "$switchyard" train tiny.yaml "${long[@]}" --set run.directory="early-$pause"
    expect "launch has begun" wait_until "$limit" grep -q 'rank(s)' log
    sleep "$pause"
    kill -TERM "$job"
    ends "SIGTERM to launch $pause s after its start: exit code 75" 75 'asked to leave' log "$limit"
done
starts log env RANKS=2 "$launch" -n 2 "$switchyard" train tiny.yaml "${long[@]}" --set run.directory=twice
expect "a launched run trains" wait_until "$limit" has_step twice 3
mapfile -t ranks < <({ cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk '$2 == "(switchyard)" { print $1 }' | while read -r process; do
    ! { tr '\0' ' ' <"/proc/$process/cmdline"; } 2>/dev/null | grep -q 'run.directory=twice' || echo "$process"
done)
kill -STOP "${ranks[1]}"
kill -USR2 "$job"
kill -USR2 "$job"
sleep 1
expect "SIGUSR2 twice ends nothing" kill -0 "$job"
kill -TERM "$job"
sleep 0.5
kill -TERM "$job"
wait "$job" 2>/dev/null || true
expect "SIGTERM twice ends the job at once" wait_until "$limit" are_gone "${ranks[@]}"
