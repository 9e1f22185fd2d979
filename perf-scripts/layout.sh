#!/bin/bash
# layout.sh [--setups "A B ..."] [--out DIRECTORY]: which methods a lone packet passes through, one symbol in a line, in the order of their first
# use: DIRECTORY/layout.txt, and when it is whole src/FastMesh.Cli/layout.txt. The native compiler puts the methods of that file next to each other (docs/PERFORMANCE.md says
# what for). To be run again, on a quiet machine and x86-64, when the path of a packet has other methods or other names.
# shellcheck source=perf-scripts/rounds.sh
. "$(dirname "$0")/rounds.sh"

setups="workers=1:fastmesh-fastmesh workers=1:fastmesh-tinc11 workers=1:fastmesh-tincd"
limit=20 # seconds per node

trace() { # NODE PROCESS: the methods that its first shard uses for single pings
  local program symbols base thread
  program=$(readlink "/proc/$2/exe")
  symbols=$work/symbols-$(dirname "$program" | tr / -)
  [ -e "$symbols" ] || nm -n --defined-only "$(dirname "$program")/.debug/fastmesh.dbg" | grep -i '^[0-9a-f]* t ' >"$symbols"
  base=$(awk -v program="$program" '$6 == program { print substr($1, 1, index($1, "-") - 1); exit }' "/proc/$2/maps")
  thread=$(grep -l '^fastmesh/0$' /proc/"$2"/task/*/comm | cut -d/ -f5)
  start "$near" "$work/log-ping" ping -n -i 0.5 "$target"
  "$work/steps" "$thread" "$limit" | "$here/layout.py" "$symbols" "$base" >>"$work/names"
  stop "$last"
  echo "$1: $(awk '!seen[$0]++' "$work/names" | wc -l) methods so far" >&2
}

options "$@"
gcc -O1 -o "$work/steps" "$here/steps.c"
mkdir -p "$out"
for setup in $setups; do
  bring_up "$setup" || fail "$setup does not come up"
  settle "$setup"
  use "$setup"
  IFS=- read -ra kinds <<<"${setup##*:}"
  for i in "${!names[@]}"; do
    case ${kinds[i]} in fastmesh*) trace "$setup, ${names[i]}" "${daemons[i]}" ;; esac
  done
done
awk '!seen[$0]++' "$work/names" >"$out/layout.txt"
cp "$out/layout.txt" "$root/src/FastMesh.Cli/layout.txt"
