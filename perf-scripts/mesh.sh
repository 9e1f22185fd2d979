#!/bin/bash
# mesh.sh [--rounds N] [--seconds S] [--out DIRECTORY] [--setups "A B ..."]: four nodes that all reach each other, every pair in turn,
# then four streams at once, each node sending one and receiving one.
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

setups="fastmesh-fastmesh-fastmesh-fastmesh tinc11-tinc11-tinc11-tinc11 tincd-tincd-tincd-tincd"
rows_of() { echo pairs ring; }

ways() {
  local from to
  for from in 0 1 2; do
    for to in $(seq $((from + 2)) 4); do echo "${names[from]} 10.77.0.$to"; done
  done
}

between() { # FROM TO: makes these two indices the ends
  near=${names[$1]} far=${names[$2]} target=10.77.0.$(($2 + 1))
}

row_pairs() {
  local from to
  for from in 0 1 2 3; do
    for to in 0 1 2 3; do
      if [ "$from" = "$to" ]; then continue; fi
      between "$from" "$to"
      if iperf; then samples "$1" tcp "$near to $far"; fi
    done
  done
}

row_ring() {
  local i total=0
  local -a clients=() servers=()
  for i in 0 1 2 3; do
    between "$i" $(((i + 1) % 4))
    server 5201 || return 0
    servers+=("$last")
  done
  for i in 0 1 2 3; do
    between "$i" $(((i + 1) % 4))
    start "$near" "$work/ring-$i" iperf3 -J -c "$target" -t "$seconds"
    clients+=("$last")
  done
  wait "${clients[@]}" || true
  stop "${servers[@]}"
  for i in 0 1 2 3; do
    total=$(awk -v total="$total" '/Mbit/ { print total + $NF }' <("$here/report.py" tcp ring "$work/ring-$i"))
  done
  record "$1" "all four at once, Mbit/s" "$total"
}

run "$@"
