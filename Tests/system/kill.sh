#!/usr/bin/env bash
# Eight of the kills of scripts/kill-test, in CI: it prints what it finds.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

limit=300
expect_exit "eight kills lose and leave nothing" 0 '8 kills: 7 in a save, 0 of a rank, 1 of mpirun.* 0 findings' -- \
    scripts/kill-test --quick
