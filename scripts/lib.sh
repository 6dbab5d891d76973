# shellcheck shell=bash
# What all scripts share; sourced, never run. It moves to the root of the project.
set -euo pipefail

started_in=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
generated_packages=$PWD/.cache/pkgconfig

say() { printf '%s\n' "$*"; }
section() { printf '\n== %s\n' "$*"; }
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail STATUS MESSAGE [WHAT TO DO…]: one line for what is wrong, one for each thing to do about it.
fail() {
    local status=$1 line
    complain "$2"
    for line in "${@:3}"; do printf '  %s\n' "$line" >&2; done
    exit "$status"
}

have() { command -v "$1" >/dev/null 2>&1; }

# A path as the caller meant it, seen from where the script was started.
callers_path() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "$started_in/$1" ;;
    esac
}

# The libraries that scripts/setup found without pkg-config files of their own.
use_generated_packages() {
    [[ -d $generated_packages ]] || return 0
    export PKG_CONFIG_PATH=$generated_packages${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    if [[ -s $generated_packages/library-path ]]; then
        LD_LIBRARY_PATH=$(<"$generated_packages/library-path")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
        export LD_LIBRARY_PATH
    fi
}

# Ranks bring their own threads, so libraries must not; Open MPI asks root for two promises.
set_rank_environment() {
    export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
    if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
}

# For tests, which start more ranks than there are cores (the second name is that of Open MPI 5), and beside other work: a
# rank that waits yields its processor, also where Open MPI believes that each has one of its own. On a machine with 17
# processes for each processor a tiny run then took 94 s instead of 195.
allow_more_ranks_than_cores() {
    export OMPI_MCA_mpi_yield_when_idle=1
    export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
}

use_generated_packages
