#!/bin/bash
# rounds.sh: brings set-ups up side by side, visits them round by round and records what each row measures. Sourced.
# shellcheck disable=SC2034,SC2154  # shared variables of the scripts that source this
#
# A script sets $setups (the default list), defines rows_of SETUP (names of row_... functions) and calls: run "$@"
# Options of all of them: [--rounds N] [--seconds S] [--out DIRECTORY] [--setups "A B ..."] [--rows "X Y ..."], rows being rtt, tcp, back,
# tcp4, udp64, batch64, udp1200 and loaded.
# DIRECTORY gets samples.tsv, about.tsv, results.json, report.md and plots; $SETTLE is the time for path MTU discovery, in seconds.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=perf-scripts/lib.sh
. "$here/lib.sh"
# shellcheck source=perf-scripts/peers.sh
. "$here/peers.sh"

script=$(basename "$0" .sh)
rounds=5 seconds=2 pings=300 rows="" out=$root/artifacts/perf/$script

usage() { # the comment at the top of the script
  sed -n '/^# shellcheck/d; 2,/^[^#]/ s/^#\( \|$\)//p' "$0" >&2
  exit 2
}

options() { # ARGUMENT...: what is not known here goes to option NAME VALUE of the script, which returns how many words it took
  local taken
  while [ $# -gt 0 ]; do
    case $1 in
      --rounds) rounds=$2; shift 2 ;;
      --seconds) seconds=$2; shift 2 ;;
      --out) out=$2; shift 2 ;;
      --setups) setups=$2; shift 2 ;;
      --rows) rows=$2; shift 2 ;;
      *)
        taken=0
        if declare -F option >/dev/null; then option "$@" || taken=$?; fi
        [ "$taken" -gt 0 ] || usage
        shift "$taken" ;;
    esac
  done
}

run() { # ARGUMENT...
  local setup round row
  local -a up=()
  if [ $# -gt 0 ]; then options "$@"; fi
  command -v iperf3 >/dev/null || fail "needs iperf3"
  mkdir -p "$out"
  : >"$out/samples.tsv"
  for setup in $setups; do
    if available "$setup" && bring_up "$setup"; then up+=("$setup"); else echo "left out: $setup" >&2; fi
  done
  [ "${#up[@]}" -gt 0 ] || fail "nothing to measure"
  about "${up[@]}" >"$out/about.tsv"
  settle "${up[@]}"
  for round in $(seq "$rounds"); do
    for setup in "${up[@]}"; do
      echo "round $round of $rounds: $setup" >&2
      use "$setup"
      for row in ${rows:-$(rows_of "$setup")}; do "row_$row" "$setup"; done
    done
    up=("${up[@]:1}" "${up[0]}") # so that nobody always comes after the same other
  done
  "$here/report.py" results "$out"
}

# Path MTU discovery needs traffic and time; one uncounted second of TCP lets .NET and Go warm up. From then on, a packet every five
# seconds keeps what the daemons have found out while other set-ups are measured.
settle() { # SETUP...
  local setup from to
  local -a settling=()
  for setup in "$@"; do
    use "$setup"
    while read -r from to; do
      start "$from" "$work/$net/log-settle" ping -n -q -i 0.2 -w "${SETTLE:-12}" "$to"
      settling+=("$last")
      start "$from" "$work/$net/log-alive" ping -n -q -i 5 "$to"
    done < <(ways)
  done
  wait "${settling[@]}" || true
  for setup in "$@"; do
    use "$setup"
    seconds=1 iperf || true
  done
}

ways() { echo "$near $target"; } # lines HOST ADDRESS: between which nodes there is traffic

about() { # SETUP...: machine, time and versions, as NAME TAB VALUE
  printf 'script\t%s\n' "$script"
  printf 'date\t%s\n' "$(date -u +%Y-%m-%d)"
  printf 'machine\t%s, %s processors, Linux %s, TCP with %s\n' "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -r | cut -d- -f1)" \
    "$(cat /proc/sys/net/ipv4/tcp_congestion_control)"
  printf 'load before\t%s\n' "$(cut -d' ' -f1 /proc/loadavg)"
  printf 'rounds\t%s\n' "$rounds"
  printf 'seconds\t%s\n' "$seconds"
  printf 'FastMesh\t%s\n' "$(git -C "$root" log -1 --format=%h -- src 2>/dev/null || "$fastmesh" --version | head -n 1)$(git -C "$root" diff --quiet HEAD -- src 2>/dev/null || echo ", changed")"
  case "$*" in *tincd*) printf 'tinc 1.0\t%s\n' "$("$tincd" --version 2>/dev/null | sed -n '1 s/^tinc version \([^ ]*\).*/\1/p')" ;; esac
  case "$*" in *tinc11*) printf 'tinc 1.1\t%s\n' "$("$tinc11/tincd" --version 2>/dev/null | sed -n '1 s/^tinc version \([^ ]*\).*/\1/p')" ;; esac
  case "$*" in *wireguard-go*) printf 'wireguard-go\t%s\n' "$(cat "$(dirname "$wireguard")/../version" 2>/dev/null || "$wireguard" --version | sed -n '1 s/.* //p')" ;; esac
}

record() { # SETUP ROW VALUE
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$out/samples.tsv"
}

server() { # PORT: iperf3 for one client at the far end; its pid is in $last
  start "$far" "$work/$net/log-server" iperf3 -s -1 -B "$target" -p "$1"
  wait_for 5 "iperf3 listening" on "$far" sh -c "ss -Hltn sport = $1 | grep -q ."
}

iperf() { # ARGUMENT...: one run between the ends; the report is in $work/report, the time it took in $ticks (daemons) and $busy (machine)
  local status=0 server
  server 5201 || return 1
  server=$last
  ticks=$(cpu_ticks "${daemons[@]}") busy=$(system_ticks)
  on "$near" timeout -k 2 $((seconds + 15)) iperf3 -J -c "$target" -t "$seconds" "$@" >"$work/report" 2>/dev/null || status=1
  ticks=$(($(cpu_ticks "${daemons[@]}") - ticks)) busy=$(($(system_ticks) - busy))
  if [ "$status" != 0 ]; then
    stop "$server"
    echo "no result: iperf3 $*" >&2
  else
    wait "$server" 2>/dev/null || true
  fi
  return "$status"
}

samples() { # SETUP WHAT ARGUMENT...: what report.py reads out of $work/report
  local setup=$1
  shift
  "$here/report.py" "$@" "$work/report" | sed "s,^,$setup	," >>"$out/samples.tsv"
}

row_tcp() { if iperf; then samples "$1" tcp "TCP 1 stream" "$ticks" "$busy"; fi; }
row_back() { if iperf -R; then samples "$1" tcp "TCP 1 stream back"; fi; }
row_tcp4() { if iperf -P 4; then samples "$1" tcp "TCP 4 streams"; fi; }

# More datagrams are sent than anything here can carry; those that arrive in a second count.
row_udp64() { if iperf -u -l 64 -b 100M; then samples "$1" udp "UDP 64 B"; fi; }

# iperf3 takes a system call or two for each datagram, and its receiver is what is slow then. These ends take 32 at a time.
row_batch64() {
  local receiver
  [ -x "$work/datagrams" ] || gcc -O2 -o "$work/datagrams" "$here/datagrams.c"
  start "$far" "$work/report" "$work/datagrams" receive "$target" 5202
  receiver=$last
  wait_for 5 "the receiver" on "$far" sh -c "ss -Hlun sport = 5202 | grep -q ."
  on "$near" "$work/datagrams" send "$target" 5202 300000 "$seconds"
  wait "$receiver" || true
  record "$1" "UDP 64 B in batches, packets/s" "$(cat "$work/report")"
}

row_udp1200() { if iperf -u -l 1200 -b 3G; then samples "$1" udp "UDP 1200 B"; fi; }

row_rtt() {
  on "$near" ping -n -i 0.01 -c "$pings" "$target" >"$work/report" || true
  samples "$1" ping "RTT"
}

row_loaded() { # pings beside one TCP stream in the same direction
  local client server
  server 5201 || return 0
  server=$last
  start "$near" "$work/load" iperf3 -c "$target" -t $((seconds + 2))
  client=$last
  sleep 1
  on "$near" ping -n -i 0.01 -w "$seconds" "$target" >"$work/report" || true
  stop "$client" "$server"
  samples "$1" ping "RTT under load"
}
