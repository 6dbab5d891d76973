# shellcheck shell=bash
# The harness of the end-to-end tests; sourced by each, which can be run alone once the build is there.
# A test prints `ok NAME` or `FAILED NAME` for everything it looks at; scripts/test counts the lines.
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=../../scripts/bounds.sh
source scripts/bounds.sh

build_directory=$PWD/${SWITCHYARD_TEST_BUILD:-.build}
switchyard=$build_directory/release/switchyard
# After how many seconds a command or a condition counts as hung: seconds of an idle machine (scripts/bounds.sh).
limit=${SWITCHYARD_TEST_LIMIT:-60}
failures=0
work=$(mktemp -d)
trap 'end_of_tests' EXIT
trap 'exit 143' TERM INT HUP

[[ -x $switchyard ]] || fail 69 "$switchyard is missing" "swift build -c release"
set_rank_environment
allow_more_ranks_than_cores

# A program on N ranks: "${on_two_ranks[@]}" "$switchyard" train …
on_one_rank=(mpirun --bind-to none -np 1)
on_two_ranks=(mpirun --bind-to none -np 2)
: "${on_one_rank[@]}" "${on_two_ranks[@]}"

passes() { printf 'ok     %s\n' "$1"; }

# fails NAME [WHY [FILE]]: the last lines of FILE show what happened.
fails() {
    failures=$((failures + 1))
    printf 'FAILED %s\n' "$1"
    [[ -z ${2:-} ]] || printf '    %s\n' "$2"
    [[ ! -f ${3:-} ]] || tail -n 15 "$3" | sed 's/^/    | /'
}

# expect_exit NAME CODE REGEX -- COMMAND…: it ends in time with that exit code, and what it printed matches (an
# extended regular expression; a dot may stand for a line break).
expect_exit() {
    local name=$1 code=$2 pattern=$3 status=0 output=$work/output
    shift 4
    bounded "$limit" "$@" >"$output" 2>&1 </dev/null || status=$?
    if ((status == 124)); then
        fails "$name" "still running after $limit s" "$output"
    else
        judge "$name" "$status" "$code" "$pattern" "$output"
    fi
}

# judge NAME STATUS CODE REGEX FILE
judge() {
    if (($2 != $3)); then
        fails "$1" "exit code $2 instead of $3" "$5"
    elif ! tr '\n' ' ' <"$5" | grep -qE -- "$4"; then
        fails "$1" "the output does not match /$4/" "$5"
    else
        passes "$1"
    fi
}

# expect NAME COMMAND…: the command succeeds.
expect() {
    local name=$1
    shift
    if "$@" >"$work/expectation" 2>&1; then passes "$name"; else fails "$name" "failed: $*" "$work/expectation"; fi
}

# The ranks that an mpirun started; /proc answers also where there is no pgrep.
ranks_of() {
    { cat /proc/[0-9]*/stat 2>/dev/null || true; } |
        awk -v parent="$1" '$2 == "(switchyard)" && $4 == parent { print $1 }'
}

# have_computed MILLISECONDS PROCESS…: whether each has since `note_processor_time` of them.
have_computed() {
    local process now
    for process in "${@:2}"; do
        now=$(processor_time "$process") && [[ -n $now ]] || return 1
        ((now - ${noted[$process]:-0} >= $1 * 1000000)) || return 1
    done
}
declare -A noted
note_processor_time() {
    local process
    for process in "$@"; do noted[$process]=$(processor_time "$process"); done
}

# In nanoseconds, of all threads of a process.
processor_time() {
    { cat "/proc/$1"/task/*/schedstat 2>/dev/null || true; } | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# write_tiny_run DIRECTORY: corpus.txt and tiny.yaml, a run of three steps and four micro-batches, over in a second.
write_tiny_run() {
    local line
    for ((line = 0; line < 300; line++)); do
        echo "The quick brown fox number $line jumps over the lazy dog, and dog number $line does not mind at all."
    done >"$1/corpus.txt"
    cat >"$1/tiny.yaml" <<'END'
run:
  directory: run
data:
  train: corpus.txt
  validation: tail 0.1
model:
  d_model: 32
  layers: 1
  heads: 2
  context: 32
  experts: 4
batch:
  tokens: 512
  micro_batch_tokens: 128
train:
  steps: 3
END
}

# write_run_table: 20 runs that follow a Chinchilla law, as a table for `fit`.
write_run_table() {
    local n d
    echo 'n_active,n_total,tokens,loss'
    for n in 1 2 4 8 16; do
        for d in 1 2 4 8; do
            awk -v n="${n}e6" -v d="${d}e9" 'BEGIN { printf "%g,%g,%g,%.6f\n", n, n, d, 1.7 + 400 / n^0.34 + 410 / d^0.28 }'
        done
    done
}

# All that a run says of its steps, except for times and memory.
figures() { sed -E 's/"(([a-z]+_)*seconds|time|host|mfu|mfu_is_doubtful|gemm_peak_flops|peak_memory_bytes|tokens_per_second)":[^,}]*,?//g' "$1/metrics.jsonl"; }

# same_figures NAME A B [FIRST]: from step FIRST on.
same_figures() {
    figures "$2" | tail -n "+${4:-1}" >"$work/a"
    figures "$3" | tail -n "+${5:-${4:-1}}" >"$work/b"
    if [[ -s $work/a ]] && cmp -s "$work/a" "$work/b"; then
        passes "$1"
    else
        comm -3 <(sort "$work/a") <(sort "$work/b") | head -n 4 >"$work/difference"
        fails "$1" "$(wc -l <"$work/a") steps and $(wc -l <"$work/b"); they differ in" \
            "$work/difference"
    fi
}

# has_step DIRECTORY STEP
has_step() { grep -q "\"step\":$2," "$1/metrics.jsonl"; }

# starts LOG COMMAND…: in the background; sets job.
starts() {
    : >"$1"
    in_a_group "${@:2}" >"$1" 2>&1 </dev/null
}

# ends NAME CODE REGEX LOG [SECONDS]: the job that was started ends in time with that exit code and these words.
ends() {
    local name=$1 code=$2 pattern=$3 log=$4 seconds=${5:-$limit} status=0
    if ! wait_until "$seconds" are_gone "$job"; then
        fails "$name" "still running after $seconds s" "$log"
        end_group "$job"
        { wait "$job" || true; } 2>/dev/null
        return
    fi
    { wait "$job" || status=$?; } 2>/dev/null
    judge "$name" "$status" "$code" "$pattern" "$log"
}

# For a script that must undo more than its processes before its folder can be removed.
before_removal() { :; }

# Ends what the tests started and what still runs, also after a failure in the middle.
end_of_tests() {
    local status=$? process
    for process in $(jobs -p); do end_group "$process"; done
    before_removal
    rm -rf "$work"
    ((status != 0)) || ((failures == 0)) || exit 1
}

# has_saves LOG COUNT: a run has said of at least so many checkpoints that they are there.
has_saves() { (($(grep -c '^checkpoint ' "$1") >= $2)); }

has_saves_or_ended() { has_saves "$@" || ! kill -0 "$job" 2>/dev/null; }

# stands_requests NAME COUNT DIRECTORY COMMAND…: a run that never ends takes COUNT requests to save, one after another and at any
# moment of a step, by one rank and then the next. Each gives one checkpoint; then comes a volley, and a request to leave.
stands_requests() {
    local name=$1 count=$2 directory=$3 sent=0 processes log=$3.log
    starts "$log" "${@:4}"
    wait_until "$limit" has_step "$directory" 3 || { fails "$name" "no step in $limit s" "$log" && return; }
    mapfile -t processes < <(ranks_of "$job")
    ((${#processes[@]})) || processes=("$job")
    while ((sent < count)); do
        sleep "0.0$((RANDOM % 30 + 10))"
        kill -USR1 "${processes[sent % ${#processes[@]}]}" 2>/dev/null || break
        sent=$((sent + 1))
        wait_until "$limit" has_saves_or_ended "$log" "$sent" || break
    done
    local saves
    saves=$(grep -c '^checkpoint ' "$log" || true)
    ((sent == count && saves == count)) || {
        kill -KILL "$job" 2>/dev/null || true
        local status=0
        wait "$job" || status=$?
        fails "$name" "$sent of $count requests sent, $saves checkpoints, exit code $status" "$log"
        return
    }
    for ((sent = 0; sent < 50; sent++)); do
        kill -USR1 "${processes[sent % ${#processes[@]}]}"
    done
    wait_until "$limit" has_saves "$log" $((count + 1)) || fails "$name" "no checkpoint after a volley" "$log"
    kill -USR2 "${processes[-1]}"
    ends "$name" 75 'the state is saved' "$log"
    expect "… and what it leaves verifies" "$switchyard" verify "$directory"
}
