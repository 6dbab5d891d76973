#!/usr/bin/env bash
# All kills of scripts/kill-test, and the end-to-end tests again and again: 20 rounds quiet, then 20 on a busy machine.
#
# Each round runs every script that ends, interrupts or waits for jobs; the first three of 20 also run the rest. Quiet
# rounds run as many at a time as scripts/test does. Rounds 21 to 40 run all at once, and compete with four loops for
# each processor. After 45 minutes no further round begins; the last line then says how to go on:
# `scripts/test --long --seed ROUND faults`.
# Alone: bash Tests/long/faults.sh [SCRIPT…], with SWITCHYARD_TEST_SEED as the first round; names of scripts of
# Tests/system, such as full-disk, replace the choice above.
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
logs=.cache/test-long/faults
# shellcheck source=../../scripts/test-stages.sh
source scripts/test-stages.sh
mkdir -p "$logs"

rounds=20
longest=2700
# What ends, interrupts or waits for jobs.
waiting=(full-disk kill launch requests resume signals sudden-death tools)
first=${SWITCHYARD_TEST_SEED:-1}

# trial NAME SECONDS COMMAND…: one line for a whole script; after a failure also the lines that tell of it.
trial() {
    local name=$1 status=0 log=$logs/${1//[ ,\/]/-}.log began=$SECONDS
    bounded "$2" "${@:3}" >"$log" 2>&1 </dev/null || status=$?
    if ((status == 0)) && ! grep -q '^FAILED' "$log"; then
        printf 'ok     %s: %d tests, %d s\n' "$name" "$(grep -c '^ok' "$log" || true)" $((SECONDS - began))
        rm "$log"
    else
        printf 'FAILED %s: exit code %d, %d s, %s\n' "$name" "$status" $((SECONDS - began)) "$log"
        grep -E -A 16 '^FAILED|FINDING' "$log" | sed 's/^/    /' | head -n 60
    fi
}

# round_of NUMBER KIND JOBS: the round's scripts, JOBS of them at a time.
round_of() {
    local script running=()
    for script in $(scripts_of "$1"); do
        ((${#running[@]} < $3)) || wait -n || true
        in_a_group trial "$script, round $1, $2" 600 bash "Tests/system/$script.sh"
        running+=("$job")
    done
    wait "${running[@]}" || true
}

# Four loops for each processor; sets loops.
load() {
    local count processors
    processors=$(getconf _NPROCESSORS_ONLN)
    for ((count = 0; count < 4 * processors; count++)); do
        in_a_group bash -c 'while :; do :; done'
        loops+=("$job")
    done
}

unload() {
    local process
    for process in "${loops[@]}"; do
        kill -KILL -- "-$process"
        { wait "$process" || true; } 2>/dev/null
    done
    loops=()
}

# scripts_of ROUND: those that the round runs.
scripts_of() {
    local script
    if ((${#chosen[@]} > 0)); then
        printf '%s\n' "${chosen[@]}"
        return
    fi
    for script in $(system_scripts); do
        script=$(basename "$script" .sh)
        if (((($1 - 1) % rounds) < 3)) || [[ " ${waiting[*]} " == *" $script "* ]]; then echo "$script"; fi
    done
}

chosen=("$@") loops=()
if ((first == 1 && ${#chosen[@]} == 0)); then trial "the whole kill test" 1800 scripts/kill-test; fi
for ((round = first; round <= 2 * rounds; round++)); do
    if ((SECONDS > longest)); then
        say "rounds $first to $((round - 1)) of $((2 * rounds)) are done; go on with scripts/test --long --seed $round faults"
        exit 0
    fi
    if ((round > rounds)); then
        load
        round_of "$round" loaded 100
        unload
    else
        round_of "$round" quiet "$test_jobs"
    fi
done
