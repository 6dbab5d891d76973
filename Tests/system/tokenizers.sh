#!/usr/bin/env bash
# A tokenizer.json of other software through every command: tokenize, train on two ranks, resume, evaluate, generate, convert.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

golden=$PWD/Tests/DataTests/Golden/Tokenizers
write_tiny_run "$work"
cd "$work"
cp "$golden/qwen2-NFC-added-tokens.json" tokenizer.json
cp "$golden/o200k.json" other.json
identity() { "$switchyard" tokenize "$1" --tokenizer "$2" --output identity.tokens >/dev/null 2>&1 && head -c 64 identity.tokens | tail -c 16; }
echo 'Some text, 12 345: <tool_call> é中文 don'"'"'t' >text.txt

expect_exit "tokenize takes a tokenizer.json" 0 'of a vocabulary of 312' -- \
    "$switchyard" tokenize text.txt --tokenizer tokenizer.json --output text.tokens --tokenizer-output stored.txt
expect_exit "tokenize says which token ends documents" 0 'documents end with .<\|endoftext\|>. \(0\)' -- \
    "$switchyard" tokenize text.txt --tokenizer tokenizer.json --output text.tokens
expect "what --tokenizer-output writes is the same tokenizer" [ "$(identity text.txt stored.txt)" = "$(identity text.txt tokenizer.json)" ]
expect_exit "a token that is not there ends no document" 78 'has no added token .<\|stop\|>' -- \
    "$switchyard" tokenize text.txt --tokenizer tokenizer.json --document-token '<|stop|>' --output no.tokens
expect_exit "bytes have no document token to choose" 64 'to which the document token' -- \
    "$switchyard" tokenize text.txt --tokenizer byte --document-token '<|stop|>' --output no.tokens

# train RANKS OPTIONS…
train() {
    mpirun --bind-to none -np "$1" "$switchyard" train tiny.yaml --set data.tokenizer=tokenizer.json \
        --set train.validate_every=0 --set checkpoint.every_steps=2 "${@:2}"
}
expect_exit "train --check counts the vocabulary" 0 'vocabulary +312' -- train 1 --set train.steps=2 --check
expect_exit "two ranks train" 0 'step' -- train 2 --set train.steps=2 --set run.directory=run
mv tokenizer.json elsewhere.json
cp elsewhere.json tokenizer.json
expect_exit "the run goes on with the same tokenizer" 0 'step' -- train 1 --set train.steps=4 --set run.directory=run
expect_exit "another tokenizer is refused" 78 'is another tokenizer' -- \
    train 1 --set train.steps=6 --set run.directory=run --set data.tokenizer=other.json --allow-change data.tokenizer
expect_exit "evaluate uses the checkpoint's tokenizer" 0 '"tokens"' -- "$switchyard" evaluate run --data text.txt --json
expect_exit "generate uses the checkpoint's tokenizer" 0 'Some' -- "$switchyard" generate run --prompt Some --tokens 5
expect_exit "the tokenizer is exported" 0 '' -- "$switchyard" convert to-huggingface run exported
expect "the exported tokenizer is the same" [ "$(identity text.txt exported/tokenizer.json)" = "$(identity text.txt tokenizer.json)" ]
expect_exit "and imported" 0 '' -- "$switchyard" convert from-huggingface exported imported

cp "$golden/characters-Prepend.json" characters.json
expect_exit "a vocabulary over characters trains" 0 'documents end with .</s>. \(2\)' -- \
    train 2 --set train.steps=2 --set run.directory=characters --set data.tokenizer=characters.json
expect_exit "… and is exported" 0 '' -- "$switchyard" convert to-huggingface characters characters-exported
expect "… as the same tokenizer" [ "$(identity text.txt characters-exported/tokenizer.json)" = "$(identity text.txt characters.json)" ]
