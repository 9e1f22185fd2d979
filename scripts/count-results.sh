#!/bin/bash
# count-results.sh DIRECTORY [BROKEN]: the verdict over a directory of trx files. BROKEN names test runs that did
# not end well; they fail the verdict even if every result that was written down is good.
set -euo pipefail
directory=$1 broken=${2:-}

outcomes=$(grep -ho '<UnitTestResult [^>]*' "$directory"/*.trx 2>/dev/null | grep -o ' outcome="[A-Za-z]*"' || true)
count() { grep -c "outcome=\"$1\"" <<<"$outcomes" || true; }
passed=$(count Passed)
skipped=$(count NotExecuted)
failed=$(($(grep -c outcome <<<"$outcomes" || true) - passed - skipped))

verdict=0
if [ -n "${broken// /}" ]; then echo "did not end well:$broken"; verdict=1; fi
reasons=$(grep -h -A 6 'outcome="NotExecuted"' "$directory"/*.trx 2>/dev/null |
  sed -n 's,.*<Message>\(.*\)</Message>.*,\1,p' | sort | uniq -c | sort -rn || true)
if [ -n "$reasons" ]; then echo "skipped because:"; echo "$reasons"; fi
if [ "$(id -u)" = 0 ] && grep -qE '^ *[0-9]+ needs ' <<<"$reasons"; then
  echo "root must not skip what it needs: see above"
  verdict=1
fi
if [ "$failed" -gt 0 ] || [ "$passed" = 0 ]; then verdict=1; fi
echo "$passed passed, $failed failed, $skipped skipped"
exit "$verdict"
