#!/bin/bash
# metrics.sh [--rounds N] [--seconds S] [--out DIRECTORY] [--setups "A B ..."]: what MetricsAddress costs. FastMesh with metrics off, next to
# FastMesh with metrics on and both ends scraped once a second. With BEFORE=PROGRAM also a FastMesh of before there were metrics.
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

setups="fastmesh-fastmesh metrics:fastmesh-fastmesh${before:+ before-before}"
rows_of() { echo rtt tcp udp64 udp1200; }
run "$@"
