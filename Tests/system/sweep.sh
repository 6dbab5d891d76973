#!/usr/bin/env bash
# A study whose workers are killed again and again ends with the table of one that was left alone; two workers share it; rows
# that are done are not done again, also where only the table is left.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kills=${SWITCHYARD_TEST_KILLS:-4}
# Tokens of the longest runs, so that there is something left to kill.
last=$((1024 * kills * kills))
write_tiny_run "$work"
cd "$work"

# study DIRECTORY [LINES]: writes DIRECTORY.yaml
study() {
    cat >"$1.yaml" <<END
base: tiny.yaml
directory: $1
list: [{model.layers: 1}, {model.layers: 2}]
grid: {model.experts: [1, 4], checkpoint.every_steps: 4}
ends: [4096, 8192, $last]
${2:-}
END
}

names=("layers=1_experts=1" "layers=1_experts=4" "layers=2_experts=1" "layers=2_experts=4")
study alone
expect_exit "a study's bill" 0 'row +N_act.*layers=2_experts=4.*4 rows, 0 done; left: .* at the measured rates' -- \
    "$switchyard" sweep alone.yaml --check
expect "the bill trains nothing" [ ! -e alone/runs ]
expect_exit "a study left alone" 0 'done: layers=1_experts=1: loss .* after 4.1K.*alone/runs.csv: 12 results' -- \
    "$switchyard" sweep alone.yaml
expect "the table has a line for each end of each row" \
    [ "$(tail -n +2 alone/runs.csv | cut -d, -f6,15 | tr '\n' ' ')" = \
    "$(for row in "${names[@]}"; do printf '%s,%s ' 4096 "$row" 8192 "$row" "$last" "$row"; done)" ]
expect "the texts are tokenized once for all rows" \
    [ "$(stat -c '%h %i' alone/runs/*/data/train.tokens | sort -u)" = "4 $(stat -c %i alone/runs/layers=1_experts=1/data/train.tokens)" ]
expect_exit "fit reads the table" 0 'no law reads the columns.*chinchilla' -- "$switchyard" fit alone/runs.csv --law chinchilla

# The worker alone, or with its jobs.
study killed
# Steps in the records of all rows; a job that goes on cuts off those after its checkpoint.
recorded() { { cat killed/runs/*/metrics.jsonl 2>/dev/null || true; } | wc -l; }
known=0
for ((kill = 1; kill <= kills; kill++)); do
    in_a_group "$switchyard" sweep killed.yaml
    worker=$job
    goes_further() { (($(recorded) > known)); }
    wait_until "$limit" goes_further || break
    if ((kill % 2)); then
        kill -KILL "$worker" 2>/dev/null || true
    else
        jobs_of_worker=()
        read -r -a jobs_of_worker < <(cat "/proc/$worker/task"/*/children 2>/dev/null) || true
        for process in "${jobs_of_worker[@]}"; do kill -KILL "$process" 2>/dev/null || true; done
        kill -KILL "$worker" 2>/dev/null || true
    fi
    { wait "$worker" || true; } 2>/dev/null
    known=$(recorded)
done
expect "workers were killed at $kills moments" [ "$kill" -gt "$kills" ]
expect_exit "the next worker finishes what $kills left" 0 'killed/runs.csv: 12 results' -- "$switchyard" sweep killed.yaml
expect "with the table of the one left alone" cmp alone/runs.csv killed/runs.csv

# Asked to leave.
study asked
in_a_group "$switchyard" sweep asked.yaml
worker=$job
steps_are_taken() { grep -qs '^step' asked/queue/*/log.txt; }
wait_until "$limit" steps_are_taken || true
kill -TERM "$worker"
status=0
wait "$worker" || status=$?
expect "SIGTERM ends a worker when its jobs have saved" [ "$status" -eq 75 ]
nobody_trains() { ! grep -qsa '[a]sked/configs' /proc/[0-9]*/cmdline; }
expect "no job is left" nobody_trains

# Two workers, one of them with jobs of two ranks' worth of rows.
in_a_group "$switchyard" sweep asked.yaml
first=$job
expect_exit "two workers share a study" 0 'asked/runs.csv: 12 results' -- "$switchyard" sweep asked.yaml --jobs 2
status=0
wait "$first" || status=$?
expect "both end well" [ "$status" -eq 0 ]
expect "and have done each row once" cmp alone/runs.csv asked/runs.csv
expect "every row was begun by one of them" \
    [ "$(grep -hc "validation after step $((last / 512))" asked/queue/*/log.txt | sort -u)" = 1 ]

# Only the table.
mkdir only && cp alone/runs.csv only
study only
expect_exit "rows of the table are done" 0 'only/runs.csv: 12 results' -- "$switchyard" sweep only.yaml
expect "nothing was trained" [ ! -e only/runs ]
expect_exit "one row is trained again, and is the same to the bit" 0 'layers=2_experts=4: 3 results, the same to the bit' -- \
    "$switchyard" sweep only.yaml --only layers=2_experts=4
study only 'seeds: [5]'
expect_exit "a table of another study is refused" 65 'with another configuration than the study' -- "$switchyard" sweep only.yaml
expect "and stays" cmp alone/runs.csv only/runs.csv

# On two ranks, in exact mode: the same table but for the digests of the configuration.
study ranks 'ranks: 2'
sed -i 's/^grid: {/grid: {reproducible: true, /' ranks.yaml
expect_exit "jobs of two ranks" 0 'ranks/runs.csv: 12 results' -- "$switchyard" sweep ranks.yaml
study exact
sed -i 's/^grid: {/grid: {reproducible: true, /' exact.yaml
expect_exit "jobs of one rank, exact mode" 0 'exact/runs.csv: 12 results' -- "$switchyard" sweep exact.yaml --jobs 2
expect "have the same results to the bit" cmp exact/runs.csv ranks/runs.csv

# What does not come to an end.
study diverging
sed -i 's/^grid: {/grid: {optimizer.learning_rate: [0.001, 1000], optimizer.weight_decay: 1000, /' diverging.yaml
expect_exit "rows that diverge are said, and the others done" 0 'diverged: .*learning_rate=1000.*diverging/runs.csv' -- \
    "$switchyard" sweep diverging.yaml
expect_exit "an unknown row" 64 'no row .layers=1_experts=3.*did you mean' -- "$switchyard" sweep alone.yaml --only layers=1_experts=3
sed -i 's/layers: 1/layers: 0/' alone.yaml
expect_exit "a row that cannot be trained" 78 'row layers=0_experts=1: .*model.layers. is 0' -- "$switchyard" sweep alone.yaml
