#!/usr/bin/env bash
# No output is an input, under whatever name: every command that writes, with each of its outputs, leaves what it reads as it
# was, byte for byte.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"

"$switchyard" train tiny.yaml >train.log 2>&1
"$switchyard" train tiny.yaml --set run.directory=exact --set reproducible=true >exact.log 2>&1
"$switchyard" tokenize corpus.txt --tokenizer 'bpe 300' --output bpe.tokens --tokenizer-output merges.txt >tokenize.log 2>&1
"$switchyard" tokenize corpus.txt --format megatron --output meg >/dev/null 2>&1
"$switchyard" convert to-huggingface run hf >/dev/null 2>&1
write_run_table >runs.csv
"$switchyard" fit runs.csv --law chinchilla --bootstrap 0 --output fit.json >/dev/null 2>&1
cp corpus.txt x.tokens.partial
mkdir texts
cp corpus.txt texts/a.txt
ln -s corpus.txt soft.txt
ln corpus.txt hard.txt
ln -s texts linked

# Everything but what the tests themselves write: no refused command may change a byte of it.
sums() { find . -type f ! -path './output' ! -path './expectation' ! -path './sums-*' -print0 | sort -z | xargs -0 sha256sum; }
sums >sums-before

# keeps NAME REGEX COMMAND…: refused with 64 or 78, and every file is as it was.
keeps() {
    local name=$1 pattern=$2 status=0
    shift 2
    timeout --kill-after=5 "$limit" "$@" >output 2>&1 </dev/null || status=$?
    sums >sums-after
    if ((status != 64 && status != 78)); then
        fails "$name" "exit code $status instead of 64 or 78" output
    elif ! cmp -s sums-before sums-after; then
        fails "$name" "files have changed" <(diff sums-before sums-after)
        sums >sums-before
    else
        judge "$name" "$status" "$status" "$pattern" output
    fi
}

input='is the input'
mkfifo pipe
ln -s pipe link-to-pipe
tokenize=("$switchyard" tokenize)
for path in run/metrics.jsonl run/run.json run/config.yaml; do
    keeps "a report onto $path" "$path \(--output\) $input" "$switchyard" report run --output "$path"
done
keeps "a report onto its table" "runs.csv \(--output\) $input" "$switchyard" report runs.csv fit.json --output runs.csv
keeps "a report onto its fit" "fit.json \(--output\) $input" "$switchyard" report runs.csv fit.json --output ./fit.json
keeps "tokenize onto its text" "corpus.txt \(--output\) $input corpus.txt" "${tokenize[@]}" corpus.txt --output corpus.txt
for name in soft.txt hard.txt ./corpus.txt texts/../corpus.txt "$work/corpus.txt"; do
    keeps "tokenize onto its text as $name" "$input" "${tokenize[@]}" corpus.txt --output "$name"
done
keeps "tokenize a link onto what it leads to" "$input" "${tokenize[@]}" soft.txt --output corpus.txt
keeps "tokenize onto a text of its folder" "$input" "${tokenize[@]}" texts --output linked/a.txt
keeps "tokenize onto its merges" "$input" "${tokenize[@]}" corpus.txt --tokenizer merges.txt --output merges.txt
keeps "a tokenizer onto a text" "--tokenizer-output\) $input" \
    "${tokenize[@]}" corpus.txt --tokenizer 'bpe 300' --output new.tokens --tokenizer-output soft.txt
keeps "two outputs in one place" 'is also written as' \
    "${tokenize[@]}" corpus.txt --tokenizer 'bpe 300' --output new.tokens --tokenizer-output ./new.tokens
keeps "tokenize through a name that it uses meanwhile" "x.tokens.partial .* $input" \
    "${tokenize[@]}" x.tokens.partial --output x.tokens
keeps "tokenize onto the other half of its tokens" "$input" \
    "${tokenize[@]}" meg.bin --tokenizer byte --format nanogpt --output meg.idx
keeps "tokenize Megatron's onto its own text" "$input" "${tokenize[@]}" meg.idx --tokenizer byte --format megatron --output meg
keeps "fit onto its table" "$input" "$switchyard" fit runs.csv --law chinchilla --output runs.csv
ln -s ../runs.csv texts/residuals-chinchilla.svg
sums >sums-before
keeps "fit's plots onto its table" "--plots\) $input" "$switchyard" fit runs.csv --law chinchilla --plots linked
keeps "fit onto a run's records" "$input" "$switchyard" fit run --law chinchilla --output run/metrics.jsonl
keeps "plan onto its law" "$input" "$switchyard" plan --law fit.json --flops 1e18 --write-config ./fit.json
keeps "plan onto the texts it names" "$input" \
    "$switchyard" plan --flops 1e18 --train-data texts --write-config texts/a.txt
keeps "a reference onto the checkpoint" 'lies inside the input' \
    "$switchyard" convert to-huggingface run new --reference run/checkpoints/step-00000003/manifest
keeps "a reference onto the weights" "$input" \
    "$switchyard" convert from-huggingface hf new --reference hf/model.safetensors
keeps "reshard into the checkpoint" 'lies inside the input' \
    "$switchyard" convert reshard run run/checkpoints/step-00000003/inner --shards 2
keeps "upcycle into the checkpoint" 'lies inside the input' \
    "$switchyard" convert upcycle run run/checkpoints/step-00000003/inner --experts 2
keeps "an average into a checkpoint" 'lies inside the input' \
    "$switchyard" convert average run exact exact/checkpoints/step-00000003/inner
keeps "prune into the checkpoint" 'lies inside the input' "$switchyard" convert prune run \
    run/checkpoints/step-00000003/inner --experts 2 --calibration corpus.txt
replay=("$switchyard" replay exact --step 2 --micro-batch 0)
keeps "replay onto the text" "$input" "${replay[@]}" --output hard.txt
keeps "replay onto the run's tokens" "$input" "${replay[@]}" --output exact/data/train.tokens
keeps "replay into a checkpoint" 'lies inside the input' "${replay[@]}" \
    --output exact/checkpoints/step-00000003/manifest

mkdir mine
cp tiny.yaml mine/config.yaml
ln corpus.txt mine/metrics.jsonl
cp corpus.txt mine/lock
mkdir -p data-run/data
ln -s ../../corpus.txt data-run/data/train.tokens.partial
sums >sums-before
train=("${on_two_ranks[@]}" "$switchyard" train)
for check in '' --check; do
    keeps "train onto its configuration${check:+ $check}" "mine/config.yaml \(run.directory\) $input" \
        "${train[@]}" mine/config.yaml --set run.directory=mine ${check:+"$check"}
    keeps "train with its lock onto its text${check:+ $check}" "mine/lock \(run.directory\) $input" \
        "${train[@]}" tiny.yaml --set data.train=mine/lock --set run.directory=./mine ${check:+"$check"}
    keeps "train with records onto its text${check:+ $check}" "mine/metrics.jsonl \(run.directory\) $input" \
        "${train[@]}" tiny.yaml --set run.directory=mine ${check:+"$check"}
    keeps "train with tokens onto its text${check:+ $check}" "$input" "${train[@]}" tiny.yaml --set run.directory=data-run ${check:+"$check"}
    keeps "train with its tokens as validation${check:+ $check}" "$input" "${train[@]}" tiny.yaml \
        --set data.validation=run/data/train.tokens ${check:+"$check"}
    keeps "train with its tokens as tokenizer${check:+ $check}" "$input" "${train[@]}" tiny.yaml \
        --set data.tokenizer=run/data/train.tokens --allow-change data.tokenizer ${check:+"$check"}
    keeps "train inside the checkpoint it starts from${check:+ $check}" 'lies inside the input' "${train[@]}" tiny.yaml --from run \
        --set run.directory=run/checkpoints/step-00000003 ${check:+"$check"}
done
rm -r mine data-run texts/residuals-chinchilla.svg
expect_exit "a run goes on from its own stored configuration" 0 'nothing to do' -- "${train[@]}" run/config.yaml
expect_exit "and is made longer with it" 0 'step 4' -- "${train[@]}" run/config.yaml --set train.steps=4
mkdir -p place/bench-checkpoint
echo mine >place/bench-checkpoint/mine
expect_exit "bench checkpoint removes nothing that it did not make" 0 'save' -- \
    "${on_two_ranks[@]}" "$switchyard" bench checkpoint --megabytes 1 --pairs 1 --directory place
expect "what was there is there" grep -q mine place/bench-checkpoint/mine
expect_exit "replay beside the checkpoints" 0 'micro-batch 0 of step 2' -- "${replay[@]}" --output exact/micro-batch.h5
expect_exit "and once more" 0 'micro-batch 0 of step 2' -- "${replay[@]}" --output exact/micro-batch.h5
sums >sums-before
keeps "tokenize into a pipe" 'is a device or a pipe' "${tokenize[@]}" corpus.txt --output pipe
keeps "fit into a link to a pipe" 'is a device or a pipe' "$switchyard" fit runs.csv --law chinchilla --bootstrap 0 --output link-to-pipe
expect "both are what they were" sh -c "test -p pipe && test -L link-to-pipe"
