#!/bin/sh
# note-revision.sh SOURCES DIRECTORY: writes DIRECTORY/Revision.swift. The file keeps its time if the revision is the same,
# so that nothing is compiled again.
set -eu
# Only a repository of this package's own: an unpacked archive inside another one has no revision.
if [ "$(git -C "$1" rev-parse --show-toplevel 2>/dev/null)" = "$(cd "$1" && pwd -P)" ]; then
    revision=$(git -C "$1" --no-optional-locks describe --always --abbrev=12 --exclude='*' --dirty=' with changes' 2>/dev/null) ||
        revision=
else
    revision=
fi
mkdir -p "$2"
printf '/// The commit that was built; empty outside a repository.\nlet revision = "%s"\n' "$revision" >"$2/Revision.swift.new"
if cmp -s "$2/Revision.swift.new" "$2/Revision.swift"; then
    rm "$2/Revision.swift.new"
else
    mv "$2/Revision.swift.new" "$2/Revision.swift"
fi
