#!/usr/bin/env bash
# All tests on the matrix library that users do not get here, and rank checks on the other kernel sets of OpenBLAS.
# OPENBLAS_CORETYPE forces OpenBLAS in float32 where oneDNN would compute (Sources/Compute/MatrixProducts/ProductLibrary.swift). Kernel sets give
# different bits, and which one a user gets depends on the processor.
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
logs=.cache/test-long/libraries
# shellcheck source=../../scripts/test-stages.sh
source scripts/test-stages.sh
set_rank_environment
allow_more_ranks_than_cores
rm -rf "$logs"
mkdir -p "$logs"

has() { grep -qw "$1" /proc/cpuinfo 2>/dev/null; }

# The kernel sets of OpenBLAS that this processor can run, the fastest first.
kernel_sets() {
    ! has avx512bw || echo SkylakeX
    ! has avx2 || echo Haswell
    ! has sse4_2 || echo Nehalem
}

# Without this, the rest would only repeat scripts/test.
forced_kernels_are_used() {
    local line="matrix library from OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE"
    if "$build_directory/release/switchyard" doctor --json 2>/dev/null | grep -qE "OpenBLAS [0-9.]+ ${OPENBLAS_CORETYPE}[\":]"; then
        printf 'ok     %s\n' "$line"
    else
        printf 'FAILED %s\n' "$line"
    fi
}

mapfile -t sets < <(kernel_sets)
if ((${#sets[@]} == 0)); then
    printf 'ok     this processor has no kernel sets that are known here\n'
    exit 0
fi
for OPENBLAS_CORETYPE in "${sets[@]}"; do
    export OPENBLAS_CORETYPE
    section "OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE"
    forced_kernels_are_used
    if [[ $OPENBLAS_CORETYPE == "${sets[0]}" ]]; then
        stage "unit tests" unit_test_lines
        for ranks in 1 2 3 4; do rank_checks "$ranks"; done
        # shellcheck disable=SC2046  # names without spaces
        stage "end-to-end tests" system_tests $(system_scripts)
    else
        rank_checks 2
    fi
done
stages_summary
