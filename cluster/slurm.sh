# shellcheck shell=bash
# What cluster/launch does under Slurm; sourced by it. All times are seconds.

# How often a job whose rank was killed goes back into the queue, while no other start saves anything.
failures_allowed=3
# How often in all, also when it saved something each time: a node that kills a rank every hour wants a person.
failures_in_all=${SWITCHYARD_REQUEUES:-20}

# Ranks of this job: Slurm sets SLURM_NTASKS only where tasks were asked for by number.
slurm_tasks() {
    if [[ -n ${SLURM_NTASKS:-} ]]; then
        printf '%s\n' "$SLURM_NTASKS"
    elif [[ ${SLURM_NTASKS_PER_NODE:-} =~ ^[0-9]+$ ]]; then
        printf '%s\n' $((SLURM_NTASKS_PER_NODE * ${SLURM_JOB_NUM_NODES:-${SLURM_NNODES:-1}}))
    elif [[ -n ${SLURM_TASKS_PER_NODE:-} ]]; then
        # 4(x2),3
        local part tasks=0 times
        for part in ${SLURM_TASKS_PER_NODE//,/ }; do
            times=1
            [[ $part != *'(x'* ]] || { times=${part##*\(x} && times=${times%\)}; }
            tasks=$((tasks + ${part%%\(*} * times))
        done
        printf '%s\n' "$tasks"
    fi
}

# When Slurm will end this job, in seconds since 1970; nothing if it has no limit. Asked of the scheduler each time, because
# a limit can be changed while the job runs.
end_of_job() {
    local end
    end=$(scontrol show job "$SLURM_JOB_ID" 2>/dev/null | grep -oE 'EndTime=[^ ]+' | head -n 1) || true
    end=${end#EndTime=}
    if [[ -n $end ]]; then
        date -d "$end" +%s 2>/dev/null || true
    else
        printf '%s\n' "${SLURM_JOB_END_TIME:-}"
    fi
}

# lead LIMIT: how long before its end a job of LIMIT seconds is asked to save. Three times what this run's longest save and
# longest step took, and 30 s; where nothing was saved yet, 300 s. Never more than a quarter of the limit.
lead() {
    local measured=300
    if [[ -s $run/metrics.jsonl ]]; then
        measured=$(tail -n 5000 "$run/metrics.jsonl" | awk '
            function figure(name) {
                return match($0, "\"" name "\":[0-9.e+-]+") ? substr($0, RSTART + length(name) + 3, RLENGTH) + 0 : 0
            }
            { save = figure("checkpoint_stall_seconds"); step = figure("seconds") }
            save > longest_save { longest_save = save }
            step > longest_step { longest_step = step }
            END { print (longest_save > 0 ? int(3 * (longest_save + longest_step)) + 30 : 300) }')
    fi
    printf '%s\n' $((measured < $1 / 4 ? measured : $1 / 4))
}

# The step of the run's newest checkpoint; -1 without one.
newest_step() {
    local newest
    newest=$(find "$run/checkpoints" -mindepth 1 -maxdepth 1 -name 'step-*' 2>/dev/null |
        sed -n 's|.*/step-0*\([0-9][0-9]*\)$|\1|p' | sort -n | tail -n 1)
    printf '%s\n' "${newest:--1}"
}

# requeue_prepare COMMAND…: before the job starts.
requeue_prepare() {
    [[ -n ${SLURM_JOB_ID:-} ]] || refuse "--requeue: there is no Slurm job here (SLURM_JOB_ID is not set)"
    # Up to six digits: bash takes 010 for eight, and an arithmetic expression for a command.
    [[ $failures_in_all =~ ^(0|[1-9][0-9]{0,5})$ ]] ||
        refuse "SWITCHYARD_REQUEUES is '$failures_in_all': it must be a whole number from 0 to 999999"
    run=$("$@" --print-directory) ||
        refuse "--requeue: \`$* --print-directory\` does not tell the run directory; the command must be switchyard train" 64
    first_step=$(newest_step)
    started=$(date +%s)
}

# watch_time PROCESS: sends it SIGUSR2 when the job must save. In the background.
watch_time() {
    local end now left
    end=$(end_of_job)
    if [[ -z $end ]]; then
        say "the job has no time limit that Slurm tells: it is not asked to save before its end"
        return
    fi
    say "the job ends in $((end - started)) s; it is asked to save $(lead $((end - started))) s before, or as its saves take"
    while kill -0 "$1" 2>/dev/null; do
        now=$(date +%s)
        left=$((end - $(lead $((end - started))) - now))
        if ((left <= 0)); then
            end=$(end_of_job)
            left=$((${end:-0} > 0 ? end - $(lead $((end - started))) - now : 60))
        fi
        if ((left <= 0)); then
            kill -USR2 "$1"
            return
        fi
        # Its own output, so that a reader of the job's does not wait for it.
        sleep "$((left < 10 ? left : 10))" >/dev/null 2>&1
    done
}

# Sets failures and total to what this job's earlier starts noted in the run directory: in a row, and in all. What is no note of
# this job's counts as none.
read_failures() {
    local note=''
    failures=0 total=0
    [[ ! -f $record ]] || read -r note <"$record" || true
    [[ $note =~ ^${SLURM_JOB_ID}\ ([0-9]{1,6})(\ ([0-9]{1,6}))?$ ]] || return 0
    failures=$((10#${BASH_REMATCH[1]}))
    total=$((10#${BASH_REMATCH[3]:-${BASH_REMATCH[1]}}))
}

# requeue_if_useful STATUS: after the job has ended. Nothing goes back into the queue that would only do the same again.
requeue_if_useful() {
    local step record="$run/requeued-failures" failures total
    step=$(newest_step)
    case $1 in
        75)
            if ((step <= first_step)); then
                say "not put back into the queue: no newer checkpoint than at the start ($(named "$step")); the job needs more time"
                return
            fi
            say "saved at step $step; back into the queue"
            ;;
        # a rank was killed, or the ranks lost each other
        76 | 129 | 1[3-8][0-9])
            read_failures
            ((step <= first_step)) || failures=0
            if ((total >= failures_in_all)); then
                say "not put back into the queue: exit code $1, after $total requeues for killed ranks in all; look for the cause," \
                    "or allow more with SWITCHYARD_REQUEUES"
                return
            fi
            if ((failures >= failures_allowed)); then
                say "not put back into the queue: exit code $1 for the ${failures}th time in a row with no newer checkpoint ($(named "$step"))"
                return
            fi
            mkdir -p "$run"
            printf '%s %s %s\n' "$SLURM_JOB_ID" $((failures + 1)) $((total + 1)) >"$record"
            say "exit code $1, newest checkpoint: $(named "$step"); back into the queue ($((failures + 1)) of $failures_allowed)"
            ;;
        *) return ;;
    esac
    scontrol requeue "$SLURM_JOB_ID"
}

named() { if (($1 < 0)); then printf 'none'; else printf 'step %s' "$1"; fi; }
