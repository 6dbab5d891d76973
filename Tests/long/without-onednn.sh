#!/usr/bin/env bash
# A build without oneDNN, as on systems that do not have it: unit tests, rank checks, and training end to end.
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
logs=.cache/test-long/without-onednn
export SWITCHYARD_ONEDNN=0 SWITCHYARD_TEST_BUILD=.build-without-onednn
# shellcheck source=../../scripts/test-stages.sh
source scripts/test-stages.sh
set_rank_environment
allow_more_ranks_than_cores
rm -rf "$logs"
mkdir -p "$logs"

build() {
    swift build -c release --scratch-path "$build_directory" --build-tests >"$logs/build.log" 2>&1 && return
    tail -n 40 "$logs/build.log"
    printf 'FAILED the build without oneDNN\n'
    exit 1
}

stage "build" build
if ldd "$build_directory/release/switchyard" | grep -q dnnl; then
    printf 'FAILED the program does without oneDNN\n'
else
    printf 'ok     the program does without oneDNN\n'
fi
stage "unit tests" unit_test_lines
for ranks in 1 2; do rank_checks "$ranks"; done
stage "end-to-end tests" system_tests Tests/system/{bad-input,resume,tools}.sh
stages_summary
