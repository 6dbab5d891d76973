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
mount -t tmpfs -o size=24m none disk
trap 'umount --lazy disk; end_of_tests' EXIT

warnings() { grep -cE 'warning: no checkpoint after step [0-9]+, training goes on' log || true; }
more_warnings_than() { (($(warnings) > $1)); }
published() { find disk/run/checkpoints -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' '; }
newer_than() { [[ $(published | tr ' ' '\n' | grep '^step-' | tail -n 1) > $1 ]]; }
only_published() { [[ $(published) == "$1" ]]; }
told_once() { (($(grep -c "$1" log) == 1)); }
inodes_used() { df --output=iused disk | tail -n 1; }
steps_are_whole() {
    grep -oE '"step":[0-9]+' "$1" | cut -d: -f2 | awk '$1 != NR { exit 1 } END { if (NR < 10) exit 1 }'
}

starts log "${on_two_ranks[@]}" "$switchyard" train tiny.yaml --set run.directory=disk/run --set train.steps=1000000 \
    --set checkpoint.every_steps=100 --set schedule.kind=constant
expect "a run on a small disk saves" wait_until 40 sh -c 'ls disk/run/checkpoints/step-00000200/manifest'
cat /dev/zero >disk/filler 2>/dev/null || true
expect "no room: a save fails with a warning" wait_until 40 more_warnings_than 0
before=$(published)
expect "… and again, and training goes on" wait_until 40 more_warnings_than 2
expect "… the checkpoints are those that there were, nothing else" only_published "$before"
expect "… they verify" "$switchyard" verify disk/run
expect "… records that find no room are told of once" told_once "warning: records wait in memory, training goes on"

# Room for bytes but not for files, which shows only in the middle of a save: a directory and one of two shards.
mount -o "remount,nr_inodes=$(($(inodes_used) + 1))" disk
rm disk/filler
count=$(warnings)
expect "no room for a file in the middle of a save: a warning, too" wait_until 40 more_warnings_than "$((count + 2))"
expect "… of the operating system's" grep -qE 'no checkpoint after .*No space left on device' log
expect "… the checkpoints are those that there were, nothing else" only_published "$before"

mount -o remount,nr_inodes=0 disk
expect "with room again the next save succeeds" wait_until 40 newer_than "$(echo "$before" | tr ' ' '\n' | tail -n 2 | head -n 1)"
kill -USR2 "$job"
ends "the job is asked to leave" 75 'the state is saved' log
expect "no record of a step was lost" steps_are_whole disk/run/metrics.jsonl
expect "every checkpoint verifies" "$switchyard" verify disk/run
expect "nothing half-written remains" sh -c '! ls -A disk/run/checkpoints | grep -v "^step-[0-9]*$"'
