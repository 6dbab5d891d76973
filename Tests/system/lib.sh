# shellcheck shell=bash
# The harness of the end-to-end tests; sourced by each, which can be run alone once the build is there.
# A test prints `ok NAME` or `FAILED NAME` for everything it looks at; scripts/test counts the lines.
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

build_directory=$PWD/${SWITCHYARD_TEST_BUILD:-.build}
switchyard=$build_directory/release/switchyard
# How long one command may take, in seconds, before it counts as hung.
limit=${SWITCHYARD_TEST_LIMIT:-60}
failures=0
work=$(mktemp -d)
trap 'end_of_tests' EXIT

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
    timeout --kill-after=5 "$limit" "$@" >"$output" 2>&1 </dev/null || status=$?
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

# wait_until SECONDS COMMAND…: true as soon as the command succeeds, false when the time is over.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}

# The ranks that an mpirun started; /proc answers also where there is no pgrep.
ranks_of() {
    { cat /proc/[0-9]*/stat 2>/dev/null || true; } |
        awk -v parent="$1" '$2 == "(switchyard)" && $4 == parent { print $1 }'
}

# Whether none of these processes is alive any more; one that its parent has not yet asked about counts as ended.
are_gone() {
    local process
    for process in "$@"; do
        [[ ! -r /proc/$process/stat || $(sed 's/.*) \(.\).*/\1/' "/proc/$process/stat" 2>/dev/null) == [ZX] ]] || return 1
    done
}

# write_tiny_run DIRECTORY: corpus.txt and tiny.yaml, a run of three steps and four lanes, over in a second.
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
  lane_tokens: 128
train:
  steps: 3
END
}

# All that a run says of its steps, except for times and memory.
figures() { sed -E 's/"(([a-z]+_)*seconds|mfu|gemm_peak_flops|peak_memory_bytes|tokens_per_second)":[^,}]*,?//g' "$1/metrics.jsonl"; }

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
    "${@:2}" >"$1" 2>&1 </dev/null &
    job=$!
}

# ends NAME CODE REGEX LOG [SECONDS]: the job that was started ends in time with that exit code and these words.
ends() {
    local name=$1 code=$2 pattern=$3 log=$4 status=0
    if ! wait_until "${5:-10}" are_gone "$job"; then
        fails "$name" "still running after ${5:-10} s" "$log"
        kill -KILL "$job"
        { wait "$job" || true; } 2>/dev/null
        return
    fi
    { wait "$job" || status=$?; } 2>/dev/null
    judge "$name" "$status" "$code" "$pattern" "$log"
}

end_of_tests() {
    local status=$? process
    for process in $(jobs -p); do kill -KILL "$process" 2>/dev/null || true; done
    rm -rf "$work"
    ((status != 0)) || ((failures == 0)) || exit 1
}
