#!/usr/bin/env bash
# README, guides and examples followed literally, as a newcomer on a fresh Debian 12 would. It takes root.
# In a root of its own, from a fresh clone: each command that the pages show behind `$ ` must end with 0.
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

scripts/portability --release bookworm --limit 3300 -- \
    bash -c 'apt-get install -y -qq --no-install-recommends gdb >&2 && exec scripts/follow-pages --here "$@"' follow \
    README.md docs/guides/own-text.md docs/configuration.md docs/guides/hugging-face.md docs/guides/plan-sweep-fit.md \
    docs/guides/one-rank.md
