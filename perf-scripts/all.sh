#!/bin/bash
# all.sh [--rounds N] [--seconds S] [DOCUMENT...]: every measurement, then their tables and plots into the documents (default
# docs/PERFORMANCE.md and README.md). Installs the daemons to compare with. Takes about 25 minutes and wants a quiet machine.
set -euo pipefail
cd "$(dirname "$0")/.."

options=()
while [[ ${1:-} = --* ]]; do
  options+=("$1" "$2")
  shift 2
done
documents=("$@")
if [ $# = 0 ]; then documents=(docs/PERFORMANCE.md README.md); fi
scripts/install-packages.sh
scripts/install-wireguard-go.sh

measure() { # SCRIPT ARGUMENT...
  local script=$1 status=0
  shift
  "perf-scripts/$script.sh" "$@" "${options[@]}" || status=$?
  perf-scripts/report.py markdown "artifacts/perf/$script" "${documents[@]}"
  return "$status"
}

measure compare --check || echo "some of what is required was missed" >&2
measure loaded --rounds 3
measure scaling --rounds 3
measure metrics
measure mesh --rounds 3 --seconds 1
