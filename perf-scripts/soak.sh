#!/bin/bash
# soak.sh [--minutes N]: TCP, UDP and pings for N minutes (5) between four daemons in namespaces, while keys change, the relay is restarted, the path's
# MTU changes and the processors are kept busy. Fails if a byte differs, memory grows, or a lost packet is in no counter. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=5
if [ "${1:-}" = --minutes ] && [ $# = 2 ]; then minutes=$2; elif [ $# != 0 ]; then sed -n '2,3s/^# //p' "$0" >&2; exit 2; fi
[ -x artifacts/fastmesh/fastmesh ] || make --no-print-directory build
FASTMESH_SOAK_SECONDS=$((minutes * 60)) dotnet test tests/FastMesh.Interop.Tests -c Release --nologo \
  --filter FullyQualifiedName~SoakTests --logger "console;verbosity=detailed"
