#!/usr/bin/env bash
# A model leaves for Hugging Face and comes back; experts are copied and pruned: each result evaluates, trains and exports,
# a directory is there whole or not at all, and what cannot be converted is refused with a message and an exit code.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"
{
    "$switchyard" train tiny.yaml
    "$switchyard" train tiny.yaml --set run.directory=dense --set model.experts=1
    "$switchyard" train tiny.yaml --set run.directory=layer --set model.norm=layer
    "$switchyard" train tiny.yaml --set run.directory=one --set reproducible=true
    mpirun --bind-to none -np 4 "$switchyard" train tiny.yaml --set run.directory=four --set reproducible=true
} >train.log 2>&1

loss() { "$switchyard" evaluate "$1" --data corpus.txt --json 2>/dev/null | grep -o '"loss":[0-9.]*'; }
parameters() { grep '^tensor.* parameters/' "$1/manifest" | sort; }
losses_agree() {
    awk -v a="$(loss "$1" | cut -d: -f2)" -v b="$(loss "$2" | cut -d: -f2)" \
        'BEGIN { exit !(a > 0 && a - b < 1e-5 && b - a < 1e-5) }'
}
trains() {
    "$switchyard" train tiny.yaml --from "$1" --set "run.directory=$1-run" "${@:2}"
}

expect_exit "to Hugging Face" 0 'Qwen2MoeForCausalLM, [0-9]+ tensors.*verified: [0-9]+ tensors by digest; largest logit difference' -- \
    "$switchyard" convert to-huggingface run hf --max-shard-size 40kB
expect "shards with an index" bash -c "ls hf/model.safetensors.index.json hf/model-00002-of-*.safetensors"
expect_exit "and back" 0 'verified: [0-9]+ tensors by digest' -- "$switchyard" convert from-huggingface hf back
expect "the loss has not changed" losses_agree run back
expect_exit "the record names the libraries" 0 'HDF5: [0-9.]+.*MPI: .*converted_from: hf' -- "$switchyard" inspect back
expect "what came back trains" trains back
for command in "verify hf" "inspect hf" "evaluate hf --data corpus.txt"; do
    # shellcheck disable=SC2086  # the command's words
    expect_exit "${command%% *} says what a model of Hugging Face is" 65 'but a model of Hugging Face.*convert from-huggingface hf' -- \
        "$switchyard" $command
done
cp -r hf twice
"$switchyard" convert to-huggingface run single >/dev/null
cp single/model.safetensors twice
expect_exit "a directory that was saved twice: the single file, and what is left aside" 0 \
    'left aside.*model.safetensors.index.json, model-00001-of.*verified' -- "$switchyard" convert from-huggingface twice twice-back
cp -r single broken
printf '\377\377\377\177' | dd of=broken/model.safetensors bs=1 conv=notrunc status=none \
    seek=$(($(stat -c %s broken/model.safetensors) - 4))
expect_exit "a weight that is no number is refused without a check, too" 65 'element [0-9]+ of .* is nan' -- \
    "$switchyard" convert from-huggingface broken broken-back --no-verify
expect "… and nothing is left" bash -c '! ls broken-back'
expect_exit "one expert is a Llama" 0 'routers of a model of one expert.*LlamaForCausalLM' -- \
    "$switchyard" convert to-huggingface dense dense-hf
for ranks in one four; do "$switchyard" convert to-huggingface $ranks $ranks-hf >/dev/null; done
expect "four ranks and one export the same bytes" diff -r one-hf four-hf

expect_exit "upcycle" 0 '4 experts a layer, 2 a token' -- "$switchyard" convert upcycle dense up --experts 4
expect "the loss is the dense model's" losses_agree dense up
expect "what was upcycled trains" trains up --set model.top_k=2 --set routing.normalize_gates=true
expect_exit "prune" 0 'loss before [0-9.]+, after [0-9.]+' -- \
    "$switchyard" convert prune run pruned --experts 2 --calibration corpus.txt
expect "what was pruned trains" trains pruned --set model.experts=2
expect_exit "what was pruned exports" 0 'verified' -- "$switchyard" convert to-huggingface pruned pruned-hf

different=(--set model.layers=2 --set 'model.experts=[4, 2]')
expect "layers of different numbers of experts train" \
    mpirun --bind-to none -np 2 "$switchyard" train tiny.yaml --set run.directory=uneven "${different[@]}"
expect_exit "prune over all layers" 0 'layer 1 keeps .*model.experts: .*loss before [0-9.]+, after [0-9.]+' -- \
    "$switchyard" convert prune uneven fewer --experts 2 --scope model --by probability --calibration corpus.txt
layers=$("$switchyard" inspect fewer --config | sed -n 's/^  experts: //p')
expect "the rest trains" trains fewer --set model.layers=2 --set "model.experts=$layers"
expect_exit "an expert_parallel that a layer does not allow" 78 'the 3 experts of layer 1 and the 2 ranks' -- \
    mpirun --bind-to none -np 2 "$switchyard" train tiny.yaml --set run.directory=no --set model.layers=2 \
    --set 'model.experts=[4, 3]' --set parallel.expert_parallel=2
expect_exit "plain gates over different layers" 78 'model.experts is .4, 2.*normalize_gates is false' -- \
    "$switchyard" convert to-huggingface uneven no
expect "normalized gates train" \
    "$switchyard" train tiny.yaml --set run.directory=divided --set routing.normalize_gates=true "${different[@]}"
expect_exit "and export" 0 'Ernie4_5_MoeForCausalLM.*verified' -- "$switchyard" convert to-huggingface divided divided-hf
expect_exit "and come back" 0 'verified' -- "$switchyard" convert from-huggingface divided-hf divided-back
expect "as the same parameters" diff <(parameters divided/checkpoints/step-00000003) <(parameters divided-back)

expect_exit "keeping all" 0 'loss before' -- \
    "$switchyard" convert prune run kept --experts 4 --calibration corpus.txt --by probability
expect "changes nothing" diff <(parameters run/checkpoints/step-00000003) <(parameters kept)

expect_exit "the mean of two runs" 0 'the mean of .*step-00000003 .step 3., .*step-00000003' -- \
    "$switchyard" convert average run one mean
expect "it has a loss" test -n "$(loss mean)"
expect "it trains" trains mean
"$switchyard" convert average run run run same >/dev/null
expect "the mean of equals is the same" diff <(parameters run/checkpoints/step-00000003) <(parameters same)
expect "a run keeps an average of its parameters" \
    "$switchyard" train tiny.yaml --set run.directory=ema --set optimizer.ema_decay=0.5
expect_exit "which evaluates" 0 'nats per token' -- "$switchyard" evaluate ema --ema --data corpus.txt
expect_exit "and generates" 0 '' -- "$switchyard" generate ema --ema --tokens 3
expect_exit "and exports" 0 'verified: [0-9]+ tensors by digest' -- "$switchyard" convert to-huggingface ema ema-hf --ema
expect_exit "a run without an average" 65 'holds no average of its parameters' -- \
    "$switchyard" evaluate run --ema --data corpus.txt
expect_exit "a mean of different models" 65 'different models: model.experts: 4 and 1' -- \
    "$switchyard" convert average run dense no
expect_exit "a weight for each" 64 'weights has 1 numbers for 2' -- "$switchyard" convert average run one no --weights 1
expect_exit "weights above 0" 64 'finite numbers above 0' -- "$switchyard" convert average run one no --weights 1,0

# refusals leave nothing behind
expect_exit "a directory that is there" 73 'hf exists already' -- "$switchyard" convert to-huggingface run hf
expect_exit "a model that no class holds" 78 'model.norm is .layer.' -- "$switchyard" convert to-huggingface layer no
cp -r dense-hf grouped
sed -i 's/"num_key_value_heads" : 2/"num_key_value_heads" : 1/' grouped/config.json
expect_exit "weights of other heads than the configuration says" 65 'k_proj.weight. has shape \[32, 32\], config.json wants \[16, 32\]' -- \
    "$switchyard" convert from-huggingface grouped no
expect_exit "no model at all" 66 'cannot open .*config.json' -- "$switchyard" convert from-huggingface "$PWD" no
rm dense-hf/tokenizer.json
expect_exit "no tokenizer" 66 'no tokenizer.json.*--tokenizer' -- "$switchyard" convert from-huggingface dense-hf no
truncate -s -4 grouped/model.safetensors
sed -i 's/"num_key_value_heads" : 1/"num_key_value_heads" : 2/' grouped/config.json
expect_exit "truncated weights" 65 'does not lie in the file|end at byte' -- "$switchyard" convert from-huggingface grouped no
expect_exit "upcycling experts" 64 'has 4 experts a layer' -- "$switchyard" convert upcycle run no --experts 8
expect_exit "pruning to more" 64 'experts 9: the model has 4' -- \
    "$switchyard" convert prune run no --experts 9 --calibration corpus.txt
remains() { find . -name no -o -name '.staging-*'; }
expect "nothing is left of what was refused" test -z "$(remains)"
