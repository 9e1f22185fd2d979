#!/bin/bash
# compare.sh [--rounds N] [--seconds S] [--out DIRECTORY] [--setups "A B ..."] [--check]
#
# FastMesh next to wireguard-go, tinc 1.0 and tinc 1.1, all up side by side, measured round by round; prints the medians. DIRECTORY
# (default artifacts/perf/compare) gets samples, results.json, report.md and plots. What is not installed or does not come up is left out.
# --check compares with what FastMesh has to reach (report.py lists it) and fails on a miss. Takes about 11 minutes.
# Other set-ups: see peers.sh. FASTMESH, TINCD, TINC11_PREFIX, WIREGUARD_GO: the programs. SETTINGS: lines for every tinc.conf, separated by ;.
# All ends share the processors of this machine, so CPU seconds per gigabyte is the steadiest row.
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

setups="fastmesh-fastmesh wireguard-go tincd-tincd tinc11-tinc11 fastmesh-tinc11 fastmesh-tincd switch:fastmesh-fastmesh
  fastmesh10-fastmesh10 fastmesh-fastmesh-fastmesh tinc11-tinc11-tinc11 tincd-tincd-tincd plain"
check=""
option() { case $1 in --check) check=yes; return 1 ;; esac; }

rows_of() { # SETUP
  case $1 in
    *:*) echo rtt tcp tcp4 udp64 ;;
    *-*-*) echo tcp ;;
    plain | fastmesh10-*) echo rtt tcp udp64 batch64 ;;
    fastmesh-tinc*) echo rtt tcp back udp64 batch64 ;;
    *) echo rtt tcp tcp4 udp64 batch64 udp1200 ;;
  esac
}

run "$@"
if [ -n "$check" ]; then "$here/report.py" check "$out"; fi
