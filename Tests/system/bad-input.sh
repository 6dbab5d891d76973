#!/usr/bin/env bash
# What a user gets wrong, on two ranks: each mistake ends the whole job in time, with a message that says what is wrong,
# where and what to do, and with the exit code that docs/exit-codes.md promises.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

golden=$PWD/Tests/ParquetTests/Golden
write_tiny_run "$work"
cd "$work"
train=("${on_two_ranks[@]}" "$switchyard" train tiny.yaml)

# refuses NAME CODE REGEX KEY=VALUE…
refuses() {
    local name=$1 code=$2 pattern=$3 override
    local -a overrides=()
    for override in "${@:4}"; do overrides+=(--set "$override"); done
    expect_exit "$name" "$code" "$pattern" -- "${train[@]}" "${overrides[@]}"
}

# refuses_new, likewise: a run that does not go on from anything, which would be compared before the corpus is read
refuses_new() { refuses "$@" run.directory=new; }

expect_exit "the tiny run itself" 0 'validation after step 3: [0-9.]+ nats per token' -- "${train[@]}"

# the configuration
refuses "unknown key" 78 'unknown key .model.d_modle..*did you mean .model.d_model.' model.d_modle=32
refuses "a key of another trainer" 78 'unknown key .optimizer.lr..*did you mean .optimizer.learning_rate.' \
    optimizer.lr=1e-3
refuses "key of an earlier version" 78 \
    '.parallel.lanes_in_flight. is a key of an earlier version.*write .parallel.micro_batches_in_flight.' \
    parallel.lanes_in_flight=1
refuses "wrong type" 78 '.model.d_model. must be a whole number, but is .wide.' model.d_model=wide
refuses "expert_parallel that is not allowed" 78 'expert_parallel` is 3.*4 experts.*2 ranks.*allowed here are 1, 2' \
    parallel.expert_parallel=3
refuses "more ranks than micro-batches" 78 '2 ranks, but a step has only 1 micro-batch' batch.tokens=128
refuses "a --set that is none" 64 -- nonsense
expect_exit "no configuration" 64 "switchyard init. writes one" -- "$switchyard" train
expect_exit "missing configuration" 66 'no configuration file nowhere.yaml' -- \
    "${on_two_ranks[@]}" "$switchyard" train nowhere.yaml
expect_exit "a command that does not exist" 64 'there is no command .trian.; did you mean .train.' -- \
    "${on_two_ranks[@]}" "$switchyard" trian tiny.yaml
expect_exit "a conversion that does not exist" 64 'there is no command .to-hugingface.; did you mean .to-huggingface.' -- \
    "$switchyard" convert to-hugingface run hf
expect_exit "a command like no other" 64 'there is no command .zzzzzzzz.; the commands are init, train, evaluate' -- \
    "$switchyard" zzzzzzzz
refuses_new "a tokenizer that other software fetches by its name" 66 'tokenizer .gpt2..*scripts/get-gpt2-merges' \
    data.tokenizer=gpt2
refuses_new "another" 66 'tokenizer .cl100k_base..*give a tokenizer.json, a file of merges' data.tokenizer=cl100k_base
expect_exit "gates that are always 1 are warned of" 0 'warning: routing.normalize_gates divides the one gate' -- \
    "${train[@]}" --check --set run.directory=new --set routing.normalize_gates=true
expect "… but not where a token has two" sh -c \
    '! "$@" --set model.top_k=2 | grep -q warning' - \
    "$switchyard" train tiny.yaml --check --set run.directory=new --set routing.normalize_gates=true
expect_exit "unknown option" 64 "Unknown option '--nonsense'" -- "${train[@]}" --nonsense

for retired in "replay run --step 1 --lane 0|--micro-batch" "generate run --top 5|--top-k" "bench memory --rounds 1|--repetitions" \
    "train tiny.yaml --allow-change batch.lane_tokens|batch.micro_batch_tokens"; do
    read -ra words <<<"${retired%|*}"
    status=64
    [[ ${words[0]} != train ]] || status=78
    expect_exit "${retired%|*}" "$status" "earlier version.*write .?${retired#*|}" -- "$switchyard" "${words[@]}"
done

# the corpus
: >empty.txt
head -c 100000 "$switchyard" >binary.txt
refuses_new "missing corpus" 66 'missing.txt: No such file' data.train=missing.txt
refuses_new "empty corpus" 65 'corpus is empty.*empty.txt' data.train=empty.txt
refuses_new "binary corpus" 65 'binary.txt is not text: byte [0-9]+' data.train=binary.txt
gzip -c corpus.txt | head -c 500 >cut.txt.gz
cp corpus.txt plain.txt.gz
head -c 3000 "$golden/rows-plain-none-v1.parquet" >cut.parquet
cp "$golden/refused-lz4.parquet" "$golden/refused-column.parquet" "$golden/required.parquet" .
refuses_new "a compressed corpus that is cut" 65 'cut.txt.gz is truncated: its gzip data' data.train=cut.txt.gz
refuses_new "one that is not compressed" 65 'plain.txt.gz is not compressed, although' data.train=plain.txt.gz
refuses_new "a Parquet file that is cut" 65 'cut.parquet: it does not end like a Parquet file' data.train=cut.parquet
refuses_new "one in a compression that is not read" 65 'refused-lz4.parquet: row group 0: .*LZ4.*pq.write_table' \
    data.train=refused-lz4.parquet
refuses_new "a column that is not there" 65 'no column .text.; the columns are .story., .id..*data.text_field' \
    data.train=refused-column.parquet
refuses_new "Parquet files with two columns" 65 'required.parquet: there is no column .story.' \
    "data.train=[refused-column.parquet, required.parquet]" data.text_field=story
refuses_new "a pattern that nothing matches" 66 'no file matches .corpus/[*].parquet.' 'data.train=corpus/*.parquet'
refuses_new "an empty text field" 78 'data.text_field. is empty' 'data.text_field=""'
refuses_new "context longer than the corpus" 65 'context is 40000.*has [0-9]+ tokens; 40001 are needed' \
    model.context=40000 batch.micro_batch_tokens=40000 batch.tokens=80000

# token files
"$switchyard" tokenize corpus.txt --output byte.tokens >/dev/null
"$switchyard" tokenize corpus.txt --tokenizer "bpe 400" --output bpe.tokens >/dev/null
head -c 20000 byte.tokens >cut.tokens
head -c 30 byte.tokens >stump.tokens
refuses_new "truncated token file" 65 'cut.tokens is truncated: it has 20000 bytes' data.train=cut.tokens
refuses_new "token file cut in its header" 65 'stump.tokens is truncated: it has 30 bytes' data.train=stump.tokens
refuses_new "token file of another tokenizer" 65 'bpe.tokens was made with .*vocabulary 400.*vocabulary 257' \
    data.train=bpe.tokens data.tokenizer=byte
refuses_new "token file of a larger vocabulary" 78 'vocabulary_size` is 257, but the tokenizer has 400' \
    data.train=bpe.tokens model.vocabulary_size=257
refuses_new "validation in another vocabulary" 65 'bpe.tokens was made with .*vocabulary 400' \
    data.train=byte.tokens data.validation=bpe.tokens

# the run directory
refuses "run directory below a file" 73 'directory corpus.txt cannot be made: File exists.*run.directory' run.directory=corpus.txt/run
refuses "run directory that cannot be made" 73 '/proc/run cannot be made' run.directory=/proc/run
refuses "run directory that cannot be written" 73 '/proc/self cannot be written' run.directory=/proc/self

# training itself
for mode in false true; do
    refuses "divergence (reproducible: $mode)" 79 'diverged at step [0-9]+, after 3 skipped steps: .* is kept in .*learning_rate' \
        optimizer.learning_rate=1000 optimizer.weight_decay=1000 train.steps=60 "reproducible=$mode" \
        "run.directory=diverged-$mode"
    expect "the state before the divergence is kept (reproducible: $mode)" \
        sh -c "ls diverged-$mode/checkpoints/step-*/*.h5"
done

# said once, by whom it concerns
said_once() { [[ $(bounded "$limit" "${@:2}" 2>&1 </dev/null | grep -cE -- "$1") -eq 1 ]]; }
expect "an unknown option is complained of once" said_once "Unknown option '--nonsense'" "${train[@]}" --nonsense
expect "what all ranks find is said once" said_once 'there is no checkpoint nowhere' \
    "${on_two_ranks[@]}" "$switchyard" evaluate nowhere --data corpus.txt
expect "help is shown once" said_once '^USAGE' "${on_two_ranks[@]}" "$switchyard" train --help
expect "an evaluation answers once" said_once 'nats per token' \
    "${on_two_ranks[@]}" "$switchyard" evaluate run --data corpus.txt
expect "a text is written once" said_once '^The quick' \
    "${on_two_ranks[@]}" "$switchyard" generate run --prompt 'The quick' --tokens 5

# what --check finds
checks() {
    local name=$1 code=$2 pattern=$3 override
    local -a overrides=()
    for override in "${@:4}"; do overrides+=(--set "$override"); done
    expect_exit "--check: $name" "$code" "$pattern" -- "${train[@]}" --check "${overrides[@]}"
}
checks "a run that is possible" 0 'memory: staging .*memory: a rank' \
    checkpoint.every_steps=2 run.directory=checked/deep
expect "… leaves nothing behind" [ ! -e checked ]
checks "missing corpus" 66 'missing.txt: No such file' data.train=missing.txt
checks "missing corpus, and all else is said" 66 \
    "vocabulary .*disk +up to .* for 4 checkpoints at a time; .* free.*memory: a rank" data.train=missing.txt run.directory=new
checks "missing validation" 66 'missing.txt: No such file' data.validation=missing.txt
checks "empty corpus" 65 'corpus is empty.*empty.txt' data.train=empty.txt
checks "run directory below a file" 73 'corpus.txt cannot be written' run.directory=corpus.txt/run
checks "run directory that cannot be made" 73 '/proc cannot be written' run.directory=/proc/run
expect_exit "--check: too few processors" 0 'warning: more threads than processors' -- \
    mpirun --bind-to core -np 1 "$switchyard" train tiny.yaml --check --set parallel.threads_per_rank=2

# What training would refuse before its first step
head -c 700 corpus.txt >few.txt
"$switchyard" tokenize few.txt --output few.tokens >/dev/null
checks "validation smaller than a window" 65 'validation part of new/data/train.tokens has [0-9]+; 33 are needed' \
    data.train=few.txt data.validation="tail 0.03" run.directory=new
checks "validation smaller than a window, of a token file" 65 'validation part of few.tokens has [0-9]+; 33 are needed' \
    data.train=few.tokens data.validation="tail 0.03" run.directory=new
refuses_new "validation smaller than a window, likewise in training" 65 \
    'validation part of new/data/train.tokens has [0-9]+; 33 are needed' data.train=few.txt data.validation="tail 0.03"
rm -rf new
checks "a split of one document by its digest" 65 'hash 0.5. cannot divide .*it is one document' \
    data.train=few.txt data.validation="hash 0.5" run.directory=new
checks "context longer than the corpus" 65 'context is 4000.*has 701 tokens; 4001 are needed' data.train=few.txt \
    data.validation=none model.context=4000 batch.micro_batch_tokens=4000 batch.tokens=8000 run.directory=new
checks "the corpus is counted" 0 'corpus +680 tokens for training, 21 for validation; 2.26 epochs' data.train=few.txt \
    data.validation="tail 0.03" model.context=16 run.directory=new
expect "… and nothing is left of that" [ ! -e new ]

# names and tables
odd=$'odd-\xff.txt'
cp few.txt "$odd"
expect_exit "a name that is not UTF-8" 64 'argument 2, .odd-.*is not valid UTF-8.*ln -s' -- \
    "$switchyard" tokenize "$odd" --output odd.tokens
ln -s "$odd" plain.txt
expect_exit "… has a link" 0 . -- "$switchyard" tokenize plain.txt --output odd.tokens
mkfifo pipe.csv
truncate -s 8G zeros.csv
truncate -s 1000 few-zeros.csv
printf 'n_active,loss\n1,2\n' | iconv -f UTF-8 -t UTF-16 >wide.csv
bounded_memory() { (ulimit -v 2000000 && "$@"); }
export -f bounded_memory
expect_exit "a pipe as a table" 66 'pipe.csv is not a regular file' -- "$switchyard" fit pipe.csv
expect_exit "8 GB of zeros as a table" 65 'zeros.csv has 8589934592 bytes; a table of runs has at most' -- \
    bash -c 'bounded_memory "$@"' _ "$switchyard" fit zeros.csv
expect_exit "zeros as a table" 65 'few-zeros.csv is no text: byte 0 is zero' -- "$switchyard" fit few-zeros.csv
expect_exit "UTF-16 as a table" 65 'wide.csv is UTF-16 text.*iconv' -- "$switchyard" fit wide.csv
expect_exit "more experts than there can be" 64 'experts must be whole numbers from 1 to 1000000, not 1000000000' -- \
    "$switchyard" plan --flops 1e20 --experts 1e9
