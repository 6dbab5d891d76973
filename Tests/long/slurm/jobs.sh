#!/usr/bin/env bash
# A study as an array, of which one task is asked to leave and another is killed; a training job that outlives its time limit.
# Run after `start`, with the program built.
set -euo pipefail
# shellcheck source=../../system/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../system/lib.sh"

# Slurm takes a job back into its queue only some two minutes after it ended.
long_limit=$((limit * 10))
write_tiny_run "$work"
sed -i "s|corpus.txt|$work/corpus.txt|" "$work/tiny.yaml"
before_removal() { scancel --user root 2>/dev/null || true; }

# study DIRECTORY: writes DIRECTORY.yaml
study() {
    cat >"$work/$1.yaml" <<END
base: $work/tiny.yaml
directory: $work/$1
grid: {model.layers: [1, 2], model.experts: [1, 4], checkpoint.every_steps: 50}
seeds: [0, 1]
ends: [262144, 524288]
END
}

queue_is_empty() { [[ -z $(squeue --noheader --array) ]]; }
# has_begun TASK: whether this task of the array has begun a row.
has_begun() { grep -qs '^begins' "$work/sweep-$1.log"; }
# restarts JOB: how often Slurm has begun it anew.
restarts() { scontrol show job "$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p' | head -n 1; }
was_restarted() { (($(restarts "$1") > 0)); }

study alone
study array
expect_exit "a study without Slurm" 0 'alone/runs.csv: 16 results' -- "$switchyard" sweep "$work/alone.yaml" --jobs 2
job=$(sbatch --parsable --array=1-3 --cpus-per-task=1 --time=30 --output="$work/sweep-%a.log" cluster/sweep.sbatch "$work/array.yaml")
expect "the first task of the array begins a row" wait_until "$limit" has_begun 1
expect "and so does the second" wait_until "$limit" has_begun 2
scancel --batch --signal=USR2 "${job}_1"
scancel --signal=KILL --full "${job}_2"
expect "a task that is asked to leave goes back into the queue" wait_until "$long_limit" was_restarted "${job}_1"
expect "the tasks come to an end" wait_until "$long_limit" queue_is_empty
expect "their table is that of the study without Slurm" cmp "$work/alone/runs.csv" "$work/array/runs.csv"

# A minute's limit; the run would take much longer.
job=$(sbatch --parsable --nodes=1 --ntasks-per-node=2 --cpus-per-task=1 --time=1 --output="$work/train.log" cluster/switchyard.sbatch \
    "$work/tiny.yaml" --set "run.directory=$work/run" --set train.steps=100000000)
expect "a job at the end of its time saves and goes back into the queue" wait_until "$long_limit" was_restarted "$job"
goes_on() { (($(grep -c '^going on from' "$work/train.log") > 0)); }
expect "and goes on from what it saved" wait_until "$long_limit" goes_on
scancel "$job"
expect "its end leaves nothing behind" wait_until "$long_limit" queue_is_empty
((failures == 0)) || tail -n 30 "$work"/*.log
