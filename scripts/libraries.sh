# shellcheck shell=bash
# The C libraries that Package.swift names: are they there, and if only compiler wrappers know where, write the
# pkg-config files that SwiftPM asks for. Sourced by scripts/setup, after lib.sh.
: "${generated_packages:?lib.sh comes first}"

# One line a library: module, pkg-config name or -, Debian package. As Package.swift calls `system` for them; that none is left out
# is a line of scripts/check.
system_libraries() {
    grep -o 'system("[^)]*)' Package.swift | while read -r entry; do
        [[ $entry =~ ^system\(\"([^\"]+)\" ]] || continue
        local module=${BASH_REMATCH[1]} name=- debian=-
        [[ ! $entry =~ pkgConfig:\ *\"([^\"]+)\" ]] || name=${BASH_REMATCH[1]}
        [[ ! $entry =~ apt:\ *\"([^\"]+)\" ]] || debian=${BASH_REMATCH[1]}
        printf '%s %s %s\n' "$module" "$name" "$debian"
    done
}

# What a module map stands for, and set-up must therefore find: their names.
mapped_libraries() {
    local map
    for map in Sources/C/*/module.modulemap; do basename "$(dirname "$map")"; done
}

# Libraries that Package.swift takes where they are and does without elsewhere.
is_optional() { [[ $1 == COneDNN ]]; }

library_description() {
    case $1 in
        COpenMPI) say "MPI for C" ;;
        COneDNN) say "oneDNN, for products in bfloat16" ;;
        CHDF5) say "HDF5 built for MPI" ;;
        *) say "${1#C}" ;;
    esac
}

# The headers that a module's shims include, and for HDF5 that it was built with MPI.
library_probe() {
    grep -h '^#include <' "Sources/C/$1"/*.h || printf '#error no header names the library\n'
    if [[ $1 == CHDF5 ]]; then printf '#ifndef H5_HAVE_PARALLEL\n#error HDF5 without MPI\n#endif\n'; fi
}

library_flags() {
    if [[ $1 != - ]] && have pkg-config; then
        pkg-config --cflags "$1" 2>/dev/null
    elif [[ -f $generated_packages/$1.pc ]]; then
        sed -n 's/^Cflags: //p' "$generated_packages/$1.pc"
    fi
}

# library_is_ready MODULE PKG-CONFIG-NAME: the compiler finds its headers the way SwiftPM will, which does not look
# at CPATH.
library_is_ready() {
    local -a flags
    have cc || return 1
    read -r -a flags <<<"$(library_flags "$2")"
    library_probe "$1" |
        env -u CPATH -u C_INCLUDE_PATH cc "${flags[@]}" -x c -fsyntax-only - 2>/dev/null
}

library_origin() {
    if [[ -f $generated_packages/$1.pc ]]; then
        say "$generated_packages/$1.pc"
    elif [[ $1 != - ]] && have pkg-config && pkg-config --exists "$1"; then
        say "$1 $(pkg-config --modversion "$1")"
    else
        say "in the compiler's own paths"
    fi
}

# What the compiler wrappers, or the paths that modules set, say about the libraries that pkg-config does not know.
generate_packages() {
    local module name debian flags
    rm -rf "$generated_packages"
    while read -r module name debian; do
        [[ $name != - ]] || continue
        ! library_is_ready "$module" "$name" || continue
        case $module in
            COpenMPI) flags=$(mpi_flags) ;;
            CHDF5) flags=$(hdf5_flags) && flags+=${flags:+ $(mpi_flags)} ;;
            *) flags=$(searched_flags "$module") ;;
        esac
        [[ -z ${flags// /} ]] || write_package "$name" "$flags"
    done < <(system_libraries)
}

mpi_flags() {
    have mpicc || return 0
    # Open MPI and MPICH name the same option differently; both accept a bare -show.
    mpicc --showme:compile 2>/dev/null && mpicc --showme:link 2>/dev/null && return
    mpicc -show 2>/dev/null | cut -d ' ' -f 2-
}

# The wrapper lists what a static library would need as well; beside a shared one that is only in the way.
hdf5_flags() {
    have h5pcc || return 0
    local word directory all
    all=$(h5pcc -show 2>/dev/null | cut -d ' ' -f 2-)
    for word in $all; do
        case $word in
            -L*) directory=${word#-L} ;;
            */libhdf5.a | */libhdf5.so) directory=${word%/*} ;;
            *) continue ;;
        esac
        [[ -f $directory/libhdf5.so ]] || continue
        grep -o -- '-I[^ ]*' <<<"$all" || true
        say "-L$directory -lhdf5"
        return
    done
    say "$all"
}

# The first directory on the compiler's paths that holds the header of MODULE, and the one that holds its library.
searched_flags() {
    local header library directory
    header=$(sed -n 's/^#include <\(.*\)>.*/\1/p' "Sources/C/$1"/*.h | head -n 1)
    library=$(sed -n 's/.*link "\(.*\)".*/\1/p' "Sources/C/$1/module.modulemap" | head -n 1)
    while read -r directory; do
        [[ -f $directory/$header ]] && say "-I$directory" && break
    done < <(printf '%s\n' "${CPATH:-}" "${C_INCLUDE_PATH:-}" /usr/local/include | tr ':' '\n')
    while read -r directory; do
        [[ -f $directory/lib$library.so ]] && say "-L$directory -l$library" && break
    done < <(printf '%s\n' "${LIBRARY_PATH:-}" "${LD_LIBRARY_PATH:-}" /usr/local/lib | tr ':' '\n')
}

# write_package NAME "FLAGS": SwiftPM takes only -I, -L and -l, so a library given as a file becomes -L and -l.
write_package() {
    local word compile='' link=''
    for word in $2; do
        case $word in
            -I*) compile+=" $word" ;;
            -L* | -l*) link+=" $word" ;;
            */lib*.a | */lib*.so) link+=" -L${word%/*} $(library_option "$word")" ;;
        esac
    done
    mkdir -p "$generated_packages"
    printf '%s\n' "Name: $1" "Description: written by scripts/setup from what the compiler wrappers say" "Version: 0" \
        "Cflags:$compile" "Libs:$link" >"$generated_packages/$1.pc"
    extend_library_path "$link"
    say "wrote $generated_packages/$1.pc"
}

library_option() {
    local file=${1##*/lib}
    say "-l${file%.*}"
}

# Directories outside the loader's own list are remembered, so that what was linked also starts.
extend_library_path() {
    local word known
    known=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null || true)
    for word in $1; do
        [[ $word == -L/* ]] || continue
        grep -qF "=> ${word#-L}/" <<<"$known" && continue
        grep -qxF "${word#-L}" "$generated_packages/directories" 2>/dev/null && continue
        say "${word#-L}" >>"$generated_packages/directories"
    done
    if [[ -s $generated_packages/directories ]]; then
        paste -s -d : "$generated_packages/directories" | tr -d '\n' >"$generated_packages/library-path"
    fi
}
