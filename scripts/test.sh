#!/bin/bash
# test.sh: installs what is missing (root), builds, runs every test project and prints as its last line
#   N passed, N failed, N skipped
# counted from the trx files. Fails when a test failed, when a test host broke off, or when root skipped a test
# for a reason that starts with "needs" (that is how tests name a missing privilege, package or peer).
# TEST_TIME_LIMIT (seconds, default 1500) bounds the whole run; TEST_FILTER goes to dotnet test --filter.
set -euo pipefail
cd "$(dirname "$0")/.."

configuration=${CONFIGURATION:-Release}
results=artifacts/test-results
limit=${TEST_TIME_LIMIT:-1500}
broken=""

scripts/install-packages.sh
make --no-print-directory build CONFIGURATION="$configuration"
dotnet build FastMesh.sln -c "$configuration" -v quiet --nologo
rm -rf "$results"
mkdir -p "$results"

for project in tests/FastMesh.*; do
  name=$(basename "$project")
  left=$((limit - SECONDS))
  if [ "$left" -le 0 ]; then broken="$broken $name(time limit)"; continue; fi
  echo "== $name"
  timeout --kill-after=20 "$left" \
    dotnet test "$project" -c "$configuration" --no-build --nologo --results-directory "$results" \
      --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" \
      --blame-hang-timeout 5m --blame-hang-dump-type none \
      ${TEST_FILTER:+--filter "$TEST_FILTER"} || broken="$broken $name"
done

scripts/count-results.sh "$results" "$broken"
