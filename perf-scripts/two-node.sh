#!/bin/bash
# two-node.sh [LEFT [RIGHT]]: brings up a pair (fastmesh, fastmesh10, tincd or tinc11 each; default fastmesh fastmesh; with
# tinc11 both have directories of tinc 1.1) and keeps it until Enter or Ctrl-C. Prints how to get into either host. SETTINGS="Mode = switch;Cipher = aes-128-cbc" goes to both tinc.conf.
# shellcheck source=perf-scripts/lib.sh
. "$(cd "$(dirname "$0")" && pwd)/lib.sh"
# shellcheck source=perf-scripts/peers.sh
. "$root/perf-scripts/peers.sh"

left=${1:-fastmesh} right=${2:-$left}
hosts_up
SETTLE=${SETTLE:-0} tinc_pair "$left" "$right"
cat <<TEXT
left:  $left, pid ${daemons[0]}, inside 10.77.0.1    nsenter --net=/run/netns/$tag-left
right: $right, pid ${daemons[1]}, inside 10.77.0.2    nsenter --net=/run/netns/$tag-right
logs:  $work/$left-$right/left/log $work/$left-$right/right/log
Enter ends both.
TEXT
read -r _ || true
