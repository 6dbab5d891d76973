# shellcheck shell=bash
# The harness of the end-to-end tests; sourced by each, which can be run alone once the build is there.
# A test prints `ok NAME` or `FAILED NAME` for everything it looks at; scripts/test counts the lines.
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

switchyard=$PWD/.build/release/switchyard
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
    elif ((status != code)); then
        fails "$name" "exit code $status instead of $code" "$output"
    elif ! tr '\n' ' ' <"$output" | grep -qE -- "$pattern"; then
        fails "$name" "the output does not match /$pattern/" "$output"
    else
        passes "$name"
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

end_of_tests() {
    local status=$? process
    for process in $(jobs -p); do kill -KILL "$process" 2>/dev/null || true; done
    rm -rf "$work"
    ((status != 0)) || ((failures == 0)) || exit 1
}
