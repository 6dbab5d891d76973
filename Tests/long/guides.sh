#!/usr/bin/env bash
# README, guides and examples followed literally, as a newcomer on a fresh Debian 12 would. It takes root.
# In a root of its own, from a fresh clone: each command that the pages show behind `$ ` must end with 0.
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

scripts/portability --release bookworm --limit 3300 -- \
    scripts/follow-pages --here README.md docs/guides/own-text.md docs/configuration.md docs/guides/hugging-face.md
