#!/usr/bin/env bash
# Thousands of requests to save: 2,000 in float32 and 2,000 in bfloat16, on the matrix library that users get and on the other
# one, on one rank and on two. Each must give a checkpoint, and nothing may die.
#   SIGNALS=N  that many for each precision and library (default 2000)
set -euo pipefail
# shellcheck source=../system/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"

half=$((${SIGNALS:-2000} / 2))
write_tiny_run "$work"
cd "$work"
train=("$switchyard" train tiny.yaml --set train.steps=100000000 --set train.validate_every=0 --set schedule.kind=constant)

for library in default OpenBLAS; do
    if [[ $library == default ]]; then setting=(env -u OPENBLAS_CORETYPE); else setting=(env OPENBLAS_CORETYPE=Haswell); fi
    for precision in float32 bfloat16; do
        if ! "${setting[@]}" "${train[@]}" --check --set precision="$precision" >/dev/null 2>&1; then
            printf 'skipped %s on the %s matrix library: no kernels for it here\n' "$precision" "$library"
            continue
        fi
        for ranks in 1 2; do
            directory=$library-$precision-$ranks
            mpirun=()
            ((ranks == 1)) || mpirun=("${on_two_ranks[@]}")
            stands_requests "$half requests to save: $library matrix library, $precision, $ranks rank(s)" "$half" \
                "$directory" "${setting[@]}" "${mpirun[@]}" "${train[@]}" --set precision="$precision" \
                --set run.directory="$directory"
            rm -rf "$directory" "$directory.log"
        done
    done
done
