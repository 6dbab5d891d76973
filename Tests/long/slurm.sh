#!/usr/bin/env bash
# A training job and a study under a real Slurm, in a root of this release of Debian. It takes root.
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
scripts/portability --release "$release" --limit 3400 -- bash -euc '
    scripts/setup
    swift build -c release --product switchyard
    bash Tests/long/slurm/start
    exec bash Tests/long/slurm/jobs.sh'
