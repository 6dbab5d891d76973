#!/usr/bin/env bash
# Paths and files as users write them: `~` and variables mean the same in a configuration and on every command line; line
# ends, odd names and packed files are read, refused or reported, and never something else in silence.
# shellcheck disable=SC2016,SC2088 # the program expands what stands in quotes, not the shell
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"
train=("${on_two_ranks[@]}" "$switchyard" train)
"$switchyard" train tiny.yaml >train.log 2>&1
"$switchyard" train tiny.yaml --set run.directory=exact --set reproducible=true >exact.log 2>&1
"$switchyard" tokenize corpus.txt --tokenizer 'bpe 300' --output bpe.tokens --tokenizer-output merges.txt >tokenize.log 2>&1
write_run_table >runs.csv
mkdir texts
cp corpus.txt texts/a.txt

mkdir home
cp corpus.txt home/text.txt
export HOME=$work/home PLACE=$work/home/place DOLLAR="$work/home/a\$b"
sed -e "s|directory: run|directory: ~/new|" -e "s|train: corpus.txt|train: \${HOME}/text.txt|" tiny.yaml >home.yaml
expect_exit "a run in the home directory" 0 'checkpoint' -- "${train[@]}" '~/../home.yaml'
expect "all of it is there" test -s home/new/config.yaml -a -d home/new/checkpoints -a -s home/new/data/train.tokens
expect "and nothing is elsewhere" test ! -e '~' -a ! -e '$PLACE' -a ! -e '${HOME}'
expect "the stored configuration has the places themselves" grep -q "directory: \"$work/home/new\"" home/new/config.yaml
expect_exit "it goes on by the stored configuration, elsewhere" 0 'nothing to do' -- \
    env HOME=/nowhere "${on_two_ranks[@]}" "$switchyard" train "$work/home/new/config.yaml"
expect_exit "and by its own" 0 'nothing to do' -- "${train[@]}" home.yaml
expect_exit "a path from --set" 0 'checkpoint' -- "${train[@]}" tiny.yaml --set 'run.directory=$PLACE/run' \
    --set 'data.train=[~/text.txt]' --set 'data.validation=${HOME}/text.txt'
expect_exit "a place with a dollar sign" 0 'checkpoint' -- "${train[@]}" tiny.yaml --set 'run.directory=$DOLLAR'
expect "it is that place" test -s "$DOLLAR/config.yaml"
expect_exit "and is found again" 0 'nothing to do' -- "${train[@]}" "$work/home/a\$\$b/config.yaml"
expect_exit "evaluate" 0 'nats per token' -- "$switchyard" evaluate '$PLACE/run' --data '~/text.txt'
expect_exit "generate" 0 '.' -- "$switchyard" generate '~/new' --tokens 2
expect_exit "inspect" 0 'tensors' -- "$switchyard" inspect '${PLACE}/run'
shards=(home/new/checkpoints/step-00000003/*.h5)
shard=${shards[0]#home/new/}
expect_exit "inspect of one file" 0 'no manifest vouches' -- "$switchyard" inspect "~/new/$shard"
cp "home/new/$shard" 'home/$x.h5'
expect_exit "inspect of a file with a dollar sign" 0 'no manifest vouches' -- "$switchyard" inspect '~/$$x.h5'
expect_exit "verify" 0 'verified' -- "$switchyard" verify '~/new'
expect_exit "tokenize" 0 '^ *~?.*tokens' -- "$switchyard" tokenize '~/text.txt' --tokenizer "$work/merges.txt" \
    --output '$PLACE/x.tokens' --tokenizer-output '~/m.txt'
expect "both outputs are in the home directory" test -s home/place/x.tokens -a -s home/m.txt
expect_exit "fit and plan" 0 '.' -- "$switchyard" fit runs.csv --law chinchilla --bootstrap 0 --output '~/fit.json' --plots '~/plots'
expect_exit "plan" 0 '.' -- "$switchyard" plan --law '~/fit.json' --flops 1e18 --write-config '$PLACE/plan.yaml' --plots '~/plots'
expect "they are where they should be" test -s home/fit.json -a -s home/plots/residuals-chinchilla.svg -a -s home/place/plan.yaml
expect_exit "convert" 0 'verified' -- "$switchyard" convert to-huggingface '~/new' '$PLACE/hf'
expect_exit "convert back" 0 'verified' -- "$switchyard" convert from-huggingface '~/place/hf' '~/back' --reference '~/logits'
expect "with its reference" test -s home/logits -a -d home/back
expect_exit "reshard" 0 '2 shards' -- "$switchyard" convert reshard '~/back' '${PLACE}/two' --shards 2
expect_exit "a run from a checkpoint" 0 'starting with the parameters of' -- \
    "${train[@]}" tiny.yaml --from '~/back' --set 'run.directory=~/again'
expect_exit "replay" 0 'confirmed' -- "$switchyard" replay '~/../exact' --step 2
expect "nothing landed in places of those names" test -z "$(find . -name '~*' -o -name '$P*' -o -name '${*')"
expect_exit "a variable that is not set, in a configuration" 78 'run.directory. is .\$NOT_SET/x.: .*NOT_SET is not set' -- \
    "${train[@]}" tiny.yaml --set 'run.directory=$NOT_SET/x'
expect_exit "in a list" 78 'data.train. is .\$\{NOT_SET\}.: .*NOT_SET is not set' -- \
    "${train[@]}" tiny.yaml --set 'data.train=[corpus.txt, "${NOT_SET}"]'
expect_exit "on the command line" 78 'NOT_SET is not set' -- "$switchyard" evaluate '$NOT_SET' --data corpus.txt
expect_exit "among several" 78 'NOT_SET is not set' -- "$switchyard" evaluate run --data corpus.txt '$NOT_SET/a'
for command in "inspect ~/new" "train tiny.yaml --set run.directory=~/x"; do
    # shellcheck disable=SC2086
    expect_exit "without a home directory: $command" 78 'HOME is not set' -- env -u HOME "$switchyard" $command
done
for command in "inspect ~no-such-user-here/x" "train tiny.yaml --set run.directory=~no-such-user-here/x"; do
    # shellcheck disable=SC2086
    expect_exit "a user that there is not: $command" 78 'there is no user .no-such-user-here' -- "$switchyard" $command
done
expect "no folder of that name was made" test ! -e '~no-such-user-here'

# outputs through links
ln -s home/linked.tokens link.tokens
ln -s home/linked.yaml link.yaml
for _ in 1 2; do
    expect_exit "an output through a link" 0 'home/linked.tokens: ' -- "$switchyard" tokenize corpus.txt --output link.tokens
    expect_exit "another" 0 '.' -- "$switchyard" plan --flops 1e18 --write-config link.yaml
done
expect "the links stay, and lead to what was written" \
    test -L link.tokens -a -L link.yaml -a -s home/linked.tokens -a -s home/linked.yaml
ln -s "$work/corpus.txt" prefix.bin
expect_exit "a link under a name that was not given" 73 'prefix.bin cannot be written: it is not a regular file' -- \
    "$switchyard" tokenize runs.csv --format megatron --output prefix

# line ends, names, kinds
sed 's/$/\r/' tiny.yaml >crlf.yaml
expect_exit "a configuration with carriage returns" 0 'step 3' -- "$switchyard" train crlf.yaml --set run.directory=crlf
same_figures "it is the same run" run crlf
sed 's/$/\r/' runs.csv >crlf.csv
expect_exit "a table with carriage returns" 0 'chinchilla' -- "$switchyard" fit crlf.csv --law chinchilla --bootstrap 0
sed 's/$/\r/' merges.txt >crlf-merges.txt
"$switchyard" tokenize corpus.txt --tokenizer merges.txt --format nanogpt --output lf.bin >/dev/null
expect_exit "merges with carriage returns" 0 'vocabulary of 300' -- \
    "$switchyard" tokenize corpus.txt --tokenizer crlf-merges.txt --format nanogpt --output crlf.bin
expect "they are the same merges" cmp lf.bin crlf.bin
mkfifo pipe.txt
expect_exit "a pipe is refused, not waited for" 66 'pipe.txt: it is not a regular file' -- \
    "$switchyard" tokenize pipe.txt --output pipe.tokens
sed 's/^\(.*\)$/{"text": "\1"}/' corpus.txt >texts/b.ndjson
gzip -k texts/b.ndjson
gzip -c corpus.txt >packed.txt.gz
expect_exit "a run on a compressed text" 0 'step +3' -- \
    "$switchyard" train tiny.yaml --set data.train=packed.txt.gz --set run.directory=packed
same_figures "has the figures of one on the text" run packed
expect_exit "and so has one on what a pattern matches" 0 'step +3' -- \
    "$switchyard" train tiny.yaml --set 'data.train=pack?d.*' --set run.directory=pattern
same_figures "which is the same file" run pattern
touch "$(printf 'texts/odd\377.txt')"
expect_exit "an odd name and a packed file are reported" 0 \
    'not read: 2 files, .*1 compressed beside the same uncompressed \([0-9]+ bytes\), 1 whose name is not UTF-8.*"documents": 301,.*"skipped_files": 2, "skipped_bytes": [1-9]' -- \
    "$switchyard" tokenize texts --output odd.tokens --json
expect_exit "by a run" 0 'not read: 2 files' -- "${train[@]}" tiny.yaml --set data.train=texts --set run.directory=odd
expect_exit "by --check" 0 'not read: 2 files' -- "${train[@]}" tiny.yaml --set data.train=texts --set run.directory=odd2 --check
expect_exit "by an evaluation" 0 'not read: 2 files.*nats per token' -- "$switchyard" evaluate run --data texts
mkdir -p "$(printf 'folders/odd\377/inner')"
cp corpus.txt folders
cp corpus.txt "$(printf 'folders/odd\377')"
cp corpus.txt "$(printf 'folders/odd\377/inner')"
expect_exit "a folder with an odd name is reported with all that is in it" 0 \
    'not read: 2 files, [1-9][0-9]+ bytes: 2 in a folder whose name is not UTF-8' -- \
    "$switchyard" tokenize folders --output folders.tokens
touch "$(printf 'run/checkpoints/odd\377')"
expect_exit "an odd name beside checkpoints hides none" 0 'nothing to do' -- "${train[@]}" run/config.yaml
