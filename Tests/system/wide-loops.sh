#!/usr/bin/env bash
# The one module compiled for AVX-512 leaves no such instruction in a function that other modules leave too: the linker keeps
# one of those, and a processor without AVX-512 would meet it outside the loops it never chooses.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

objects=("$build_directory"/release/WideLoops.build/*.o)
if [[ $(uname -m) != x86_64 || ! -f ${objects[0]} ]] || ! command -v objdump >/dev/null; then
    passes "wide loops: nothing to look at here"
    exit 0
fi

# Function by function: whether it is this module's own (its mangled name says so), and whether it uses what only AVX-512 has.
objdump -d --no-show-raw-insn "${objects[@]}" |
    awk '/^[0-9a-f]+ <.*>:$/ { name = $2; own = name ~ /9WideLoops/ }
         /%zmm|%k[0-7]|%[xy]mm(1[6-9]|2[0-9]|3[01])/ { if (own) inside++; else print name }
         END { print "own " inside + 0 }' | sort | uniq -c >"$work/functions"
if grep -q ' own [1-9]' "$work/functions"; then
    passes "wide loops use AVX-512"
else
    fails "wide loops use AVX-512" "none of their instructions is" "$work/functions"
fi
if grep -qv ' own ' "$work/functions"; then
    fails "shared functions are free of AVX-512" "the linker may keep these for the whole program" "$work/functions"
else
    passes "shared functions are free of AVX-512"
fi
