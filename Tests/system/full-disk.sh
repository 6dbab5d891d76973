#!/usr/bin/env bash
# A disk that is really full while a job on two ranks trains and saves: training goes on with a warning, what was saved
# stays, nothing half-written remains, and with room again everything is made up for.
set -euo pipefail

# A mount that only this test sees, and that goes with it.
if [[ -z ${SWITCHYARD_OWN_MOUNTS:-} ]]; then
    as_root=()
    ((EUID == 0)) || as_root=(--map-root-user)
    if ! unshare --mount "${as_root[@]}" true 2>/dev/null; then
        # shellcheck source=lib.sh
        source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
        expect "nobody may mount here; a limit on the size of files does instead" \
            "${on_two_ranks[@]}" "$build_directory/release/rank-checks" "disk is full"
        exit 0
    fi
    SWITCHYARD_OWN_MOUNTS=1 exec unshare --mount "${as_root[@]}" bash "${BASH_SOURCE[0]}"
fi
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"
mkdir disk
# Large beside the records of all steps that a fast machine makes meanwhile; it takes memory only for what is in it.
mount -t tmpfs -o size=256m none disk
before_removal() { umount --lazy disk; }

warnings() { grep -cE 'warning: no checkpoint after step [0-9]+, training goes on' log || true; }
more_warnings_than() { (($(warnings) > $1)); }
published() { find disk/run/checkpoints -mindepth 1 -maxdepth 1 -name 'step-*' -printf '%f\n' | sort | tr '\n' ' '; }
newest() { published | tr ' ' '\n' | tail -n 2 | head -n 1; }
newer_than() { [[ $(newest) > $1 ]]; }
only_published() { [[ $(published) == "$1" ]]; }
times_told() { grep -c 'warning: records wait in memory, training goes on' log || true; }
is_told() { (($(times_told) > 0)); }
# A save that fails leaves room for the records of some steps: it may be told once for each, and there are 20 steps between.
is_rarely_told() { (($(times_told) <= $(warnings) + 1)); }
steps_are_whole() {
    grep -oE '"step":[0-9]+' "$1" | cut -d: -f2 | awk '$1 != NR { exit 1 } END { if (NR < 10) exit 1 }'
}

# Saves fail for good: a save that was under way when the disk was filled may still succeed, and then the retention of an
# older checkpoint gives room to the next one.
is_full() {
    cat /dev/zero >>disk/filler 2>/dev/null || true
    before=$(published) count=$(warnings)
    wait_until "$limit" more_warnings_than $((count + 1)) && only_published "$before"
}

# Room for bytes but not for files, which shows only in the middle of a save: once the filler is gone, a directory and one
# of two shards fit in. The mount refuses while a save holds more files than that.
allow_no_more_files() {
    mount -o "remount,nr_inodes=$(($(find disk -path '*/checkpoints/.*' -prune -o -print | wc -l) + 1))" disk
}
new_lines_have() { tail -n "+$((seen + 1))" log | grep -qE "$1"; }

starts log "${on_two_ranks[@]}" "$switchyard" train tiny.yaml --set run.directory=disk/run --set train.steps=100000000 \
    --set checkpoint.every_steps=20 --set schedule.kind=constant --set parallel.expert_parallel=1 --set batch.tokens=256
expect "a run on a small disk saves" wait_until "$limit" newer_than step-00000020
expect "no room: saves fail with warnings, and training goes on" wait_until "$limit" is_full
before=$(published)
expect "… they verify" "$switchyard" verify disk/run
count=$(warnings)
expect "… and go on failing" wait_until "$limit" more_warnings_than $((count + 1))
expect "… the checkpoints are those that there were, nothing else" only_published "$before"
expect "… records that find no room are reported" wait_until "$limit" is_told
expect "… and not again at every step" is_rarely_told

expect "no room for another file" wait_until "$limit" allow_no_more_files
rm disk/filler
seen=$(wc -l <log) count=$(warnings)
expect "no room for a file in the middle of a save: a warning, too" \
    wait_until "$limit" new_lines_have 'no checkpoint after .*No space left on device'
expect "… and again" wait_until "$limit" more_warnings_than $((count + 2))
expect "… the checkpoints are those that there were, nothing else" only_published "$before"

mount -o remount,nr_inodes=0 disk
expect "with room again the next save succeeds" wait_until "$limit" newer_than "$(newest)"
kill -USR2 "$job"
ends "the job is asked to leave" 75 'the state is saved' log
expect "no record of a step was lost" steps_are_whole disk/run/metrics.jsonl
expect "every checkpoint verifies" "$switchyard" verify disk/run
expect "nothing half-written remains" sh -c '! ls -A disk/run/checkpoints | grep -v "^step-[0-9]*$"'
