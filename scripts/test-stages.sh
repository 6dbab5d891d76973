# shellcheck shell=bash
# The stages of the tests and their counts, for scripts/test and Tests/long/libraries.sh; sourced after lib.sh.
# A stage writes its log into $logs, adds to passed and failed, and leaves a closing line.

logs=${logs:-.cache/test}
build_directory=${SWITCHYARD_TEST_BUILD:-.build}
# shellcheck source=bounds.sh
source scripts/bounds.sh
trap 'for process in $(jobs -p); do end_group "$process"; done' EXIT
trap 'exit 143' TERM INT HUP
passed=0 failed=0 skipped=0
closing_lines=() stage_times=()

# stage NAME COMMAND…: runs it under a heading and records how long it took.
stage() {
    local began=$SECONDS
    section "$1"
    "${@:2}"
    stage_times+=("$(printf '%6d s  %s' $((SECONDS - began)) "$1")")
}

# record NAME PASSED FAILED STATUS: adds to the totals; a stage that failed without naming a test counts as one failure,
# and so does one that ran no test.
record() {
    local name=$1 good=$2 bad=$3 status=$4
    if ((status != 0 && bad == 0)); then
        bad=1
        closing_lines+=("FAILED $name ended with exit code $status$( ((status != 124)) || printf ' (time limit)')")
    elif ((good + bad == 0)); then
        bad=1
        closing_lines+=("FAILED $name ran no test")
    fi
    passed=$((passed + good)) failed=$((failed + bad))
    closing_lines+=("$name: $good passed, $bad failed")
}

log_of() { printf '%s/%s.log\n' "$logs" "${1//[ \/]/-}"; }

# record_lines NAME STATUS: counts the `ok` and `FAILED` lines of its log.
record_lines() {
    local log
    log=$(log_of "$1")
    record "$1" "$(grep -c '^ok ' "$log" || true)" "$(grep -c '^FAILED ' "$log" || true)" "$2"
}

# lines_of_tests NAME SECONDS COMMAND…: a program that prints `ok NAME` or `FAILED NAME` for every test, shown as it
# goes. It is ended when its time is over (seconds of an idle machine).
lines_of_tests() {
    local name=$1 seconds=$2 status=0 log
    log=$(log_of "$name")
    shift 2
    : >"$log"
    in_a_group bounded "$seconds" "$@" >"$log" 2>&1 </dev/null
    tail -n +1 -s 0.2 -f --pid="$job" "$log"
    wait "$job" || status=$?
    record_lines "$name" "$status"
}

unit_tests() {
    local status=0 results=$logs/unit-swift-testing.xml good bad
    bounded 1200 swift test -c release --scratch-path "$build_directory" --disable-testable-imports --skip-build \
        --xunit-output "$logs/unit.xml" >"$logs/unit.log" 2>&1 || status=$?
    if ((status == 0)); then
        grep -E '^[^ ]+ (Suite .*(passed|failed)|Test .* skipped)' "$logs/unit.log" || true
    else
        grep -vE 'started\.$|Test case passing' "$logs/unit.log" || true
    fi
    read -r good bad < <(count_unit_tests "$results")
    skipped=$(grep -c '<skipped' "$results" 2>/dev/null || true)
    closing_lines+=("$(grep -E 'Test run with [0-9]+ tests? ' "$logs/unit.log" | tail -n 1)")
    record "unit tests" "$good" "$bad" "$status"
}

# A link to a symbol that is gone, or a parameter list that names half of the parameters, is an error.
documentation() {
    local status=0
    bounded 600 scripts/documentation >"$logs/documentation.log" 2>&1 || status=$?
    ((status == 0)) || cat "$logs/documentation.log"
    record "documentation" "$((status == 0))" "$((status != 0))" "$status"
}

# Swift Testing's report: a test without findings is one element, a failed one encloses its failures. A run that
# crashed left no report; then the log's lines count.
count_unit_tests() {
    if [[ -s $1 ]] && grep -q '<testcase' "$1"; then
        awk '/<testcase .*\/>/ { good++ } /<testcase .*[^\/]>/ { open = 1 } /<failure/ && open { bad++; open = 0 }
             END { print good + 0, bad + 0 }' "$1"
    else
        awk '/ Test .* passed after / && !/ Test run with / { good++ }
             / Test .* failed after / && !/ Test run with / { bad++ } END { print good + 0, bad + 0 }' "$logs/unit.log"
    fi
}

# For a long part, whose lines are counted: each unit test as a line of its own.
unit_test_lines() {
    local before=$failed
    unit_tests >"$logs/unit-tests.log"
    sed -nE 's/.*<testcase classname="([^"]*)" name="([^"]*)".*\/>.*/ok     \1 \2/p' "$logs/unit-swift-testing.xml"
    if ((failed > before)); then
        cat "$logs/unit-tests.log"
        printf 'FAILED unit test, number %s\n' $(seq $((failed - before)))
    fi
}

rank_checks() {
    stage "rank checks on $1" \
        lines_of_tests "rank checks on $1" 300 mpirun --bind-to none -np "$1" "$build_directory/release/rank-checks"
}

system_scripts() { find Tests/system -name '*.sh' ! -name lib.sh | sort; }

# How many scripts of Tests/system run at a time: they start many short jobs, which leave the processors idle meanwhile.
test_jobs=${SWITCHYARD_TEST_JOBS:-2}
declare -A script_of=() began_at=()

# system_tests SCRIPT…: each is shown when it is over.
system_tests() {
    local script
    for script in "$@"; do
        ((${#script_of[@]} < test_jobs)) || finish_system_test
        in_a_group bounded 600 bash "$script" >"$(log_of "$script")" 2>&1 </dev/null
        script_of[$job]=$script began_at[$job]=$SECONDS
    done
    while ((${#script_of[@]} > 0)); do finish_system_test; done
}

finish_system_test() {
    local status=0 process script
    wait -n -p process "${!script_of[@]}" || status=$?
    script=${script_of[$process]}
    unset "script_of[$process]"
    section "$script"
    cat "$(log_of "$script")"
    record_lines "$script" "$status"
    stage_times+=("$(printf '%6d s  %s' $((SECONDS - began_at[$process])) "$script")")
}

# For a long part: how long each stage took, and the stages that failed without a line of their own, so that the
# lines of the part are all that must be counted.
stages_summary() {
    printf '%s\n' "${closing_lines[@]}" | grep '^FAILED ' || true
    stage_times_table
}

stage_times_table() {
    section "stage times"
    printf '%s\n' "${stage_times[@]}"
    printf '%6d s  total\n' "$SECONDS"
}

# How long each stage took, the closing lines of all, and the totals, which are the last line.
summary() {
    stage_times_table
    section "summary"
    printf '%s\n' "${closing_lines[@]}"
    ((skipped == 0)) || say "$skipped skipped, for the reasons given above"
    say "$passed passed, $failed failed"
    ((failed == 0 && passed > 0))
}
