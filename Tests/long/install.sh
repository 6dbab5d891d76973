#!/usr/bin/env bash
# An installed program where neither sources nor a Swift toolchain are: Debian 12 and 13, each a bare root. It takes root.
# Builds an archive in a root of the release that has everything, unpacks it in one that has nothing but the packages that the
# archive names, and trains there. SWITCHYARD_TEST_RELEASES="bookworm trixie" says which releases.
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=../system/lib.sh
source Tests/system/lib.sh

# in_root COMMAND…: in the bare root, with processes and mounts of its own.
in_root() {
    # shellcheck disable=SC2016  # expanded inside
    unshare --mount --propagation private --pid --fork --kill-child bash -euc '
        root=$1
        shift
        mount --bind "$root" "$root"
        cd "$root"
        mount -t proc proc proc
        mount --rbind /dev dev
        mount -t tmpfs tmpfs dev/shm
        exec chroot . env -i HOME=/root LANG=C.UTF-8 PATH=/opt/switchyard/bin:/usr/bin:/bin OMPI_ALLOW_RUN_AS_ROOT=1 \
            OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "$@"' in-root "$bare" "$@"
}

# make_bare RELEASE ARCHIVE: a root with the packages that the archive names, and the archive in /opt/switchyard.
make_bare() {
    local packages mirror
    packages=$(tar -xzOf "$2" --wildcards '*/share/doc/switchyard/packages' | paste -sd ,)
    mirror=$(apt-get indextargets --format "\$(ORIGIN) \$(REPO_URI)" | sed -n 's/^Debian //p' | head -n 1)
    unshare --mount --propagation private mmdebstrap --quiet --variant=minbase --include="$packages,man-db,mandoc" \
        "$1" "$bare" "$mirror" || return 1
    mkdir -p "$bare/opt/switchyard" "$bare/root/texts"
    tar -xzf "$2" -C "$bare/opt/switchyard" --strip-components 1
    cp README.md docs/*.md "$bare/root/texts"
}

tiny=(--set data.tokenizer=byte --set model.d_model=16 --set model.layers=2 --set model.heads=2 --set model.context=32
    --set model.experts=2 --set batch.tokens=256 --set batch.micro_batch_tokens=64 --set train.steps=4
    --set train.validate_every=0 --set train.validation_tokens=256)

try_release() {
    local release=$1 archive=$work/switchyard-$1.tar.gz
    bare=$work/bare-$1
    section "$release"
    if ! scripts/portability --release "$release" --limit 3000 -- \
        bash -c 'scripts/setup >&2 && scripts/install --archive /tmp/switchyard.tar.gz >&2 && cat /tmp/switchyard.tar.gz' \
        >"$archive" 2>"$work/$release.log"; then
        fails "$release: an archive" "it was not made" "$work/$release.log"
        return
    fi
    if ! make_bare "$release" "$archive" >"$work/$release-root.log" 2>&1; then
        fails "$release: a root with the packages that it names" "it was not made" "$work/$release-root.log"
        return
    fi
    expect "$release: no Swift runtime beside the program" test -z "$(find "$bare" -name 'libswift*')"
    expect_exit "$release: the program runs" 0 '^switchyard [0-9].*MPI ' -- in_root switchyard --version
    expect_exit "$release: a configuration" 0 'next: ' -- in_root bash -c 'cd; switchyard init model --data texts'
    expect_exit "$release: training on two ranks" 0 'checkpoint model/run' -- in_root bash -c \
        'cd; switchyard-launch -n 2 -m --oversubscribe switchyard train model/config.yaml "$@"' train "${tiny[@]}"
    expect_exit "$release: a text" 0 '.' -- in_root bash -c 'cd; switchyard generate model/run --prompt The --tokens 8'
    expect_exit "$release: a page" 0 'report.html' -- in_root bash -c 'cd; switchyard report model/run'
    expect_exit "$release: a manual" 0 'virtual-ranks' -- in_root bash -c \
        'zcat /opt/switchyard/share/man/man1/switchyard-train.1.gz | mandoc -T markdown'
    # shellcheck disable=SC2016  # the inner shell's
    expect_exit "$release: completion in bash" 0 'train' -- in_root bash -c '
        source /opt/switchyard/share/bash-completion/completions/switchyard
        COMP_WORDS=(switchyard tra) COMP_CWORD=1 COMP_LINE="switchyard tra" COMP_POINT=14 COMP_TYPE=9
        _switchyard switchyard tra switchyard && echo "${COMPREPLY[@]}"'
}

for release in ${SWITCHYARD_TEST_RELEASES:-bookworm trixie}; do try_release "$release"; done
