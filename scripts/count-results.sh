#!/bin/bash
# count-results.sh DIRECTORY [BROKEN]: the verdict over a directory of trx files. BROKEN names test runs that did
# not end well; they fail the verdict even if every result that was written down is good. Failed tests come last before the
# count, each with the first lines of its message: who keeps only the end of the output still learns what went wrong.
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
awk '
  / outcome="(Failed|Timeout|Aborted|Error)"/ && match($0, / testName="[^"]*"/) {
    print "FAILED " substr($0, RSTART + 11, RLENGTH - 12)
    inside = 1
  }
  inside && sub(/.*<Message>/, "") { lines = 3 }
  lines > 0 { last = sub(/<\/Message>.*/, ""); print "    " substr($0, 1, 300); lines = last ? 0 : lines - 1; inside = 0 }
  /<\/UnitTestResult>/ { inside = lines = 0 }
' "$directory"/*.trx 2>/dev/null | sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&#x[0-9A-Fa-f]*;/ /g; s/&amp;/\&/g' || true
if [ "$failed" -gt 0 ] || [ "$passed" = 0 ]; then verdict=1; fi
echo "$passed passed, $failed failed, $skipped skipped"
exit "$verdict"
