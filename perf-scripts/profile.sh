#!/bin/bash
# profile.sh [PID] [SECONDS]: perf record of a running daemon with call graphs, then the hottest symbols.
# Without a PID it brings up two FastMesh nodes, sends one TCP stream through them and profiles the receiving one.
# .NET method names need the daemon to run with DOTNET_PerfMapEnabled=1; without a PID that is done here.
# shellcheck source=perf-scripts/lib.sh
. "$(cd "$(dirname "$0")" && pwd)/lib.sh"

pid=${1:-} seconds=${2:-5}
command -v perf >/dev/null || fail "needs perf (package linux-perf)"
if [ -z "$pid" ]; then
  export DOTNET_PerfMapEnabled=1
  hosts_up
  tinc_pair fastmesh fastmesh
  pid=${daemons[1]}
  start right "$work/iperf-server" iperf3 -s -1 -B 10.77.0.2
  wait_for 10 "iperf3 listening" on right sh -c 'ss -Hltn sport = 5201 | grep -q .'
  start left "$work/iperf-client" iperf3 -c 10.77.0.2 -t $((seconds + 3))
  sleep 1
else
  trap 'rm -rf "$work"' EXIT
fi
perf record -q -g -F 999 -p "$pid" -o "$work/perf.data" -- sleep "$seconds"
perf report -i "$work/perf.data" --no-children --percent-limit 0.5 --stdio --sort dso,symbol -g none 2>/dev/null
