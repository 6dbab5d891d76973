#!/usr/bin/env bash
# Signals, wherever they fall: requests to save while every kind of kernel computes, requests to leave from a terminal, before
# `main`, beside a rank that works alone; and pipes that close.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"
long=(--set train.steps=1000000 --set train.validate_every=0 --set schedule.kind=constant)
# The matrix library that users get. A job in the background of a script has SIGINT ignored; in a terminal it has not.
# shellcheck disable=SC2054  # the commas are env's
train=(env -u OPENBLAS_CORETYPE --default-signal=INT,HUP,USR1,USR2 "$switchyard" train tiny.yaml "${long[@]}")

# requests to save
for precision in float32 bfloat16; do
    if ! "$switchyard" train tiny.yaml --check --set precision="$precision" >/dev/null 2>&1; then
        printf 'skipped %s: no kernels for it here\n' "$precision"
        continue
    fi
    stands_requests "100 requests to save, $precision, 1 rank" 100 "$precision-1" \
        "${train[@]}" --set precision="$precision" --set run.directory="$precision-1"
    stands_requests "100 requests to save, $precision, 2 ranks" 100 "$precision-2" \
        env -u OPENBLAS_CORETYPE "${on_two_ranks[@]}" "$switchyard" train tiny.yaml "${long[@]}" \
        --set precision="$precision" --set run.directory="$precision-2"
done

# requests to leave, without mpirun
for signal in INT HUP TERM; do
    starts log "${train[@]}" --set run.directory="$signal"
    expect "a run to be sent SIG$signal trains" wait_until "$limit" has_step "$signal" 3
    kill -"$signal" "$job"
    ends "SIG$signal: saved, exit code 75" 75 'asked to leave after step [0-9]+: the state is saved' log
    expect "… and it verifies" "$switchyard" verify "$signal"
done
starts log nohup "${train[@]/HUP,/}" --set run.directory=nohup
expect "a run under nohup trains" wait_until "$limit" has_step nohup 3
kill -HUP "$job"
expect "SIGHUP under nohup: the run goes on" wait_until "$limit" has_step nohup \
    $(($(wc -l <nohup/metrics.jsonl) + 20))
kill -TERM "$job"
ends "… until SIGTERM" 75 'the state is saved' log

# a second SIGINT, while the first cannot be answered
starts log "${on_two_ranks[@]}" "$switchyard" train tiny.yaml "${long[@]}" --set run.directory=twice
expect "a run to be interrupted twice trains" wait_until "$limit" has_step twice 3
mapfile -t ranks < <(ranks_of "$job")
kill -STOP "${ranks[1]}"
kill -INT "${ranks[0]}"
expect "SIGINT says that another ends the job" wait_until "$limit" grep -q 'another SIGINT' log
kill -INT "${ranks[0]}"
ends "a second SIGINT ends the job at once" 130 'signal 2' log

# a rank that waits for another
od -An -tx8 -N 40000000 /dev/urandom >words.txt
starts log "${on_two_ranks[@]}" "$switchyard" train tiny.yaml --set data.train=words.txt \
    --set "data.tokenizer=bpe 20000" --set run.directory=waiting
expect "rank 0 learns a tokenizer, rank 1 waits" wait_until "$limit" grep -qE 'counting words|learning merges' log
mapfile -t ranks < <(ranks_of "$job")
kill -TERM "${ranks[1]}"
ends "SIGTERM to the rank that waits" 75 'asked to leave (while|during) .*nothing to save' log
expect "… no half-written token file remains" sh -c '! ls waiting/data/* 2>/dev/null'
expect_exit "a run to be evaluated" 0 '' -- "$switchyard" train tiny.yaml --set run.directory=evaluated
mkdir temporary
starts log env TMPDIR="$work/temporary" "${on_two_ranks[@]}" "$switchyard" evaluate evaluated \
    --data words.txt words.txt words.txt words.txt words.txt
expect "rank 0 tokenizes for an evaluation, rank 1 waits" wait_until "$limit" sh -c 'ls temporary/switchyard-evaluate-*/*'
mapfile -t ranks < <(ranks_of "$job")
kill -TERM "${ranks[1]}"
ends "SIGTERM to the rank that waits" 75 'asked to leave (while|during) ' log

# programs that answer no requests
for signal in INT TERM HUP USR2; do
    rm -f words.tokens
    starts log env --default-signal=INT,HUP "$switchyard" tokenize words.txt --tokenizer 'bpe 20000' --output words.tokens
    expect "a tokenization is under way" wait_until "$limit" grep -qE 'counting words|learning merges' log
    kill -"$signal" "$job"
    ends "SIG$signal ends it as any program" $((128 + $(kill -l "$signal"))) '' log
done

# before `main`: the launcher has the ranks ignore requests until they can answer them
sleeps=(0 0.01 0.02 0.05 0.1 0.2)
for pause in "${sleeps[@]}"; do
    # Ignored from the fork on, as `cluster/launch` has them around mpirun: a shell would need time to say so.
    trap '' USR1 USR2
    starts log "$switchyard" train tiny.yaml "${long[@]}" --set run.directory="early-$pause"
    trap - USR1 USR2
    sleep "$pause"
    kill -USR1 "$job" 2>/dev/null || true
    expect "SIGUSR1 $pause s after the start: the run begins" wait_until "$limit" has_step "early-$pause" 3
    kill -USR2 "$job" 2>/dev/null || true
    ends "… and leaves when asked" 75 'the state is saved' log
done

# pipes that close
# shellcheck disable=SC2016
expect_exit "a training whose output nobody reads goes on" 0 'ended' -- \
    bash -c '"$@" 2>&1 | true; status=${PIPESTATUS[0]}; echo ended; exit "$status"' _ "$switchyard" train tiny.yaml --set run.directory=unread
expect "… to its end" has_step unread 3
# shellcheck disable=SC2016
expect_exit "a text that nobody reads ends with 141, quietly" 141 '^ended *$' -- \
    bash -c '{ "$@" 2>&3 | true; status=${PIPESTATUS[0]}; echo ended; exit "$status"; } 3>&2' _ "$switchyard" generate unread --tokens 10000000 --temperature 0

# another MPI's launcher
expect_exit "several lone processes are refused" 69 'PMI_SIZE=4.*each is a job of one rank' -- \
    env PMI_SIZE=4 PMI_RANK=0 "$switchyard" train tiny.yaml --set run.directory=foreign
expect "… before anything is written" [ ! -e foreign ]
expect_exit "… and so are tasks of srun without PMIx" 69 'SLURM_STEP_NUM_TASKS=2' -- \
    env SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=1 "$switchyard" evaluate unread --data corpus.txt
expect_exit "… but not a job of one rank inside of them" 0 'validation after step 3' -- \
    env PMI_SIZE=4 SLURM_STEP_NUM_TASKS=2 "${on_one_rank[@]}" "$switchyard" train tiny.yaml --set run.directory=inside
