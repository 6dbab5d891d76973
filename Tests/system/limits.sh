#!/usr/bin/env bash
# Output that cannot be written, limits on memory and threads, numbers that no run has, and an MPI that cannot start: each
# ends with a message and the exit code of docs/exit-codes.md, never by a signal.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_tiny_run "$work"
cd "$work"
"$switchyard" train tiny.yaml >/dev/null 2>&1
"$switchyard" tokenize corpus.txt --output corpus.tokens >/dev/null 2>&1
printf 'n_active,n_total,tokens,flops,loss\n' >runs.csv
for n in 1 2 4 8 16; do
    for d in 1 2 4 8; do
        awk -v n="$n" -v d="$d" 'BEGIN { printf "%de6,%de6,%de8,%de14,%.6f\n", n, n, d, 6 * n * d, 1.7 + 400 / (n * 1e6) ^ 0.34 + 400 / (d * 1e8) ^ 0.28 }' >>runs.csv
    done
done
shard=$(find run/checkpoints -name '*.h5' | head -n 1)

# Standard output that is full, closed, or has no reader.
to_full() { "$@" >/dev/full; }
to_nothing() { "$@" >&-; }
to_nobody() {
    local -a codes
    { sleep 0.2 && "$@" 2>"$work/errors"; } | true
    codes=("${PIPESTATUS[@]}")
    [[ -s $work/errors ]] || echo quiet
    return "${codes[0]}"
}
outputs() {
    local name=$1
    shift
    expect_exit "$name to a full device" 74 'cannot write to standard output: No space left' -- to_full "$@"
    expect_exit "$name to a closed output" 74 'cannot write to standard output: Bad file' -- to_nothing "$@"
    expect_exit "$name to nobody" 141 'quiet' -- to_nobody "$@"
}
# expect_exit starts a program, not a function of this shell.
export -f to_full to_nothing to_nobody
export work
expect_exit() {
    local name=$1 code=$2 pattern=$3 status=0 output=$work/output
    shift 4
    timeout --kill-after=5 "$limit" bash -c '"$@"' _ "$@" >"$output" 2>&1 </dev/null || status=$?
    if ((status == 124)); then
        fails "$name" "still running after $limit s" "$output"
    else
        judge "$name" "$status" "$code" "$pattern" "$output"
    fi
}

outputs "inspect" "$switchyard" inspect run
outputs "generate" "$switchyard" generate run --tokens 3
for arguments in "inspect run --json" "inspect run --config" "inspect $shard" "verify run" "verify run --json" \
    "evaluate run --data corpus.txt" "evaluate run --data corpus.txt --json" "train tiny.yaml --check" \
    "train tiny.yaml --check --json" "tokenize corpus.txt --output again.tokens" "plan --flops 1e18" \
    "plan --flops 1e18 --json" "plan --tables" "fit runs.csv --law chinchilla --bootstrap 0 --json" \
    "convert reshard run resharded --shards 2" "bench memory --megabytes 1 --repetitions 1" "--help" "train --help"; do
    # shellcheck disable=SC2086
    expect_exit "$arguments to a full device" 74 'cannot write to standard output: No space left' -- \
        to_full "$switchyard" $arguments
done
rm -rf quiet
expect_exit "training does not need an output" 0 'checkpoint quiet' -- \
    to_full "$switchyard" train tiny.yaml --set run.directory=quiet
# Nor a reader of its progress: the run itself counts.
unheard() { "$@" >/dev/full 2>/dev/full && echo finished; }
export -f unheard
rm -rf quiet
expect_exit "progress that cannot be written does not end a run" 0 'finished' -- \
    unheard "$switchyard" train tiny.yaml --set run.directory=quiet
expect "… which has all its steps" has_step quiet 3

# Memory: whatever the limit, a run trains or says why not.
limited() {
    ulimit "$1" "$2"
    shift 2
    "$@"
}
export -f limited
launcher=()
trains_or_refuses() {
    local kind=$1 size status
    for size in "${@:2}"; do
        status=0
        rm -rf small
        # shellcheck disable=SC2016  # the arguments of each rank
        timeout --kill-after=5 "$limit" "${launcher[@]}" bash -c 'ulimit "$1" "$2" && shift 2 && exec "$@"' _ "$kind" "$size" \
            "$switchyard" train tiny.yaml --set run.directory=small >"$work/output" 2>&1 </dev/null || status=$?
        if ((status == 0 || status == 69)) && { ((status == 0)) || grep -q '^switchyard: ' "$work/output"; }; then
            passes "training${launcher:+ on two ranks} under ulimit $kind $size ends with $status"
        else
            fails "training${launcher:+ on two ranks} under ulimit $kind $size" "exit code $status" "$work/output"
        fi
    done
}
trains_or_refuses -v 250000 350000 450000 550000 650000 800000 1000000 2000000
trains_or_refuses -d 50000 150000 300000 400000 600000 1000000
trains_or_refuses -n 10 16 20 32 64
expect_exit "a small text under ulimit -d 60000" 69 'the limit on data .ulimit -d. of 61 MB leaves no room for the libraries' -- \
    limited -d 60000 "$switchyard" tokenize corpus.txt --output small.tokens
expect_exit "… and under ulimit -d 200000" 0 'tokens of a vocabulary of 257' -- \
    limited -d 200000 "$switchyard" tokenize corpus.txt --output small.tokens
for limit_of_addresses in 250000 300000 350000 450000; do
    status=0
    (ulimit -v "$limit_of_addresses" && timeout --kill-after=5 "$limit" "$switchyard" --version) >"$work/output" 2>&1 || status=$?
    expect "--version under ulimit -v $limit_of_addresses ends with $status" \
        grep -qxE '0|69' <<<"$status"
done
launcher=("${on_two_ranks[@]}")
trains_or_refuses -v 250000 300000 450000
trains_or_refuses -n 12 20 30
# Limits of a container, where this machine lets us set them: control groups (version 1).
in_control_group() {
    echo $BASHPID >"$1/cgroup.procs"
    shift
    exec "$@"
}
export -f in_control_group
# group_trains_or_refuses CONTROLLER FILE LIMIT…
group_trains_or_refuses() {
    local group=/sys/fs/cgroup/$1/switchyard-test-$$ limit_of_group status
    if ! mkdir "$group" 2>/dev/null; then
        printf 'skipped limits of control groups: %s cannot be made\n' "$group"
        return
    fi
    for limit_of_group in "${@:3}"; do
        status=0
        rm -rf small
        echo "$limit_of_group" >"$group/$2"
        # shellcheck disable=SC2016  # the inner shell's arguments
        timeout --kill-after=5 "$limit" bash -c 'in_control_group "$@"' _ "$group" "$switchyard" train tiny.yaml --set run.directory=small \
            --set model.d_model=256 --set parallel.threads_per_rank=8 >"$work/output" 2>&1 </dev/null || status=$?
        judge "training in a group with $2 $limit_of_group ends with 69" "$status" 69 'switchyard: ' "$work/output"
    done
    wait_until "$limit" rmdir "$group"
}
group_trains_or_refuses memory memory.limit_in_bytes 60M 100M
group_trains_or_refuses pids pids.max 3 6 10
expect_exit "a model beyond the limit on addresses" 69 'limit on address space .ulimit -v. of 2.05 GB leaves' -- \
    limited -v 2000000 "$switchyard" train tiny.yaml --check --set model.d_model=4096 --set model.layers=2 \
    --set run.directory=unmade
expect_exit "an array beyond the limit" 69 'the system refuses [0-9]+ bytes of memory' -- \
    limited -v 2000000 "$switchyard" bench memory --megabytes 4000
expect_exit "an array beyond the limit, on two ranks" 69 'rank [01]: the system refuses [0-9]+ bytes of memory' -- \
    limited -v 2000000 "${on_two_ranks[@]}" "$switchyard" bench memory --megabytes 4000
expect_exit "threads beyond the limit" 69 'the system refuses another thread' -- \
    limited -v 2000000 "$switchyard" bench memory --megabytes 1 --threads 1000

truncate -s 3G large.txt large.tokens
expect_exit "a file that cannot be mapped" 69 'cannot map large.txt .3221225472 bytes. into memory: Cannot allocate memory' -- \
    limited -v 2000000 "$switchyard" tokenize large.txt --output mapped.tokens
expect_exit "a token file that cannot be mapped" 69 'cannot map large.tokens .*Cannot allocate memory.*ulimit -v' -- \
    limited -v 2000000 "$switchyard" train tiny.yaml --check --set data.train=large.tokens --set run.directory=unmade
rm large.txt large.tokens

{ yes 'some words of a text' 2>/dev/null || true; } | head -c 250000000 >large.txt
expect_exit "a document larger than the memory allowed" 0 'from 250000000 bytes in 1 documents' -- \
    limited -d 200000 "$switchyard" tokenize large.txt --tokenizer 'bpe 270' --output large.tokens
rm large.txt large.tokens

# Numbers
expect_exit "1,024 threads" 78 'to have 1024 threads.*allowed here are at most' -- \
    "$switchyard" train tiny.yaml --check --set parallel.threads_per_rank=1024
expect_exit "2^40 tokens a step" 78 'at most 1048576' -- \
    "$switchyard" train tiny.yaml --check --set batch.tokens=1099511627776
for number in 0 1e-300 1e-25 1099511627776 9223372036854775807 1e308 nan; do
    for arguments in "plan --flops=$number" "plan --flops=1e20 --max-total=$number" "plan --flops=1e20 --max-tokens=$number" \
        "plan --flops=1e20 --max-ratio=$number" "plan --flops=1e20 --memory=$number" "plan --flops=1e20 --experts=$number" \
        "plan --flops=1e20 --vocabulary-size=$number" "plan --flops=1e20 --inference-tokens=$number" \
        "plan --flops=1e20 --memory=8 --cache-tokens=$number --plots=plots" "plan --law=fine-grained --flops=1e20 --granularity=$number" \
        "plan --nodes=$number --cores=$number --rate=10 --hours=3" "plan --flops=1e20 --memory=8 --bytes-per-parameter=$number" \
        "plan --flops=$number --max-total=1e6 --write-config=plan.yaml" \
        "fit runs.csv --law=chinchilla --bootstrap=0 --hold-out=$number" "fit runs.csv --law=chinchilla --bootstrap=0 --huber=$number" \
        "generate run --tokens=1 --threads=$number" \
        "generate run --tokens=1 --top-k=$number" "generate run --tokens=1 --temperature=$number" \
        "generate run --tokens=1 --seed=$number" "evaluate run --data corpus.txt --threads=$number" \
        "train tiny.yaml --check --virtual-ranks=$number" "train tiny.yaml --check --set seed=$number" \
        "train new.yaml --branch-from run --decay-tokens=$number" "bench memory --repetitions=1 --megabytes=$number" \
        "bench checkpoint --pairs=1 --megabytes=1 --shards=$number" "replay run --step=$number" \
        "convert reshard run other-$number --shards=$number" "convert upcycle run up-$number --experts=$number"; do
        status=0
        # shellcheck disable=SC2086
        (ulimit -v 8000000 && timeout "$limit" "$switchyard" $arguments) >"$work/output" 2>&1 </dev/null || status=$?
        case $status in
            0 | 64 | 65 | 66 | 69 | 74 | 77 | 78) ;;
            *) fails "$arguments" "exit code $status" "$work/output" ;;
        esac
    done
done
((failures > 0)) || passes "numbers that no command can use are refused"

# MPI
expect_exit "no PATH, no home" 0 'nats per token' -- \
    env -i "$switchyard" evaluate run --data corpus.txt
"$switchyard" train tiny.yaml --set reproducible=true --set run.directory=exact >/dev/null 2>&1
expect_exit "replay starts no MPI" 0 'confirmed' -- \
    env OMPI_MCA_pml=nonsense "$switchyard" replay exact --step 2
expect_exit "replay under mpirun" 64 'replay needs no mpirun' -- "${on_two_ranks[@]}" "$switchyard" replay exact --step 2
expect_exit "a directory for temporary files that cannot be written" 69 'MPI cannot start.*/proc.*set TMPDIR' -- \
    env TMPDIR=/proc "$switchyard" evaluate run --data corpus.txt
expect_exit "a directory for temporary files that is a file" 69 'MPI cannot start.*in corpus.txt, where.*Not a directory' -- \
    env TMPDIR=corpus.txt "$switchyard" evaluate run --data corpus.txt
expect_exit "an MPI that cannot start" 69 'switchyard: .*MPI could not start' -- \
    env OMPI_MCA_pml=nonsense "$switchyard" evaluate run --data corpus.txt

# Sessions of an mpirun that was killed before its ranks could note them.
export TMPDIR=$work/temporary
mkdir "$TMPDIR"
if mpirun --version | head -n 1 | grep -q ' 4\.'; then
    root=$TMPDIR/ompi.$(hostname -s).$(id -u)
    session() { printf '%s/pid.%s' "$root" "$1"; }
else
    root=$TMPDIR
    session() { printf '%s/prterun.%s.%s.%s' "$root" "$(hostname -s)" "$1" "$(id -u)"; }
fi
sleep 0 &
gone=$!
wait "$gone"
mkdir -p "$(session "$gone")/0/0" "$(session $$)/0" "$root/other" "$work/elsewhere/$(basename "$(session "$gone")")"
chmod -R go-w "$root"
ln -s "$work/elsewhere" "$(session 999999999)"
rm -rf run
"${on_two_ranks[@]}" "$switchyard" train tiny.yaml >"$work/output" 2>&1 || fails "a run after a killed one" "" "$work/output"
expect "the session of a dead mpirun is removed" [ ! -e "$(session "$gone")" ]
expect "… that of a living process is not" [ -d "$(session $$)/0" ]
expect "… nor what is no session, nor a link's target" [ -d "$root/other" -a -d "$work/elsewhere/$(basename "$(session "$gone")")" ]

# Records and facts larger than the memory: a crash of the machine can leave zeros, which take no room on the disk.
rm -rf run
"$switchyard" train tiny.yaml --set reproducible=true >/dev/null 2>&1
# shellcheck disable=SC2016 # for the shell that it starts
within=(bash -c 'ulimit -v "$1" && shift && exec "$@"' _)
truncate -s 4G run/metrics.jsonl
for command in "fit run --law chinchilla" "replay run --step 2"; do
    # shellcheck disable=SC2086
    expect_exit "records of 4 GB: $command" 65 'metrics.jsonl:4: the line is longer than the 4194304 bytes' -- \
        "${within[@]}" 2000000 "$switchyard" $command
done
truncate -s 1G run/metrics.jsonl
expect_exit "records of 1 GB are cut off where the run stands" 0 'validation after step 4' -- \
    "${within[@]}" 1000000 "$switchyard" train tiny.yaml --set reproducible=true --set train.steps=4
expect "… and the records are whole" [ "$(grep -c '^{.*}$' run/metrics.jsonl)" -eq 4 ]
truncate -s 4G run/run.json
expect_exit "facts of 4 GB" 65 'run.json has 4294967296 bytes; such a file has at most' -- \
    "${within[@]}" 2000000 "$switchyard" fit run --law chinchilla
