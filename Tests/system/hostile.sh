#!/usr/bin/env bash
# The run directory is input: what others move, plant or leave there neither mixes jobs nor reaches files outside.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"
train=("${on_two_ranks[@]}" "$switchyard" train tiny.yaml)
endless=(--set train.steps=1000000 --set checkpoint.every_steps=2 --set checkpoint.keep=2)
precious() { printf 'precious' | cmp -s - precious.txt; }
has_steps() { grep -q '"step":4,' "$1/metrics.jsonl"; }
printf 'precious' >precious.txt

# the run directory is moved, and its path used again
starts first.log "${train[@]}" "${endless[@]}" --set run.directory=moved
first=$job
expect "a job trains" wait_until 30 has_steps moved
mv moved aside
expect_exit "another job takes the path at once" 0 'validation after step 3' -- "${train[@]}" --set run.directory=moved
job=$first
ends "the first one leaves" 77 'run directory moved was moved, removed or replaced' first.log 30
expect "… and has published nothing in the other's" [ "$(ls -A moved/checkpoints)" = step-00000003 ]
expect "… whose checkpoint verifies" "$switchyard" verify moved
expect "… and what it saved before is whole" "$switchyard" verify aside

# the run directory is removed
starts removed.log "${train[@]}" "${endless[@]}" --set run.directory=removed
expect "a job trains" wait_until 30 has_steps removed
mv removed removed.old
ends "a job whose directory is gone leaves" 77 'removed was moved, removed or replaced' removed.log 30
expect "… and does not make it again" [ ! -e removed ]

# the run directory is replaced by a link to its copy
starts linked.log "${train[@]}" "${endless[@]}" --set run.directory=linked
expect "a job trains" wait_until 30 has_steps linked
mv linked linked.old
cp -a linked.old linked.copy
ln -s linked.copy linked
ends "a job whose directory is now a link to a copy leaves" 77 'linked was moved, removed or replaced' linked.log 30

# only the folder of checkpoints is moved
starts folder.log "${train[@]}" "${endless[@]}" --set run.directory=folder
expect "a job saves" wait_until 30 has_saves folder.log 1
mv folder/checkpoints folder.aside
saved=$(grep -c '^checkpoint ' folder.log)
expect "it saves again" wait_until 30 has_saves folder.log $((saved + 2))
kill -USR2 "$job"
ends "… and has said that the folder is a new one" 75 'folder/checkpoints was moved or removed.*the state is saved' \
    folder.log 30
expect "… what it saves there verifies" "$switchyard" verify folder
expect "… and what it saved before is whole" "$switchyard" verify folder.aside
steps=$(wc -l <folder/metrics.jsonl)
expect_exit "… and it goes on from its last step" 0 "after $(printf "%'d" "$steps") steps" -- \
    "$switchyard" train tiny.yaml "${endless[@]}" --set run.directory=folder --check

# all checkpoints are gone
cp -a moved gone
mv gone/checkpoints/step-* gone.aside
for state in emptied missing; do
    expect_exit "a run whose folder of checkpoints is $state does not begin anew" 65 \
        'has records up to step 3, but its checkpoints are gone.*move the checkpoints back' -- \
        "${train[@]}" --set run.directory=gone
    expect "… and keeps its records" cmp gone/metrics.jsonl moved/metrics.jsonl
    [[ $state == missing ]] || rmdir gone/checkpoints
done
mkdir gone/checkpoints
mv gone.aside gone/checkpoints/step-00000003
expect_exit "… and goes on when they are back" 0 'nothing to do' -- "${train[@]}" --set run.directory=gone
status=0
SWITCHYARD_FAULT=staging "$switchyard" train tiny.yaml --set run.directory=early >early.log 2>&1 || status=$?
expect "a job that is killed in its first save" [ "$status" -eq 137 ]
expect_exit "… begins anew" 0 'validation after step 3' -- "${train[@]}" --set run.directory=early

# verify beside a job that saves and removes at every step
starts saving.log "${train[@]}" "${endless[@]}" --set checkpoint.every_steps=1 --set run.directory=saving
expect "a job saves at every step" wait_until 30 has_steps saving
damaged=0
for ((round = 0; round < 40; round++)); do
    "$switchyard" verify saving >verify.log 2>&1 && continue
    damaged=$((damaged + 1))
    cp verify.log "verify-$damaged.log"
done
tail -n 5 verify-*.log 2>/dev/null || true
expect "40 verifications beside it find nothing damaged" [ "$damaged" -eq 0 ]
damaged=0
for ((round = 0; round < 10; round++)); do
    "$switchyard" inspect saving >inspect.log 2>&1 || damaged=$((damaged + 1))
done
expect "10 inspections beside it find a whole checkpoint" [ "$damaged" -eq 0 ]
kill -USR2 "$job"
ends "it leaves when asked to" 75 'the state is saved' saving.log 30

# links and pipes under names that can be foreseen
for name in .write-test metrics.jsonl.partial; do
    mkdir -p planted
    ln -sf "$work/precious.txt" "planted/$name"
done
expect_exit "links under names of temporary files" 0 'validation after step 3' -- "${train[@]}" --set run.directory=planted
expect "… are not followed" precious
for name in metrics.jsonl lock run.json config.yaml; do
    mkdir "link-$name" "pipe-$name"
    ln -s "$work/precious.txt" "link-$name/$name"
    mkfifo "pipe-$name/$name"
    for kind in link pipe; do
        expect_exit "a $kind as $name" 73 "$name.*not a regular file|$name: Too many levels" -- \
            "${train[@]}" --set "run.directory=$kind-$name"
    done
done
expect "… is not written to" precious
ln -s "$work/precious.txt" out.tokens.partial
expect_exit "a link in the place of a partial file" 73 'cannot create out.tokens.partial' -- \
    "$switchyard" tokenize corpus.txt --tokenizer byte --output out.tokens
expect "… is not followed" precious
mkfifo pipe
for command in "train pipe --check" "inspect pipe" "evaluate saving --data pipe" "replay planted --data pipe"; do
    # shellcheck disable=SC2086
    [[ $command == replay* ]] || expect_exit "a pipe as an input: $command" 66 'pipe.*not a regular file' -- "$switchyard" $command
done

# a note of another's that names what is to be removed
session=$work/tmp/ompi.host.$UID/jf.4711
mkdir -p "$session" noted
printf '{"places":["%s/../../../precious.txt","%s"],"launcher":4194305}' "$session" "$session" >"noted/remains-$(hostname)"
expect_exit "a run with a planted note" 0 'validation after step 3' -- "${train[@]}" --set run.directory=noted
expect "… removes nothing" [ -d "$session" ]
expect "… nor anything outside" precious

# a checkpoint that is renamed to a higher number
"$switchyard" train tiny.yaml --set run.directory=renamed --set checkpoint.every_steps=1 --set checkpoint.keep=3 >renamed.log 2>&1
cp -a renamed/checkpoints/step-00000001 renamed/checkpoints/step-00000009
expect_exit "a renamed checkpoint is not the newest" 0 'step-00000009.*holds step 1.*nothing to do: the run has done 3' -- \
    "${train[@]}" --set run.directory=renamed
expect_exit "verify says what it is" 65 'called step-00000009 but holds step 1' -- "$switchyard" verify renamed
rm -r renamed/checkpoints/step-00000009

# a line before the records
sed -i '1i # my best run' renamed/metrics.jsonl
expect_exit "a line before the records" 0 'warning: .*metrics.jsonl is not what the checkpoint remembers' -- \
    "${train[@]}" --set run.directory=renamed --set train.steps=5
expect "… cuts none of them" [ "$(grep -c '^{.*}$' renamed/metrics.jsonl)" -eq 5 ]
expect "… and stays" grep -qx '# my best run' renamed/metrics.jsonl

# names that a terminal would obey, files of file managers
touch renamed/checkpoints/step-00000003/.DS_Store
expect_exit "a file manager's file is no damage" 0 'step-00000003: verified' -- \
    "$switchyard" verify renamed/checkpoints/step-00000003
touch "renamed/checkpoints/step-00000003/"$'\e[2Jnotes.txt'
expect_exit "a surplus file is named as one" 65 'step-00000003: SURPLUS FILES .*u\{1B\}\[2Jnotes.txt does not belong' -- \
    "$switchyard" verify renamed/checkpoints/step-00000003
expect_exit "… and the checkpoint beside it is read" 0 \
    'step-00000003 holds what does not belong to the checkpoint and is not read: .*notes.txt' -- \
    "$switchyard" inspect renamed/checkpoints/step-00000003
expect "… and obeyed by no terminal" sh -c "! grep -q \"\$(printf '\\033')\" '$work/output'"
mkdir empty && touch empty/lock
for words in $'tr\e[2Jain' $'train tiny.yaml --\e[2J'; do
    # shellcheck disable=SC2086  # words
    expect_exit "a command line that a terminal would obey" 64 'u\{1B\}\[2J' -- "$switchyard" $words
    expect "… is obeyed by none" sh -c "! grep -q \"\$(printf '\\033')\" '$work/output'"
done
expect_exit "a run without checkpoints is not damaged" 66 'empty holds no checkpoint yet' -- "$switchyard" verify empty
