#!/bin/bash
# profile.sh [--seconds S] [--setups SETUP] [--end INDEX] [--out DIRECTORY]: where a daemon's time goes while one TCP stream runs.
# --end: which node of the set-up, 0 being the sender; default the last, which receives. DIRECTORY gets perf.data, the shares of kernel,
# crypto, FastMesh and runtime with the hottest symbols (profile.txt), and call graphs (calls.txt).
# perf finds the names of methods in the symbols that "make build" leaves beside the program, in .debug.
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

setups="fastmesh-fastmesh"
end=-1 seconds=5 warm=1
option() { case $1 in --end) end=$2; return 2 ;; esac; }
options "$@"
command -v perf >/dev/null || fail "needs perf (package linux-perf)"
bring_up "$setups" || fail "$setups does not come up"
settle "$setups"
use "$setups"
mkdir -p "$out"
seconds=$warm iperf || fail "no stream through $setups"
server 5201
start "$near" "$work/client" iperf3 -c "$target" -t $((seconds + 3))
sleep 1
perf record -q -g -F 999 -p "${daemons[$end]}" -o "$out/perf.data" -- sleep "$seconds"
perf report -i "$out/perf.data" --no-children --percent-limit 0.05 --stdio -t '	' -F overhead,dso,symbol -g none >"$work/report" 2>/dev/null
"$here/report.py" profile "$work/report" | tee "$out/profile.txt"
perf report -i "$out/perf.data" --no-children --percent-limit 1 --stdio -g caller >"$out/calls.txt" 2>/dev/null
