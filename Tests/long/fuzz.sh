#!/usr/bin/env bash
# Damages files that Switchyard reads and looks what comes of it: never a crash, never a hang, never changed bytes that pass
# for the old ones where something vouches for them.
#
#   SWITCHYARD_FUZZ_MINUTES  how long, 30 if not given; at most 55
#   SWITCHYARD_TEST_SEED     the first case's number, 1 if not given. Each case is a function of its number alone; the last
#                            line says where to go on
#   SWITCHYARD_FUZZ_CASES    how many cases at most
set -euo pipefail
# shellcheck source=../system/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"

minutes=${SWITCHYARD_FUZZ_MINUTES:-30} seed=${SWITCHYARD_TEST_SEED:-1} most=${SWITCHYARD_FUZZ_CASES:-1000000}
((minutes <= 55)) || fail 64 "SWITCHYARD_FUZZ_MINUTES=$minutes is more than 55" "start again with the seed of the last line"
# Seconds of a case before it counts as hung: parsing an index takes milliseconds.
patience=${SWITCHYARD_TEST_LIMIT:-60}

swiftc -O Tests/long/Mutate.swift -o "$work/mutate"
write_tiny_run "$work"
cd "$work"
{
    "$switchyard" train tiny.yaml
    "$switchyard" train tiny.yaml --set run.directory=two --virtual-ranks 2
    "$switchyard" tokenize corpus.txt --tokenizer 'bpe 300' --output corpus.tokens --tokenizer-output merges.txt
    for format in llmc nanogpt; do
        "$switchyard" tokenize corpus.txt --tokenizer byte --output "foreign-$format.bin" --format "$format"
    done
    "$switchyard" tokenize corpus.txt --tokenizer byte --output foreign-megatron --format megatron
    "$switchyard" convert to-huggingface run hf
} >prepare.log 2>&1 || fail 70 "what is to be damaged cannot be made" "see the end of its log: $(tail -n 3 prepare.log)"
checkpoint=two/checkpoints/step-00000003
sed 's/.*/{"text": "&"}/' corpus.txt >lines.jsonl
gzip -k lines.jsonl corpus.txt
cp "$OLDPWD"/Tests/ParquetTests/Golden/rows-*.parquet .
mapfile -t packed < <(printf '%s\n' lines.jsonl.gz corpus.txt.gz rows-*.parquet)
mapfile -t foreign < <(find . -maxdepth 1 -name 'foreign-*' -printf '%f\n' | sort)

# Undamaged, everything is taken: only then does a refusal mean anything.
trains_on() {
    rm -rf case
    "$switchyard" train tiny.yaml --set "data.train=$1" --set run.directory=case/run --set data.validation=none \
        --set train.steps=1 "${@:2}"
}
expect "the checkpoint verifies" "$switchyard" verify "$checkpoint"
expect "the token file is trained on" trains_on corpus.tokens
for file in "${foreign[@]}"; do
    [[ $file == *.idx ]] || expect "$file is trained on" trains_on "$file" --set data.tokenizer=byte
done
for file in "${packed[@]}"; do
    expect "$file is tokenized" "$switchyard" tokenize "$file" --output out.tokens
done
expect "the Hugging Face directory is converted" "$switchyard" convert from-huggingface hf back

# The manifest again, for the files as they are now.
reseal() {
    local directory=$1 line name
    while IFS= read -r line; do
        case $line in
            "file "*)
                name=${line##* }
                if [[ -f $directory/$name ]]; then
                    line="file $(stat -c %s "$directory/$name") $(sha256sum <"$directory/$name" | cut -d' ' -f1) $name"
                fi
                ;;
            "sha256 "*) continue ;;
        esac
        printf '%s\n' "$line"
    done <"$directory/manifest" >manifest.new
    printf 'sha256 %s\n' "$(sha256sum <manifest.new | cut -d' ' -f1)" >>manifest.new
    mv manifest.new "$directory/manifest"
}

declare -A cases=() refused=()

# tries KIND ALLOWED COMMAND…: it ends in time, by itself, with one of these exit codes.
tries() {
    local kind=$1 allowed=" $2 " status=0
    shift 2
    timeout --kill-after=5 "$patience" bash -c 'ulimit -v 8000000; exec "$@"' _ "$@" >output 2>&1 </dev/null || status=$?
    cases[$kind]=$((${cases[$kind]:-0} + 1))
    ((status == 0)) || refused[$kind]=$((${refused[$kind]:-0} + 1))
    [[ $allowed == *" $status "* ]] && return
    mkdir -p "$findings"
    rm -rf "${findings:?}/$seed"
    cp -a case "$findings/$seed"
    fails "$kind, seed $seed: $change" "exit code $status of $* is none of:$allowed; the files are in $findings/$seed" output
}
findings=$OLDPWD/.cache/fuzz

# pick NAME…: sets file to one of them.
pick() {
    shift "$((seed / 9 % $#))"
    file=$1
}

# One case; its kind goes round with the seed.
attempt() {
    rm -rf case
    mkdir case
    local -a files
    case $((seed % 9)) in
        0 | 1) # damage that nobody vouches for is found
            cp -a "$checkpoint" case/step-00000003
            mapfile -t files < <(find "$checkpoint" -type f -printf '%f\n' | sort)
            pick "${files[@]}"
            change="$file $(./mutate "case/step-00000003/$file" "$seed")"
            tries "damaged checkpoint" "65 66" "$switchyard" verify case/step-00000003
            ;;
        2) # the index, resealed: HDF5 parses it
            cp -a "$checkpoint" case/step-00000003
            change="index.h5, resealed $(./mutate case/step-00000003/index.h5 "$seed")"
            reseal case/step-00000003
            tries "resealed index" "0 65 66 74" "$switchyard" inspect case/step-00000003
            ;;
        3) # shards and manifest, resealed: read raw
            cp -a "$checkpoint" case/step-00000003
            mapfile -t files < <(find "$checkpoint" -type f ! -name index.h5 -printf '%f\n' | sort)
            pick "${files[@]}"
            change="$file, resealed $(./mutate "case/step-00000003/$file" "$seed")"
            reseal case/step-00000003
            tries "resealed shard or manifest" "0 65 66 69" "$switchyard" evaluate case/step-00000003 --data corpus.txt
            ;;
        4) # a token file of our own has digests of everything
            cp corpus.tokens case/
            change="corpus.tokens $(./mutate case/corpus.tokens "$seed")"
            tries "token file" "65 66 78" "$switchyard" train tiny.yaml --set data.train=case/corpus.tokens \
                --set run.directory=case/run --set data.validation=none --set train.steps=1
            ;;
        5) # token files of others have none
            cp "${foreign[@]}" case/
            pick "${foreign[@]}"
            change="$file $(./mutate "case/$file" "$seed")"
            # What is damaged may be the index beside the file.
            tries "foreign token file" "0 65 66 78" "$switchyard" train tiny.yaml \
                --set "data.train=case/${file%.idx}$([[ $file != *.idx ]] || echo .bin)" \
                --set data.tokenizer=byte --set run.directory=case/run --set data.validation=none --set train.steps=1
            ;;
        6) # Hugging Face's files
            cp -a hf case/hf
            mapfile -t files < <(find hf -type f -printf '%f\n' | sort)
            pick "${files[@]}"
            change="hf/$file $(./mutate "case/hf/$file" "$seed")"
            tries "Hugging Face directory" "0 65 66 69 78" "$switchyard" convert from-huggingface case/hf case/back
            ;;
        7) # what a run directory holds besides checkpoints
            cp -a run case/run
            pick metrics.jsonl run.json config.yaml
            change="run/$file $(./mutate "case/run/$file" "$seed")"
            tries "run directory" "0 65 66 73 78" "$switchyard" train tiny.yaml --set run.directory=case/run \
                --set train.steps=4
            ;;
        8) # compressed texts, whose checksums find much, and Parquet files, whose pages have none
            pick "${packed[@]}"
            cp "$file" case/
            change="$file $(./mutate "case/$file" "$seed")"
            tries "packed text" "0 65 66" "$switchyard" tokenize "case/$file" --output case/out.tokens
            ;;
    esac
}

end=$((SECONDS + 60 * minutes)) first=$seed
while ((SECONDS < end && seed - first < most && failures < 20)); do
    attempt
    seed=$((seed + 1))
done
for kind in "${!cases[@]}"; do
    passes "$kind: ${cases[$kind]} cases, ${refused[$kind]:-0} refused"
done
say "$((seed - first)) cases, seeds $first to $((seed - 1)); $failures failed; go on with SWITCHYARD_TEST_SEED=$seed"
