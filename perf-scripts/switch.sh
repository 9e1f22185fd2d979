#!/bin/bash
# switch.sh [--rounds N] [--seconds S] [--out DIRECTORY] [--setups "A B ..."]: switch mode (TAP) next to router mode (TUN).
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

setups="switch:fastmesh-fastmesh fastmesh-fastmesh switch:tinc11-tinc11 switch:tincd-tincd"
rows_of() { echo rtt tcp tcp4 udp64; }
run "$@"
