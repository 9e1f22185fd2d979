#!/bin/bash
# relay.sh [--rounds N] [--seconds S] [--out DIRECTORY] [--setups "A B ..."]: three nodes in a line, the middle one relays.
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

setups="fastmesh-fastmesh-fastmesh tinc11-tinc11-tinc11 tincd-tincd-tincd fastmesh-tinc11-fastmesh fastmesh-tincd-fastmesh"
rows_of() { echo rtt tcp tcp4 udp64; }
run "$@"
