#!/usr/bin/env bash
# A run that the first program wrote (Tests/Fixtures/format-1) is read by this one: verified, evaluated, resumed, replayed.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fixture=$PWD/Tests/Fixtures/format-1
cp -r "$fixture" "$work/old"
cd "$work/old"
old_loss=5.692981576635724

# The user's configuration of then has a key that has another name now; what the run stored is translated when it is read.
expect_exit "its configuration is refused with the present name of a key" 78 \
    'tiny.yaml:[0-9]+: .batch.lane_tokens. is a key of an earlier version.*write .batch.micro_batch_tokens.' -- \
    "$switchyard" train tiny.yaml --check
sed -i 's/lane_tokens/micro_batch_tokens/' tiny.yaml

# close A B: equal to a hundred-thousandth, which other matrix kernels may cost; false for what is no number.
close() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; exit !(a != "" && d < 1e-5 && d > -1e-5) }'; }

# losses DIRECTORY: loss and validation loss of every step.
losses() { sed -nE 's/.*"loss":([0-9.]+).*"step":([0-9]+).*"validation_loss":([0-9.]+).*/\2 \1 \3/p; t
    s/.*"loss":([0-9.]+).*"step":([0-9]+).*/\2 \1 -/p' "$1/metrics.jsonl"; }

# same_losses A B: line by line.
same_losses() {
    paste <(losses "$1") <(losses "$2") | awk '
        function far(a, b) { return a != b && (a - b > 1e-5 || b - a > 1e-5) }
        NF != 6 || $1 != $4 || far($2, $5) || far($3, $6) { bad = 1 }
        END { exit bad || NR != 6 }'
}

expect "its checkpoints verify" "$switchyard" verify run
expect_exit "they can be inspected" 0 'step 6, 3072 tokens, seed 7.*parameters/embedding' -- "$switchyard" inspect run
expect_exit "the stored configuration is shown with present keys" 0 'micro_batch_tokens: 128.*micro_batches_in_flight: 1' -- \
    "$switchyard" inspect --config run
"$switchyard" evaluate run --data corpus.txt --json 2>log | tail -n 1 >evaluation || true
expect "evaluation gives the loss of then" close "$(sed -nE 's/.*"loss":([0-9.]+).*/\1/p' evaluation)" "$old_loss"
expect_exit "it generates" 0 . -- "$switchyard" generate run --prompt The --tokens 8 --temperature 0

cp -r run resumed
rm -r resumed/checkpoints/step-00000006
expect_exit "it resumes from its middle" 0 'step-00000003.*validation after step 6' -- \
    "${on_one_rank[@]}" "$switchyard" train tiny.yaml --set run.directory=resumed
expect "… with the losses of then" same_losses run resumed
kernels=$(sed -nE 's/.*"kernels" : (.*),/\1/p' run/run.json)
if [[ -n $kernels ]] && grep -qF "$kernels" resumed/run.json; then
    # Fields that records did not have then, and two that were called otherwise.
    sed -i -E 's/"sequences":[0-9]+,//; s/"(host|time)":"[^"]*",//g; s/"dropped_ratio/"dropped_share/g' resumed/metrics.jsonl
    same_figures "… and, on the kernels of then, the bits" run resumed
    expect_exit "its steps can be replayed" 0 . -- "$switchyard" replay run --step 5
else
    echo "skipped bits and replay: made with the kernels $kernels"
fi
