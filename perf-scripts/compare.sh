#!/bin/bash
# compare.sh [--rounds N] [--seconds S] [--peers "A B ..."] [--out DIRECTORY] [--check]
#
# Measures pairs of daemons between two namespaces on this machine, interleaved round by round, and prints the medians
# as a table; DIRECTORY gets results.json and plot.svg. Pairs: fastmesh-fastmesh (which agree on AES-256-GCM where it is fast),
# tincd-tincd (1.0), fastmesh-tincd, fastmesh-tinc11 (SPTPS), tinc11-tinc11, and those of wireguard-go, openvpn, nebula and fastd
# that are installed and come up; "plain" is the veth without a VPN; fastmesh10 is FastMesh as a plain tinc 1.0 node.
# --check measures only what the floors need and fails when FastMesh is below one of them in any row (report.py lists them).
# FASTMESH, TINCD: the programs. SETTINGS: lines for both tinc.conf, separated by ';'.
# Both ends share the processors of this machine, so CPU seconds per gigabyte is the steadiest row.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=perf-scripts/lib.sh
. "$here/lib.sh"
# shellcheck source=perf-scripts/peers.sh
. "$here/peers.sh"

rounds=3 seconds=4 peers="" out=$root/artifacts/perf check=""
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --peers) peers=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --check) check=--check; shift ;;
    *) sed -n '2,12p' "$0" >&2; exit 2 ;;
  esac
done
if [ -n "$check" ]; then peers="fastmesh-fastmesh fastmesh-tinc11 tinc11-tinc11 fastmesh10-fastmesh10 tincd-tincd"; fi
peers=${peers:-$(available_peers)}
command -v iperf3 >/dev/null || fail "needs iperf3"
mkdir -p "$out"
samples=$out/samples.tsv
: >"$samples"

record() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$samples"; } # PAIR ROW VALUE

target=10.77.0.2

server() {
  start right "$work/iperf-server" iperf3 -s -1 -B "$target"
  wait_for 10 "iperf3 listening" on right sh -c 'ss -Hltn sport = 5201 | grep -q .'
}

tcp() { # PAIR ROW STREAMS
  local pair=$1 row=$2 streams=$3 before busy after
  server
  before=$(cpu_ticks "${daemons[@]}") busy=$(system_ticks)
  on left iperf3 -J -c "$target" -t "$seconds" -P "$streams" >"$work/report" || { record "$pair" "$row" 0; return; }
  after=$(cpu_ticks "${daemons[@]}") busy=$(($(system_ticks) - busy))
  record "$pair" "$row" "$("$here/report.py" iperf-mbit "$work/report")"
  if [ "$streams" = 1 ]; then
    record "$pair" "CPU s/GB, daemons" "$("$here/report.py" iperf-cpu "$work/report" $((after - before)))"
    record "$pair" "CPU s/GB, machine" "$("$here/report.py" iperf-cpu "$work/report" "$busy")"
  fi
}

udp() { # PAIR ROW LENGTH RATE: datagrams that arrive in a second when more are sent than anything here can carry
  server
  on left iperf3 -J -u -c "$target" -t "$seconds" -l "$3" -b "$4" >"$work/report" || { record "$1" "$2" 0; return; }
  record "$1" "$2" "$("$here/report.py" iperf-packets "$work/report")"
}

latency() { # PAIR
  on left ping -n -i 0.01 -c 300 "$target" >"$work/report" || true
  record "$1" "RTT median, us" "$("$here/report.py" ping-median "$work/report")"
}

bring_up() { # PAIR: third-party peers may fail to come up, which returns 1
  local setup status=0
  setup=$(setup_of "$1")
  target=10.77.0.2 daemons=()
  case $setup in
    setup_tinc | setup_plain) "$setup" "$1"; return ;;
  esac
  optional=yes
  "$setup" "$1" || status=1
  optional=""
  return "$status"
}

measure() { # PAIR
  bring_up "$1" || { left_out="$left_out $1 "; stop "${daemons[@]}"; echo "left out, because it does not come up: $1" >&2; return 0; }
  latency "$1"
  tcp "$1" "TCP 1 stream, Mbit/s" 1
  tcp "$1" "TCP 4 streams, Mbit/s" 4
  udp "$1" "UDP 64 B, packets/s" 64 100M
  udp "$1" "UDP 1200 B, packets/s" 1200 3G
  stop "${daemons[@]}"
}

hosts_up
left_out=""
for round in $(seq "$rounds"); do
  for pair in $peers; do
    if [[ $left_out = *" $pair "* ]]; then continue; fi
    echo "round $round of $rounds: $pair" >&2
    measure "$pair"
  done
done
"$here/report.py" table "$samples" "$out" $check
