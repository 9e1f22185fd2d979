#!/bin/bash
# lib.sh: two hosts as network namespaces joined by a veth pair, daemons in them, waits and clean-up. Sourced, not run.
# shellcheck disable=SC2034,SC2154  # shared variables of the scripts that source this
#
#   left  192.0.2.1 ──veth── 192.0.2.2  right        inside the VPN: 10.77.0.1 and 10.77.0.2
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export fastmesh=${FASTMESH:-$root/artifacts/fastmesh/fastmesh}
export tincd=${TINCD:-/usr/sbin/tincd}
tag=fmperf$$
work=$(mktemp -d /tmp/fastmesh-perf.XXXXXX)
declare -a background=()

fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

on() { # SIDE COMMAND...: runs inside one host, as the same process
  local side=$1
  shift
  nsenter "--net=/run/netns/$tag-$side" -- "$@"
}

start() { # SIDE LOG COMMAND...: runs beside the script; the pid is in $last
  local side=$1 log=$2
  shift 2
  nsenter "--net=/run/netns/$tag-$side" -- "$@" >"$log" 2>&1 </dev/null &
  last=$!
  background+=("$last")
}

stop() { # PID...: ends what start began
  local pid
  for pid in "$@"; do
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}

wait_for() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then tail -n 15 "$work"/*/log "$work"/log-* 2>/dev/null || true; fail "$what did not happen"; fi
    sleep 0.1
  done
}

hosts_up() {
  [ "$(id -u)" = 0 ] || fail "network namespaces need root"
  trap hosts_down EXIT
  trap 'exit 130' INT TERM
  local side
  for side in left right; do
    ip netns add "$tag-$side"
    ip -n "$tag-$side" link set lo up
  done
  ip link add eth0 netns "$tag-left" type veth peer name eth0 netns "$tag-right"
  ip -n "$tag-left" addr add 192.0.2.1/24 dev eth0
  ip -n "$tag-right" addr add 192.0.2.2/24 dev eth0
  for side in left right; do ip -n "$tag-$side" link set eth0 up; done
}

hosts_down() {
  local status=$? side pid
  stop "${background[@]}"
  for side in left right; do
    for pid in $(ip netns pids "$tag-$side" 2>/dev/null || true); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$tag-$side" 2>/dev/null || true
  done
  rm -rf "$work"
  exit "$status"
}

# A directory for a tinc-like node. The lines of $SETTINGS (separated by ;) are added to tinc.conf of both sides.
tinc_directory() { # SIDE NUMBER
  local side=$1 number=$2 directory=$work/$1
  mkdir -p "$directory/hosts"
  { echo "Name = $side"; if [ "$side" = left ]; then echo "ConnectTo = right"; fi; tr ';' '\n' <<<"${SETTINGS:-}"; } >"$directory/tinc.conf"
  printf '#!/bin/sh\nip link set dev $INTERFACE up\nip addr add 10.77.0.%s/24 dev $INTERFACE\n' "$number" >"$directory/tinc-up"
  chmod +x "$directory/tinc-up"
  if [ ! -e "$directory/rsa_key.priv" ]; then
    printf 'Address = 192.0.2.%s\nSubnet = 10.77.0.%s\n' "$number" "$number" >"$directory/hosts/$side"
    "$tincd" -c "$directory" -K 2048 </dev/null 2>/dev/null
  fi
}

tinc_pair() { # LEFT_PROGRAM RIGHT_PROGRAM: sets daemons=(left right)
  tinc_directory left 1
  tinc_directory right 2
  cp "$work/left/hosts/left" "$work/right/hosts/"
  cp "$work/right/hosts/right" "$work/left/hosts/"
  start right "$work/right/log" "$2" -n vpn -c "$work/right" "--pidfile=$work/right/pid" -D -d1
  local right=$last
  wait_for 20 "the right daemon's start" grep -q '^Ready' "$work/right/log"
  start left "$work/left/log" "$1" -n vpn -c "$work/left" "--pidfile=$work/left/pid" -D -d1
  daemons=("$last" "$right")
  settle
}

settle() { # until full-sized packets go through the tunnel, and path MTU discovery has had its time
  wait_for 20 "the first ping" on left ping -n -c 1 -W 1 10.77.0.2
  sleep "${SETTLE:-12}"
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
