#!/usr/bin/env bash
# A run that was interrupted is the run that was not, to the bit: every figure of every step, after kills, requests to
# save and to leave, and, in exact mode, on other layouts; a decay branched off a trunk is the one that was planned.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"
common=(--set model.layers=2 --set train.steps=12 --set train.validate_every=6 --set checkpoint.every_steps=4)
exact=(--set reproducible=true)

# train RANKS DIRECTORY OPTIONS…: sets command.
train() {
    local ranks=$1 directory=$2
    command=(mpirun --bind-to none -np "$ranks" "$switchyard" train tiny.yaml
        "${common[@]}" --set "run.directory=$directory" "${@:3}")
}

# finishes NAME RANKS DIRECTORY OPTIONS…
finishes() {
    train "${@:2}"
    expect_exit "$1" 0 'validation after step|nothing to do' -- "${command[@]}"
}

# dies_in_save POINT@STEP NAME RANKS DIRECTORY OPTIONS…: rank 0 is killed while it saves.
dies_in_save() {
    local fault=$1
    train "${@:3}"
    expect_exit "$2" 137 'signal 9' -- env "SWITCHYARD_FAULT=$fault" "${command[@]}"
}

# copy FROM TO: a run and its checkpoints under another name.
copy() { cp -r "$1" "$2"; }

# holds_only DIRECTORY NAME…
holds_only() { [[ $(find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ') == "${*:2} " ]]; }

# the same layout, default mode
finishes "an undisturbed run, default mode" 2 default
dies_in_save rename@8 "a run dies in its second save" 2 default-killed
finishes "the same command goes on" 2 default-killed
same_figures "interrupted and undisturbed are equal to the bit (2 ranks, default mode)" default default-killed
finishes "a run that is done has nothing to do" 2 default-killed

# every layout, exact mode
finishes "an undisturbed run, exact mode, 1 rank" 1 exact "${exact[@]}"
dies_in_save index@8 "a run on 4 ranks dies" 4 four "${exact[@]}" --set parallel.expert_parallel=4 \
    --set checkpoint.shards=4
expect "its checkpoint has 4 shards" [ "$(find four/checkpoints/step-00000004 -name '*-of-00004.h5' | wc -l)" -eq 4 ]
dies_in_save manifest@8 "a run on 1 rank dies" 1 one "${exact[@]}"
for ranks in 1 2 3; do copy four "four-to-$ranks"; done
finishes "4 ranks, expert_parallel 4, 4 shards → 1 rank" 1 four-to-1 "${exact[@]}"
finishes "… → 2 ranks, expert_parallel 1, 2 threads, 1 shard" 2 four-to-2 "${exact[@]}" \
    --set parallel.expert_parallel=1 --set parallel.threads_per_rank=2 --set checkpoint.shards=1
finishes "… → 3 ranks, expert_parallel 1" 3 four-to-3 "${exact[@]}"
finishes "1 rank → 4 ranks, expert_parallel 2, 2 shards" 4 one "${exact[@]}" --set parallel.expert_parallel=2 \
    --set checkpoint.shards=2
for run in four-to-1 four-to-2 four-to-3 one; do
    same_figures "$run: one sequence of digests throughout" exact "$run"
done

# requests through mpirun
long=("${exact[@]}" --set schedule.kind=constant --set train.validate_every=0 --set checkpoint.every_steps=0)
train 2 asked "${long[@]}" --set train.steps=100000000
starts asked.log "${command[@]}"
expect "a run to be asked trains" wait_until "$limit" has_step asked 3
kill -USR1 "$job"
expect "SIGUSR1 to mpirun: a checkpoint" wait_until "$limit" sh -c 'ls asked/checkpoints/step-*/manifest'
saved=$(basename "$(ls -d asked/checkpoints/step-*)")
expect "… and the run goes on" wait_until "$limit" has_step asked $((10#${saved#step-} + 3))
kill -USR2 "$job"
ends "SIGUSR2 to mpirun: exit code 75" 75 'the state is saved' asked.log
long+=(--set "train.steps=$(($(grep -c '"step":' asked/metrics.jsonl) + 5))")
finishes "a run goes on after SIGUSR2" 2 asked "${long[@]}"
finishes "an undisturbed run of that length" 2 long "${long[@]}"
same_figures "… to the same figures" long asked

# a decay branched off a trunk
planned=(--set schedule.kind=wsd --set schedule.decay_tokens=2048)
finishes "a run that decays in place" 2 planned "${planned[@]}"
finishes "a trunk that keeps its checkpoints" 2 trunk --set schedule.kind=constant --set train.steps=16 \
    --set checkpoint.keep_every=8
train 2 branch --set schedule.kind=constant --branch-from trunk/checkpoints/step-00000006 --decay-tokens 2048
expect_exit "a checkpoint that is not there cannot be branched off" 66 'there is no checkpoint' -- "${command[@]}"
train 2 branch --set schedule.kind=constant --branch-from trunk/checkpoints/step-00000008 --decay-tokens 2048
expect_exit "a branch dies in a save" 137 'signal 9' -- env SWITCHYARD_FAULT=fsync@12 "${command[@]}"
expect_exit "the same command goes on with the branch" 0 'validation after step 12' -- "${command[@]}"
same_figures "the branched decay equals the planned one" planned branch 9 1

# a save that fails
train 2 failing
expect_exit "a save that fails midway costs a warning" 0 'warning: no checkpoint after step 4, .*failing at .index' -- \
    env SWITCHYARD_FAULT=index@4:throw "${command[@]}"
expect "… and leaves nothing half-written" holds_only failing/checkpoints step-00000008 step-00000012
same_figures "… and changes nothing" default failing
train 2 failing-last
expect_exit "a save that fails at the end is a failure" 74 'failing at .shards' -- \
    env SWITCHYARD_FAULT=shards@12:throw "${command[@]}"
expect "… and leaves nothing half-written" \
    holds_only failing-last/checkpoints step-00000004 step-00000008
train 2 failing-retention
expect_exit "an old checkpoint that cannot go costs a warning" 0 'old checkpoint could not be removed' -- \
    env SWITCHYARD_FAULT=retention@12:throw "${command[@]}" --set checkpoint.keep=1 --set checkpoint.keep_best=false

# changes
refuses() { expect_exit "$1" 78 "$2" -- "${command[@]}" "${@:3}"; }
train 2 default
refuses "another seed is refused by name" 'seed: 0 → 1.*--allow-change seed' --set seed=1 --set train.steps=14
refuses "… and another model" 'model.d_model: 32 → 64.*routing.capacity_factor: .* → 4' \
    --set model.d_model=64 --set routing.capacity_factor=4
expect_exit "an allowed change is told" 0 'with seed: 0 → 1; train.steps: 12 → 14' -- \
    "${command[@]}" --set seed=1 --set train.steps=14 --allow-change seed
expect_exit "lengths and cadence may change" 0 'train.steps: 14 → 16; checkpoint.every_steps: 4 → 5' -- \
    "${command[@]}" --set seed=1 --set train.steps=16 --set checkpoint.every_steps=5

# another corpus: the checkpoint's tokenizer stays
vocabulary=(--set 'data.tokenizer=bpe 300')
head -n 150 corpus.txt >half.txt
learned() { tail -c 3000 "$1/data/train.tokens" | grep -ao '"tokenizer":"[^"]*"'; }
finishes "a run that learns merges" 2 learned "${vocabulary[@]}"
learned learned >before
cp corpus.txt whole.txt
tr 'a-m' 'n-z' <whole.txt >corpus.txt
finishes "its corpus changes" 2 learned "${vocabulary[@]}" --set train.steps=14
expect_exit "… which is said with sizes and digests" 0 \
    'the training data changed since step 14: then [0-9]+ tokens, [0-9]+ bytes, digest .* now .*validation data changed' -- \
    sh -c 'cp half.txt corpus.txt && "$@"' _ "${command[@]}" --set train.steps=16
learned learned >after
expect "… and the merges are still those of the checkpoint" cmp before after
train 2 begun "${vocabulary[@]}" --from learned
expect_exit "a run that begins with its parameters has them, too" 0 'stands for the tokenizer of learned/.*starting with the parameters' \
    -- "${command[@]}"
learned begun >after
expect "… to the letter" cmp before after
train 2 begun-in-bytes --from learned --set data.tokenizer=byte
expect_exit "another tokenizer is refused" 78 'data.tokenizer .byte. is another tokenizer .* than that of learned' -- "${command[@]}"
train 2 learned "${vocabulary[@]}" --set train.steps=18 --set data.tokenizer=byte --allow-change data.tokenizer
expect_exit "… whatever may change" 78 'is another tokenizer' -- "${command[@]}"
mv whole.txt corpus.txt

# another batch: tokens and sequences are counted as they were consumed
figure() { grep -o "\"$2\":[^,}]*" "$1/metrics.jsonl" | cut -d: -f2 | tr '\n' ' '; }
train 2 batch "${exact[@]}" --set train.steps=6
expect_exit "six steps" 0 'validation after step 6' -- "${command[@]}"
train 2 batch "${exact[@]}" --set train.steps=9 --set batch.tokens=1024
expect_exit "another batch is refused" 78 'batch.tokens: 512 → 1024' -- "${command[@]}"
expect_exit "… and taken if it may change" 0 'with batch.tokens: 512 → 1024' -- "${command[@]}" --allow-change batch.tokens
expect "its tokens go on from those before" [ "$(figure batch tokens)" = "512 1024 1536 2048 2560 3072 4096 5120 6144 " ]
expect "… and its sequences" [ "$(figure batch sequences)" = "16 32 48 64 80 96 128 160 192 " ]
expect_exit "and replay confirms them" 0 'steps 9 to 9 confirmed' -- "$switchyard" replay batch --step 9
expect_exit "a forecast goes on from there" 0 'begins .* after 9 steps, 6,144 tokens' -- \
    "${command[@]}" --check --set train.steps=10

# damage
train 2 default
newest=default/checkpoints/step-00000016
printf 'x' >>"$(ls "$newest"/*-00002-of-*.h5)"
expect_exit "--require-newest refuses a damaged newest checkpoint" 65 'newest checkpoint cannot be used: .*step-00000016 does not verify' \
    -- "${command[@]}" --set seed=1 --set train.steps=18 --require-newest
expect_exit "without it, the newest that verifies is used" 0 'passing over .*step-00000016.*going on from .*step-0000001[45]' \
    -- "${command[@]}" --set seed=1 --set train.steps=16 --set checkpoint.every_steps=5

# nothing that can be used
train 2 batch "${exact[@]}" --set train.steps=12 --set batch.tokens=1024
for directory in batch/checkpoints/step-*; do mv "$directory/manifest" "$directory/away"; done
ls batch/checkpoints >before
expect_exit "a run none of whose checkpoints can be used is not begun anew" 65 \
    'none of the [0-9]+ checkpoints of the run can be used.*manifest is missing' -- "${command[@]}"
ls batch/checkpoints >after
expect "… and loses none" cmp before after
for directory in batch/checkpoints/step-*; do mv "$directory/away" "$directory/manifest"; done
expect_exit "… and goes on when they can be" 0 'validation after step 12' -- "${command[@]}"
