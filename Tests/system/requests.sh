#!/usr/bin/env bash
# Requests to leave reach a job wherever it sits: in a validation, while it tokenizes, evaluates or writes a text, and where a
# rank hangs.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
for ((copy = 0; copy < 40; copy++)); do cat corpus.txt; done >long.txt
train=("${on_two_ranks[@]}" "$switchyard" train tiny.yaml)
validating=(--set data.validation=long.txt --set train.steps=6 --set train.validate_every=3)

# a long validation
expect_exit "an undisturbed run with long validations" 0 'validation after step 6' -- \
    "${train[@]}" "${validating[@]}" --set run.directory=undisturbed
starts log "${train[@]}" "${validating[@]}" --set run.directory=asked
expect "a run begins with a validation" wait_until "$limit" grep -q 'GEMM peak' log
kill -USR2 "$job"
ends "SIGUSR2 before the first step: nothing to save" 75 'asked to leave .*nothing to save' log
expect "… and nothing is saved" sh -c '! ls asked/checkpoints/step-*'
starts log "${train[@]}" "${validating[@]}" --set run.directory=asked
expect "a run comes to its second validation" wait_until "$limit" has_step asked 2
mapfile -t ranks < <(ranks_of "$job")
note_processor_time "${ranks[@]}"
expect "… and is well into it" wait_until "$limit" have_computed 100 "${ranks[@]}"
# They stand still until the request is there: on a busy machine mpirun may pass it on late.
kill -STOP "${ranks[@]}"
kill -USR2 "${ranks[0]}"
kill -CONT "${ranks[@]}"
ends "SIGUSR2 during a validation: saved, exit code 75" 75 'asked to leave after step 3: the state is saved' log
expect "… before it was over" sh -c '! grep -q "validation after step 3" log && ! grep -q "\"step\":3," asked/metrics.jsonl'
expect_exit "the same command makes up for it" 0 'going on from .*validation after step 3.*validation after step 6' -- \
    "${train[@]}" "${validating[@]}" --set run.directory=asked
same_figures "… and every figure is that of the undisturbed run" undisturbed asked

# one rank alone is asked
long=(--set train.steps=100000000 --set schedule.kind=constant)
starts log "${train[@]}" "${long[@]}" --set run.directory=one-asked
expect "a long run trains" wait_until "$limit" has_step one-asked 3
mapfile -t ranks < <(ranks_of "$job")
kill -TERM "${ranks[1]}"
ends "SIGTERM to one rank: all save together" 75 'the state is saved' log
expect "… one checkpoint that verifies" "$switchyard" verify one-asked

# a rank hangs
starts hung.log "${train[@]}" "${long[@]}" --set run.directory=hung
hung=$job
expect "another long run trains" wait_until "$limit" has_step hung 3
mapfile -t hung_ranks < <(ranks_of "$hung")
kill -STOP "${hung_ranks[1]}"
kill -TERM "${hung_ranks[0]}"

# tokenizing, evaluating, generating, while that one waits
od -An -tx8 -N 40000000 /dev/urandom >words.txt
starts log "${train[@]}" --set data.train=words.txt --set "data.tokenizer=bpe 20000" --set run.directory=tokenizing
expect "a run learns a tokenizer" wait_until "$limit" grep -qE 'counting words|learning merges' log
kill -USR2 "$job"
ends "SIGUSR2 while rank 0 tokenizes" 75 'asked to leave while .*nothing to save' log
expect "… no half-written token file remains" sh -c '! ls tokenizing/data/* 2>/dev/null'
for ((copy = 0; copy < 20; copy++)); do cat long.txt; done >longer.txt
starts log "${on_two_ranks[@]}" "$switchyard" evaluate asked --data longer.txt
expect "an evaluation begins" wait_until "$limit" grep -q 'tokenized' log
mapfile -t ranks < <(ranks_of "$job")
note_processor_time "${ranks[@]}"
expect "… and is under way" wait_until "$limit" have_computed 100 "${ranks[@]}"
kill -USR2 "$job"
ends "SIGUSR2 during an evaluation" 75 'asked to leave during the evaluation: there is nothing to save' log
expect "… nothing of it remains" [ -z "$(find "$TMPDIR" -name 'switchyard-evaluate-*')" ]
# The most likely token each time: a text that repeats itself and has no end.
starts log "${on_two_ranks[@]}" "$switchyard" generate asked --tokens 10000000 --temperature 0
expect "a text begins" wait_until "$limit" test -s log
kill -USR2 "$job"
ends "SIGUSR2 while a text is written" 75 'asked to leave while generating: there is nothing to save' log

# After 15 s and three times the longest step, which on a busy machine may have taken long.
job=$hung
ends "SIGTERM to a rank beside one that hangs: it gives up" 76 'rank 0 was asked to leave [0-9]+ s ago.*gives up' hung.log \
    $((5 * limit))
expect "… with the whole job" wait_until "$limit" are_gone "${hung_ranks[@]}"
