#!/usr/bin/env bash
# Tokenizations that are killed at any moment go on where they were, and give the bytes of one that was not.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$work"

# Random words: a long text, and many short ones. One processor takes some seconds for them.
od -An -v -tx8 -N 14000000 /dev/urandom >long.txt
od -An -v -tx4 -N 9000000 /dev/urandom | sed -E 's/^ *(.*)$/{"text": "\1"}/' >short.jsonl
head -c 200000 long.txt >sample.txt
"$switchyard" tokenize sample.txt --tokenizer 'bpe 1000' --output sample.tokens --tokenizer-output merges.txt >/dev/null 2>&1
texts=(long.txt short.jsonl)
on_one=(taskset -c "$(sed -nE 's/^Cpus_allowed_list:\s*([0-9]+).*/\1/p' /proc/self/status)")
tokenize=("$switchyard" tokenize "${texts[@]}" --tokenizer merges.txt)

# has_state OUTPUT [BYTES]: the journal holds more than BYTES.
has_state() { (($(stat -c %s "$1.journal.partial" 2>/dev/null || echo 0) > ${2:-0})); }
identity_bytes() { echo $((16 + $(od -An -tu8 -N 8 "$1.journal.partial"))); }
has_first_state() { [ -s "$1.journal.partial" ] && has_state "$1" "$(identity_bytes "$1")"; }
has_tokens() { (($(stat -c %s "$1.partial" 2>/dev/null || echo 0) > 20000)); }
# killed OUTPUT ARGUMENT…: ends the tokenization by SIGKILL when it has saved something, with the first 20,000 bytes of tokens.
killed() {
    local output=$1 size
    shift
    starts log "${on_one[@]}" "$@" --output "$output"
    wait_until "$limit" has_first_state "$output" && wait_until "$limit" has_tokens "$output"
    size=$(stat -c %s "$output.journal.partial")
    wait_until "$limit" has_state "$output" "$size" && kill -KILL -- "-$job"
    wait "$job" 2>/dev/null || true
    [ -e "$output.partial" ] && [ ! -e "$output" ]
}

expect "one that nothing interrupts" "${tokenize[@]}" --output whole.tokens
for format in switchyard megatron; do
    "${tokenize[@]}" --format "$format" --output "whole-$format" >/dev/null 2>&1
    output=killed-$format
    [ "$format" = switchyard ] && file=$output || file=$output.bin
    kills=0
    while ((kills < 6)) && [ ! -e "$file" ]; do
        size=$(stat -c %s "$output.journal.partial" 2>/dev/null || echo 0)
        starts log "${on_one[@]}" "${tokenize[@]}" --format "$format" --output "$output"
        wait_until "$limit" eval "has_state $output $size || ! kill -0 $job 2>/dev/null" || true
        sleep "0.$((RANDOM % 5))"
        kill -KILL -- "-$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
        ((kills += 1))
    done
    expect "$format: after $kills kills, one is still not done" [ ! -e "$file" ]
    expect_exit "… and goes on" 0 "going on with $output behind" -- "${tokenize[@]}" --format "$format" --output "$output"
    expect "… to the same bytes" cmp "whole-$format${file#"$output"}" "$file"
    expect "… and left nothing else" sh -c "! ls $output*.partial 2>/dev/null"
done
expect "… with the same index" cmp whole-megatron.idx killed-megatron.idx

expect "a killed one" killed again "${tokenize[@]}"
expect_exit "… goes on" 0 'going on with again behind [0-9]+ documents.*again: [0-9]+ tokens' -- "${tokenize[@]}" --output again
expect "… to the same bytes" cmp whole.tokens again
rm again

expect "a killed one, another tokenizer" killed again "${tokenize[@]}"
expect_exit "… begins anew" 0 'again was begun with other texts or settings: beginning anew' -- \
    "$switchyard" tokenize "${texts[@]}" --tokenizer sample.tokens --format nanogpt --output again
rm again
expect "a killed one, another text" killed again "${tokenize[@]}"
cp -p long.txt same.txt
touch long.txt
expect_exit "… begins anew" 0 'again was begun with other texts or settings: beginning anew' -- "${tokenize[@]}" --output again
touch -r same.txt long.txt
rm again

expect "a killed one, its tokens damaged" killed again "${tokenize[@]}"
printf 'x' | dd of=again.partial bs=1 seek=5000 conv=notrunc status=none
expect_exit "… begins anew" 0 'what was written of again is damaged: beginning anew' -- "${tokenize[@]}" --output again
expect "… to the same bytes" cmp whole.tokens again
rm again
expect "a killed one, its journal cut off" killed again "${tokenize[@]}"
truncate -s -3 again.journal.partial
expect_exit "… goes on from the save before, or begins, and says so" 0 'the journal of again is damaged' -- "${tokenize[@]}" --output again
expect "… to the same bytes" cmp whole.tokens again
rm again
expect "a killed one, a byte of its journal's first number changed" killed again "${tokenize[@]}"
printf 'x' | dd of=again.journal.partial bs=1 seek=2 conv=notrunc status=none
expect_exit "… is damaged, not begun with other texts" 0 'the journal of again is damaged: beginning anew' -- \
    "${tokenize[@]}" --output again
expect "… to the same bytes" cmp whole.tokens again
rm again
expect "a killed one, a byte of its journal's identity changed" killed again "${tokenize[@]}"
printf '\001' | dd of=again.journal.partial bs=1 seek=20 conv=notrunc status=none
expect_exit "… is damaged, too" 0 'the journal of again is damaged: beginning anew' -- "${tokenize[@]}" --output again
expect "… to the same bytes" cmp whole.tokens again
rm again

# A run that is asked to stop while it tokenizes.
write_tiny_run "$work"
run=(train tiny.yaml --set data.train=long.txt --set data.tokenizer=merges.txt --set run.directory=asked)
starts log "${on_one[@]}" "$switchyard" "${run[@]}"
expect "a run that tokenizes" wait_until "$limit" has_first_state asked/data/train.tokens
kill -TERM "$job"
ends "… stops when asked" 75 'asked to leave while tokenizing, behind [0-9]+ documents' log
expect_exit "… and goes on" 0 'going on with asked/data/train.tokens behind' -- "$switchyard" "${run[@]}"
"$switchyard" tokenize long.txt --tokenizer merges.txt --output whole-long.tokens >/dev/null 2>&1
expect "… to the same bytes" cmp whole-long.tokens asked/data/train.tokens
