#!/bin/bash
# lib.sh: two hosts as network namespaces joined by a veth pair, daemons in them, waits and clean-up. Sourced, not run.
# shellcheck disable=SC2034,SC2154  # shared variables of the scripts that source this
#
#   left  192.0.2.1 ──veth── 192.0.2.2  right        inside the VPN: 10.77.0.1 and 10.77.0.2
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export fastmesh=${FASTMESH:-$root/artifacts/fastmesh/fastmesh}
export tincd=${TINCD:-/usr/sbin/tincd}
export tinc11=${TINC11_PREFIX:-/opt/tinc-1.1}/sbin
tag=fmperf$$
work=$(mktemp -d /tmp/fastmesh-perf.XXXXXX)
declare -a background=()
optional=""

fail() { # ends the script; while $optional is set it only says so and returns 1
  echo "$(basename "$0"): $*" >&2
  if [ -n "$optional" ]; then return 1; fi
  exit 1
}

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
    if [ "$SECONDS" -ge "$end" ]; then
      tail -n 15 "$work"/*/*/log "$work"/log-* >&2 2>/dev/null || true
      fail "$what did not happen"
      return 1
    fi
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

# The kinds of tinc-like nodes: tincd (1.0), tinc11 (1.1), fastmesh, and fastmesh10, which is FastMesh as a plain tinc 1.0 node.
program_of() { # KIND
  case $1 in
    tincd) echo "$tincd" ;;
    tinc11) echo "$tinc11/tincd" ;;
    *) echo "$fastmesh" ;;
  esac
}

# A directory for a tinc-like node. The lines of $SETTINGS (separated by ;) are added to tinc.conf of both sides.
tinc_directory() { # DIRECTORY SIDE NUMBER KIND GENERATION: 1.0 has RSA keys, 1.1 Ed25519 keys as well
  local directory=$1 side=$2 number=$3
  mkdir -p "$directory/hosts"
  {
    echo "Name = $side"
    if [ "$side" = left ]; then echo "ConnectTo = right"; fi
    if [ "$4" = fastmesh10 ]; then echo "ExperimentalProtocol = no"; fi
    if [ "$5" = 1.1 ]; then echo "AutoConnect = no"; fi
    tr ';' '\n' <<<"${SETTINGS:-}"
  } >"$directory/tinc.conf"
  printf '#!/bin/sh\nip link set dev $INTERFACE up\nip addr add 10.77.0.%s/24 dev $INTERFACE\n' "$number" >"$directory/tinc-up"
  chmod +x "$directory/tinc-up"
  if [ ! -e "$directory/rsa_key.priv" ]; then
    printf 'Address = 192.0.2.%s\nSubnet = 10.77.0.%s\n' "$number" "$number" >"$directory/hosts/$side"
    "$tincd" -c "$directory" -K 2048 </dev/null 2>/dev/null
    if [ "$5" = 1.1 ]; then "$tinc11/tinc" --batch -c "$directory" generate-ed25519-keys </dev/null 2>/dev/null; fi
  fi
}

tinc_pair() { # LEFT_KIND RIGHT_KIND: sets daemons=(left right)
  local pair=$work/$1-$2 generation=1.0 right
  case $1-$2 in *tinc11*) generation=1.1 ;; esac
  tinc_directory "$pair/left" left 1 "$1" "$generation"
  tinc_directory "$pair/right" right 2 "$2" "$generation"
  cp "$pair/left/hosts/left" "$pair/right/hosts/"
  cp "$pair/right/hosts/right" "$pair/left/hosts/"
  start right "$pair/right/log" "$(program_of "$2")" -n vpn -c "$pair/right" "--pidfile=$pair/right/pid" -D -d1
  right=$last
  wait_for 20 "the right daemon's start" grep -q '^Ready' "$pair/right/log"
  start left "$pair/left/log" "$(program_of "$1")" -n vpn -c "$pair/left" "--pidfile=$pair/left/pid" -D -d1
  daemons=("$last" "$right")
  settle
}

settle() { # until full-sized packets go through the tunnel, and path MTU discovery has had its time
  wait_for 20 "the first ping" on left ping -n -c 1 -W 1 10.77.0.2 || return 1
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
