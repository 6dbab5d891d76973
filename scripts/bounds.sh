# shellcheck shell=bash
# Bounds that end what hangs; sourced by scripts that start programs and wait for them.
#
# A bound is a number of seconds on an idle machine. Where other work wants the processors, the seconds of a bound pass
# more slowly: once a second a waiting script computes for some milliseconds and compares the time that passed with the
# processor time that it was given. So a bound says nothing about speed, and a test waits for conditions only.

# A pipe in which nothing arrives: reading from it with a time limit sleeps without starting a process.
exec {silence}<> <(:)
pause() { read -rt "$1" -u "$silence" || true; }

# Sets slowness: by how much longer than on an idle machine a computation takes now, times 1,000.
measure_slowness() {
    local began=${EPOCHREALTIME/[.,]/} before=0 after=0 count
    slowness=1000
    { read -r before _ </proc/self/schedstat; } 2>/dev/null || return 0
    for ((count = 0; count < 4000; count++)); do :; done
    read -r after _ </proc/self/schedstat
    ((after > before)) || return 0
    slowness=$(((${EPOCHREALTIME/[.,]/} - began) * 1000000 / (after - before)))
    ((slowness >= 1000)) || slowness=1000
}

# wait_until SECONDS COMMAND…: true as soon as the command succeeds, false when the time is over.
wait_until() {
    local left=$(($1 * 1000000)) last=${EPOCHREALTIME/[.,]/} now measured slowness=1000 nap=10
    measured=$last
    shift
    until "$@" >/dev/null 2>&1; do
        pause "0.$(printf %03d "$nap")"
        ((nap >= 200)) || nap=$((nap + nap / 4 + 1))
        now=${EPOCHREALTIME/[.,]/}
        if ((now - measured >= 1000000)); then
            measure_slowness
            now=${EPOCHREALTIME/[.,]/} measured=$now
        fi
        left=$((left - (now - last) * 1000 / slowness)) last=$now
        ((left > 0)) || return 1
    done
}

# Whether none of these processes is alive; one that its parent has not yet asked about counts as ended.
are_gone() {
    local process line
    for process in "$@"; do
        { read -r line <"/proc/$process/stat"; } 2>/dev/null || continue
        [[ ${line##*) } == [ZX]* ]] || return 1
    done
}

# in_a_group COMMAND…: in the background, in a process group of its own, which `end_group` ends; sets job.
in_a_group() {
    set -m
    "$@" &
    # shellcheck disable=SC2034  # for the caller
    job=$!
    set +m
}

# end_group PROCESS: ends the group that it leads: in order, so that mpirun can end its ranks, then by force.
end_group() {
    kill -TERM -- "-$1" 2>/dev/null || return 0
    wait_until 5 are_gone "$1" || true
    kill -KILL -- "-$1" 2>/dev/null || true
}

# bounded SECONDS COMMAND…: its exit code, or 124 if it was ended because its time was over.
bounded() (
    status=0 leader=''
    trap '[[ -z $leader ]] || end_group "$leader"; exit 143' TERM INT HUP
    trap - EXIT
    set -m
    "${@:2}" &
    leader=$!
    set +m
    if wait_until "$1" are_gone "$leader"; then
        { wait "$leader" || status=$?; } 2>/dev/null
    else
        status=124
        end_group "$leader"
    fi
    exit "$status"
)
