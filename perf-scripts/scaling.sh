#!/bin/bash
# scaling.sh [--workers 1,2] [--rounds N] [--seconds S] [--out DIRECTORY] [--setups "A B ..."]: the same pair with more data path threads.
# Both ends and the streams' own ends share the processors here, so only a machine with more of them shows the whole gain.
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

of_workers() { # LIST: the set-ups for 1,2,...
  local workers
  for workers in ${1//,/ }; do echo "workers=$workers:fastmesh-fastmesh"; done
}
setups=$(of_workers 1,2)
option() { case $1 in --workers) setups=$(of_workers "$2"); return 2 ;; esac; }
rows_of() { echo rtt tcp tcp4 udp64; }
run "$@"
