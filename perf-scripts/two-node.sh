#!/bin/bash
# two-node.sh [--keep] [--rounds N] [--seconds S] [--out DIRECTORY] [--setups "A B ..."]: every row of a pair of FastMesh nodes.
# --keep measures nothing, but says how to get into the hosts and keeps them until Enter or Ctrl-C.
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

setups="fastmesh-fastmesh"
keep=""
option() { case $1 in --keep) keep=yes; return 1 ;; esac; }
rows_of() { echo rtt tcp back tcp4 udp64 batch64 udp1200 loaded; }

options "$@"
if [ -z "$keep" ]; then
  run --setups "$setups"
  exit
fi
for setup in $setups; do
  bring_up "$setup" || fail "$setup does not come up"
  use "$setup"
  echo "$setup"
  for i in "${!names[@]}"; do
    printf '  %-8s 10.77.0.%s  pid %-8s nsenter --net=/run/netns/%s\n' "${names[i]}" $((i + 1)) "${daemons[i]:--}" "$tag-$net-${names[i]}"
  done
  echo "  configuration and logs: $work/$net"
done
echo "Enter ends all."
read -r _ || true
