#!/usr/bin/env bash
# All tests on Debian 13, in a root of its own: Open MPI 5, HDF5 1.14, oneDNN 3, OpenBLAS 0.3.29. It takes root.
# Every stage of the tests there is a line at the end, and its own lines stand above, indented.
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

log=.cache/portability/trixie.log
status=0
# Indented: the lines of its tests are not lines of this one.
scripts/portability --release trixie --limit 3300 2>&1 | sed -u 's/^/    /' || status=${PIPESTATUS[0]}

section "Debian 13"
failures=0 stages=0
# The closing lines of scripts/test: `STAGE: N passed, N failed`.
while IFS= read -r line; do
    [[ $line =~ ^(.+):\ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || continue
    stages=$((stages + 1))
    if ((BASH_REMATCH[3] == 0)); then
        printf 'ok     Debian 13, %s\n' "${BASH_REMATCH[0]}"
    else
        failures=$((failures + 1))
        printf 'FAILED Debian 13, %s\n' "${BASH_REMATCH[0]}"
    fi
done < <(sed -n '/^== summary$/,$p' "$log")
if ((stages == 0)); then
    printf 'FAILED Debian 13: no test ran (exit code %s); see %s\n' "$status" "$log"
elif ((status != 0 && failures == 0)); then
    printf 'FAILED Debian 13: the tests ended with exit code %s; see %s\n' "$status" "$log"
fi
say "the tests there: $(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)"
((status == 0 && stages > 0 && failures == 0))
