#!/usr/bin/env bash
# Plans and fits as a user asks for them: a planned configuration trains as it is written, and a table of runs is read
# strictly.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$work"

for _ in {1..4000}; do printf 'the plan becomes a run, and the run becomes a point of the next fit\n'; done >corpus.txt

# trains NAME LAW-OPTIONS…: the planned configuration passes --check, and its first steps train.
trains() {
    local name=$1
    shift
    "$switchyard" plan "$@" --vocabulary-size 257 --train-data corpus.txt --run-directory "run-$name" \
        --write-config "$name.yaml" >"$name.plan"
    expect_exit "the planned $name configuration is one that trains" 0 'memory: a rank' -- \
        "$switchyard" train "$name.yaml" --check
    # Cut to two steps of one sequence; nothing else is changed.
    expect_exit "the planned $name configuration trains" 0 'validation after step 2: [0-9.]+ nats' -- \
        "${on_one_rank[@]}" "$switchyard" train "$name.yaml" --set batch.micro_batch_tokens=512 --set "batch.ramp=[]" --set batch.tokens=512 \
        --set train.tokens=1024 --set train.validation_tokens=512 --set schedule.warmup_tokens=512
}

# Every law with published coefficients that predicts a loss, dense and with experts, where it knows both.
trains joint --flops 1e15 --experts 4
trains joint-dense --flops 1e15 --experts 1
trains fine-grained --law fine-grained --flops 5e15 --experts 4 --granularity 2
trains fine-grained-dense --law fine-grained --flops 5e15 --experts 1
trains chinchilla --law chinchilla --flops 2e16
trains sparsity --law sparsity --flops 2e16 --experts 4
trains sparsity-dense --law sparsity --flops 5e16 --experts 1
trains comprehensive --law comprehensive --flops 5e16 --experts 4 --granularity 2 --top-k 2
trains routed --law routed --flops 1e17 --experts 4
trains routed-dense --law routed --flops 1e17 --experts 1
expect "a plan's checkpoints have a cadence" grep -q 'every_minutes: 30' joint.yaml
expect "the fine-grained recipe has a cosine" grep -q 'kind: cosine' fine-grained.yaml

# Many documents are split by their digests, few by tokens.
mkdir many
for i in {1..1000}; do printf 'document %s\n' "$i" >"many/$i.txt"; done
"$switchyard" plan --flops 1e18 --train-data many --write-config many.yaml >/dev/null
expect "many documents are split by hash" grep -q 'validation: "hash 0.01"' many.yaml
expect "one file is split by tokens" grep -q 'validation: "tail 0.01"' joint.yaml

# A cluster's budget is in the trainer's FLOPs, and the plan says so.
expect_exit "a measured rate is converted" 0 "as the trainer does .context 512.: the cluster's budget is the trainer's" -- \
    "$switchyard" plan --nodes 4 --cores 64 --rate 50 --hours 72

# A cluster whose rate depends on the granularity.
expect_exit "a rate for each granularity decides by hours" 0 'the best in equal hours; in equal FLOPs G = 16' -- \
    "$switchyard" plan --law fine-grained --experts 64 --granularity 1,4,16 --nodes 4 --cores 64 --rate 50,45,1 --hours 72
expect_exit "rates that are not as many as granularities" 64 'rate has 2 rates' -- \
    "$switchyard" plan --law fine-grained --experts 64 --granularity 1,4,16 --nodes 4 --cores 64 --rate 50,45 --hours 72
expect_exit "several rates without granularities" 64 'rate has 2 rates' -- \
    "$switchyard" plan --law fine-grained --nodes 4 --cores 64 --rate 50,45 --hours 72

# A fit keeps what its runs have in common.
awk 'BEGIN {
    print "n_active,tokens,loss,vocabulary_size,context,note"
    for (i = 0; i < 24; i++) {
        n = 1e7 * 1.4 ^ (i % 6); d = 1e8 * 3 ^ int(i / 6)
        printf "%.6g,%.6g,%.8f,4096,256,a\n", n, d, 1.7 + 400 / n ^ 0.34 + 900 / d ^ 0.31 + 0.002 * sin(7 * i)
    }
}' >runs.csv
expect_exit "a fit names the columns that no law reads" 0 'runs.csv: no law reads the columns note' -- \
    "$switchyard" fit runs.csv --law chinchilla --bootstrap 10 --output fit.json
expect_exit "a plan takes vocabulary and context from the fit" 0 'context 256' -- \
    "$switchyard" plan --law ./fit.json --flops 1e17 --write-config fitted.yaml
expect "the written vocabulary is the fit's" grep -q 'vocabulary_size: 4096' fitted.yaml
expect_exit "a plan with another vocabulary warns" 0 'vocabulary of 300, the runs behind ./fit.json one of 4096' -- \
    "$switchyard" plan --law ./fit.json --flops 1e17 --vocabulary-size 300

# Other questions to the same runs.
expect_exit "a comparison takes two laws" 64 'compare takes two different laws or more' -- \
    "$switchyard" fit runs.csv --compare chinchilla,chinchilla
expect_exit "runs without curves of equal compute" 65 'no runs of equal compute have a lowest loss' -- \
    "$switchyard" fit runs.csv --law isoflop
expect_exit "an isoFLOP analysis writes no law" 64 '.*output has no effect with --law isoflop' -- \
    "$switchyard" fit runs.csv --law isoflop --output iso.json
expect_exit "a sweep needs its column" 65 'no .learning_rate., which the law .learning-rate. needs' -- \
    "$switchyard" fit runs.csv --law learning-rate
expect_exit "a decay that is no number of its range" 64 'weight-decay is a number from 0 to 1, not -1' -- \
    "$switchyard" fit runs.csv --law chinchilla --weight-decay=-1
awk 'BEGIN {
    print "n_active,tokens,experts,learning_rate,loss"
    for (n = 1e7; n < 1e9; n *= 10) for (i = -2; i <= 2; i++)
        printf "%g,1e9,1,%.6g,%.6f\n", n, 1e-3 * (n / 1e7) ^ -0.5 * exp(0.4 * i), 3 + 0.02 * (0.4 * i) ^ 2
}' >sweep.csv
expect_exit "the best rates of a sweep, and their rule" 0 'LR = 3.162.N_act.-0.5, by least squares through 2' -- \
    "$switchyard" fit sweep.csv --law learning-rate

# Tables are read strictly.
sed 's/n_active/n_actve/' runs.csv >misspelled.csv
expect_exit "a misspelled column" 65 'unknown column .n_actve.; did you mean .n_active.' -- \
    "$switchyard" fit misspelled.csv --law chinchilla
printf 'n_active,n_total,tokens,experts,loss\n1e8,2e8,1e9,1.5,3\n' >parts.csv
expect_exit "experts that are not whole" 65 'parts.csv:2: .experts. is 1.5; it must be a whole number' -- \
    "$switchyard" fit parts.csv
