#!/usr/bin/env bash
# The tools around training: doctor, bench and the trace, on one rank and on two.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"

# the version: of the program, its sources and its libraries
revision=$(git -C "${build_directory%/*}" rev-parse --short=12 HEAD 2>/dev/null || true)
expect_exit "the version names the libraries" 0 'switchyard [0-9]+\.[0-9]+\.[0-9]+.*CPU target .*float32: .*MPI .*HDF5 +1\.' -- \
    "$switchyard" --version
if [[ -n $revision ]]; then
    expect_exit "the version names the commit" 0 "^switchyard [0-9.]+ \\($revision( with changes)?\\)" -- "$switchyard" --version
fi
# shellcheck disable=SC2016  # the inner shell's argument
expect_exit "a version that cannot be written" 74 'full|space' -- bash -c '"$1" --version >/dev/full' - "$switchyard"

# the doctor: what it finds depends on the machine, but it finds, and nothing that tests need fails here
expect_exit "doctor on one rank" 0 'processor .*GEMM, one thread .*MPI .*HDF5 .*threads and binding .* ok, [0-9]+ warnings, 0 failures' -- \
    "$switchyard" doctor
expect_exit "doctor on two ranks" 0 'rank 0: .*rank 1: .*2 ranks on 1 machine' -- "${on_two_ranks[@]}" "$switchyard" doctor --threads 1
expect_exit "doctor as JSON" 0 '"status":"(ok|warn)"' -- "$switchyard" doctor --json
# The ranks inherit the processors that mpirun may use: its own options for this differ from version to version.
processor=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status)
expect_exit "two ranks on one processor" 0 'warn +threads and binding +ranks 0, 1 on .*: 2 threads on processor [0-9]+' -- \
    taskset -c "$processor" "${on_two_ranks[@]}" "$switchyard" doctor --threads 1

# a forced kernel: obeyed, and said if it costs; one that OpenBLAS would choose itself costs nothing
expect_exit "doctor measures a forced kernel" 0 'forced kernel +OPENBLAS_CORETYPE=Prescott' -- \
    env OPENBLAS_CORETYPE=Prescott "$switchyard" doctor
if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then
    expect_exit "train warns of a forced kernel" 0 'warning: OPENBLAS_CORETYPE=Prescott .*is obeyed, .* % slower here.*checkpoint' -- \
        env OPENBLAS_CORETYPE=Prescott "${on_two_ranks[@]}" "$switchyard" train tiny.yaml --set run.directory=forced
fi

# bench
expect_exit "bench gemm" 0 '"name":"expert down"' -- \
    "$switchyard" bench gemm tiny.yaml --repetitions 1 --json
expect_exit "bench kernels" 0 'router choice, 2 experts .*router choice, 4 experts .*AdamW .*GB/s' -- \
    "$switchyard" bench kernels tiny.yaml --repetitions 1 --set model.layers=2 --set 'model.experts=[4, 2]'
expect_exit "bench memory" 0 '"update":\{"count":1,' -- "$switchyard" bench memory --megabytes 8 --repetitions 1 --json
expect_exit "bench exchange on two ranks" 0 'all-to-all +1,024 .*all-reduce +65,536 .*2 ranks' -- \
    "${on_two_ranks[@]}" "$switchyard" bench exchange --megabytes 1 --repetitions 1
for ranks in one two; do
    on="on_${ranks}_rank$([[ $ranks == one ]] || echo s)[@]"
    expect_exit "bench step on $ranks" 0 '"mfu":[0-9.e-]+.*"ranks":[12],"routing":"uniform".*"tokens_per_second":[0-9]' -- \
        "${!on}" "$switchyard" bench step tiny.yaml --routing uniform --steps 2 --json
done
expect_exit "bench step refuses what train refuses" 78 'expert_parallel` is 3' -- \
    "$switchyard" bench step tiny.yaml --set parallel.expert_parallel=3

# the trace: whole after every step, whatever ends the run
expect_exit "train --trace" 0 'checkpoint' -- "${on_two_ranks[@]}" "$switchyard" train tiny.yaml --trace 1:2
expect "both ranks are in the trace" grep -q '"name": "step", .*"pid": 1, ' run/trace.json
starts cut.log "${on_two_ranks[@]}" "$switchyard" train tiny.yaml --trace 1:1000000 --set train.steps=1000000 \
    --set run.directory=cut
expect "a trace appears while the run goes on" wait_until "$limit" test -s cut/trace.json
mapfile -t ranks < <(ranks_of "$job")
kill -KILL "$job"
{ wait "$job" || true; } 2>/dev/null
expect "the ranks of the killed mpirun are gone" wait_until "$limit" are_gone "${ranks[@]}"
expect "the trace of a killed run is whole" test "$(tail -n 1 cut/trace.json)" = ']}'
expect_exit "a trace of no steps" 64 "'0' is invalid for '--trace <steps>'" -- "$switchyard" train tiny.yaml --trace 0
expect_exit "a quiet run" 0 '^[^%]*checkpoint quiet/[^%]*$' -- "$switchyard" train tiny.yaml --quiet --set run.directory=quiet

# init
expect_exit "a configuration to start from" 0 'made/config.yaml corpus.txt has .* too little .*next: switchyard train made/config' -- \
    "$switchyard" init made --data corpus.txt
expect_exit "which can be checked" 0 'parameters .*memory: a rank' -- "$switchyard" train made/config.yaml --check
"$switchyard" tokenize corpus.txt --tokenizer byte --output corpus.tokens >/dev/null
expect_exit "one for tokens" 0 "next: switchyard train 'for tokens/config.yaml' --check" -- \
    "$switchyard" init 'for tokens' --data corpus.tokens
expect_exit "which can be checked too" 0 'parameters .*memory: a rank' -- "$switchyard" train 'for tokens/config.yaml' --check
mkdir empty
expect_exit "one for a directory without texts" 0 'empty.*Name your texts in .data.train' -- \
    "$switchyard" init made/empty --data empty
expect_exit "one in no directory" 64 'a path on the command line is empty' -- "$switchyard" init ''
expect_exit "and is not replaced" 73 'made/config.yaml is there already' -- "$switchyard" init made
expect_exit "with texts that are not there yet" 0 'none.*Name your texts in .data.train' -- "$switchyard" init later --data none

# report
write_run_table >runs.csv
expect_exit "a report of a run and a table" 0 'pages/all.html' -- \
    "$switchyard" report run runs.csv --output pages/all.html --title 'A & B'
expect "the page is whole" grep -q '^</html>$' pages/all.html
expect "the page has its title as text" grep -q '<title>A &amp; B</title>' pages/all.html
expect_exit "a report of nothing" 66 'there is no nowhere .*name a run.s directory' -- "$switchyard" report nowhere
expect_exit "a report that cannot be written" 73 '/proc/page.html cannot be written' -- \
    "$switchyard" report run --output /proc/page.html

# watch
expect_exit "how a finished run stands" 0 'run +finished.*step 3/3.*tokens/s' -- "$switchyard" watch run --once
expect_exit "a watch of nothing" 66 'there is no nowhere/metrics.jsonl' -- "$switchyard" watch nowhere
# in_a_terminal LOG COMMAND: on a pseudo-terminal of 80 × 24, in the background; sets job.
in_a_terminal() { starts "$1" script --quiet --return --command "stty cols 80 rows 24; exec $2" /dev/null; }
in_a_terminal finished.log "env NO_COLOR=1 LC_ALL=C.UTF-8 $switchyard watch run"
expect "a watch of a finished run ends by itself" wait_until "$limit" are_gone "$job"
expect "and leaves the cursor as it was" test -z "$(grep -o $'\e\\[?25l' finished.log)"
expect "with NO_COLOR there are no colors" test -z "$(grep -o $'\e\\[[0-9]*m' finished.log)"
# What starts the tests may ignore SIGINT, which a shell passes on.
in_a_terminal cut.view "env --default-signal=INT $switchyard watch cut --every 0.1"
expect "a watch of a run that goes on shows it" wait_until "$limit" grep -q 'step ' cut.view
pkill -INT --parent "$job" --full "watch cut"
expect "and ends with SIGINT" wait_until "$limit" are_gone "$job"
expect "without a word about jobs" test -z "$(grep -o 'asked to leave' cut.view)"
