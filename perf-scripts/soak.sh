#!/bin/bash
# soak.sh [--minutes N] [-- ARGUMENT...]: TCP, UDP and pings for N minutes (5) between four daemons in namespaces, started with these arguments, while
# keys change, the relay is restarted, the path's MTU changes and the processors are kept busy. Fails if a byte differs, memory grows, or a lost packet is
# in no counter. Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=5
if [ "${1:-}" = --minutes ] && [ $# -ge 2 ]; then
  minutes=$2
  shift 2
fi
if [ $# != 0 ] && [ "$1" != -- ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
[ $# = 0 ] || shift
[ -x artifacts/fastmesh/fastmesh ] || make --no-print-directory build
FASTMESH_SOAK_SECONDS=$((minutes * 60)) FASTMESH_SOAK_ARGUMENTS="$*" dotnet test tests/FastMesh.Interop.Tests -c Release --nologo \
  --filter FullyQualifiedName~SoakTests --logger "console;verbosity=detailed"
