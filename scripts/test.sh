#!/bin/bash
# test.sh: installs what is missing (root), builds, runs every test project and prints as its last line
#   N passed, N failed, N skipped
# counted from the trx files. Fails when a test failed, when a test host broke off, or when root skipped a test
# for a reason that starts with "needs" (that is how tests name a missing privilege, package or peer).
# TEST_TIME_LIMIT (seconds, default 1620) bounds the whole run; TEST_FILTER narrows the tests as dotnet test --filter does.
set -euo pipefail
cd "$(dirname "$0")/.."

configuration=${CONFIGURATION:-Release}
results=artifacts/test-results
limit=${TEST_TIME_LIMIT:-1620}
broken=""

scripts/install-packages.sh
make --no-print-directory build CONFIGURATION="$configuration"
if [ "$(id -u)" = 0 ]; then # beside the build; the tests themselves say what went wrong
  (scripts/deb-test.sh bookworm prepare && scripts/deb-test.sh trixie prepare) >/dev/null 2>&1 &
fi
dotnet build FastMesh.sln -c "$configuration" -v quiet --nologo
wait
rm -rf "$results"
mkdir -p "$results"

# rung NAME FILTER COMMAND...: one test run with its own trx file; COMMAND is dotnet, or what runs it elsewhere.
rung() {
  local name=$1 filter=$2 left=$((limit - SECONDS))
  shift 2
  if [ "$left" -le 0 ]; then broken="$broken $name(time limit)"; return; fi
  echo "== $name"
  timeout --kill-after=20 "$left" \
    "$@" -c "$configuration" --no-build --nologo --results-directory "$results" \
      --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" \
      --blame-hang-timeout 5m --blame-hang-dump-type none \
      --filter "$filter${TEST_FILTER:+&($TEST_FILTER)}" || broken="$broken $name"
}

for project in tests/FastMesh.*; do
  rung "$(basename "$project")" "Category!=NeedsMlKem" dotnet test "$project"
done

# Once more (Category=Debian13, all of Crypto and of Uring) what stands on libcrypto, ipsec-mb and liburing, and what only Debian 13's versions of them have.
if [ "$(id -u)" = 0 ]; then
  for project in Native Engine; do
    rung "FastMesh.$project.Tests-Debian13" "FullyQualifiedName~Crypto|FullyQualifiedName~Uring|Category=Debian13|Category=NeedsMlKem" \
      scripts/debian13.sh dotnet test "tests/FastMesh.$project.Tests"
  done
else
  echo "Not root: what needs Debian 13 (ML-KEM) is not run."
fi

scripts/count-results.sh "$results" "$broken"
