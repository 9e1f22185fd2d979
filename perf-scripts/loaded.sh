#!/bin/bash
# loaded.sh [--rounds N] [--seconds S] [--out DIRECTORY] [--setups "A B ..."]: round-trip times, idle and beside a TCP stream.
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

setups="fastmesh-fastmesh wireguard-go tinc11-tinc11 tincd-tincd fastmesh-tinc11 fastmesh-tincd"
rows_of() { echo rtt loaded; }
run "$@"
