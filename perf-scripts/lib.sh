#!/bin/bash
# lib.sh: hosts as network namespaces, cables between them, processes in them, waits and clean-up. Sourced, not run.
# shellcheck disable=SC2034  # shared variables of the scripts that source this
#
# Several networks can be up side by side; $net names the one that on, start, host and cable mean.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export fastmesh=${FASTMESH:-$root/artifacts/fastmesh/fastmesh}
export before=${BEFORE:-}
export tincd=${TINCD:-/usr/sbin/tincd}
export tinc11=${TINC11_PREFIX:-/opt/tinc-1.1}/sbin
export wireguard=${WIREGUARD_GO:-/opt/wireguard-go/bin/wireguard-go}
[ -x "$wireguard" ] || wireguard=$(command -v wireguard-go || true)
tag=fmperf$$
work=$(mktemp -d /tmp/fastmesh-perf.XXXXXX)
net=""
declare -a background=() namespaces=()
trap clean_up EXIT
trap 'exit 130' INT TERM

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

on() { # HOST COMMAND...: runs inside one host, as the same process
  local host=$1
  shift
  nsenter "--net=/run/netns/$tag-$net-$host" -- "$@"
}

start() { # HOST LOG COMMAND...: runs beside the script; the pid is in $last
  local host=$1 log=$2
  shift 2
  nsenter "--net=/run/netns/$tag-$net-$host" -- "$@" >"$log" 2>&1 </dev/null &
  last=$!
  background+=("$last")
}

stop() { # PID...: ends what start began
  local pid
  for pid in "$@"; do kill "$pid" 2>/dev/null || true; done
  for pid in "$@"; do
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}

wait_for() { # SECONDS WHAT COMMAND...: 1 if the command has not succeeded by then
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then
      tail -n 15 "$work/$net"/*/log "$work/$net"/log-* >&2 2>/dev/null || true
      echo "$(basename "$0"): $what did not happen" >&2
      return 1
    fi
    sleep 0.1
  done
}

host() { # HOST...
  local name
  [ "$(id -u)" = 0 ] || fail "network namespaces need root"
  mkdir -p "$work/$net"
  for name in "$@"; do
    namespaces+=("$tag-$net-$name")
    ip netns add "$tag-$net-$name"
    ip -n "$tag-$net-$name" link set lo up
  done
}

cable() { # HOST ADDRESS HOST ADDRESS: a veth pair; an address is A.B.C.D/LENGTH, or - for none
  ip link add "to-$3" netns "$tag-$net-$1" type veth peer name "to-$1" netns "$tag-$net-$3"
  if [ "$2" != - ]; then ip -n "$tag-$net-$1" addr add "$2" dev "to-$3"; fi
  if [ "$4" != - ]; then ip -n "$tag-$net-$3" addr add "$4" dev "to-$1"; fi
  ip -n "$tag-$net-$1" link set "to-$3" up
  ip -n "$tag-$net-$3" link set "to-$1" up
}

clean_up() {
  local status=$? namespace pid
  if [ "${#background[@]}" -gt 0 ]; then stop "${background[@]}"; fi
  for namespace in "${namespaces[@]}"; do
    for pid in $(ip netns pids "$namespace" 2>/dev/null || true); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$namespace" 2>/dev/null || true
  done
  rm -rf "$work"
  exit "$status"
}

cpu_ticks() { # PID...: user and system time of processes, in clock ticks
  local pid total=0 line
  for pid in "$@"; do
    line=$(cat "/proc/$pid/stat" 2>/dev/null) || continue
    # shellcheck disable=SC2086  # the fields after the name in parentheses
    set -- ${line##*) }
    total=$((total + ${12} + ${13}))
  done
  echo "$total"
}

system_ticks() { # busy time of all processors, in clock ticks
  awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat
}
