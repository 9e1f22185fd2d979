#!/bin/bash
# install-tinc11.sh: as root, puts Debian experimental's tinc 1.1pre18 into $TINC11_PREFIX (default /opt/tinc-1.1), beside
# Debian's own tinc 1.0: sbin/tincd and sbin/tinc there run it with the libraries in its lib folder. The packages are
# fetched with lists and caches in a scratch folder, so apt's configuration and dpkg's database stay as they were.
# Does nothing when it is there already. DEBIAN_MIRROR: another mirror than deb.debian.org.
set -euo pipefail

prefix=${TINC11_PREFIX:-/opt/tinc-1.1}
version=1.1~pre18-1+b1
reported="tinc version 1.1~pre18 "
# Not in every release any more, so they come from the one that still has them.
libraries=(libminiupnpc17)

reports() { "$1" --version 2>/dev/null | head -n 1 || true; }

if [ "$(cat "$prefix/version" 2>/dev/null || true)" = "$version" ] && [[ $(reports "$prefix/sbin/tincd") = "$reported"* ]]; then exit 0; fi
if [ "$(id -u)" != 0 ]; then
  echo "Not root, so tinc 1.1 is not installed and the tests that need it are skipped."
  exit 0
fi

work=$(mktemp -d /tmp/tinc11.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{debs,root}
# shellcheck source=scripts/private-apt.sh
. "$(dirname "$0")/private-apt.sh" experimental bookworm

echo "Fetching tinc $version into $prefix"
private_apt update
cd "$work/debs"
private_apt download "tinc=$version" "${libraries[@]/%//bookworm}"
for package in *.deb; do dpkg-deb -x "$package" "$work/root"; done

# The library folder of the machine's own architecture goes last, so that only what is missing comes from here.
mkdir -p "$work/new/bin" "$work/new/lib" "$work/new/sbin"
cp "$work"/root/usr/sbin/{tinc,tincd} "$work/new/bin/"
find "$work/root/usr/lib" -name '*.so.*' -exec cp -P {} "$work/new/lib/" \;
for program in tinc tincd; do
  missing=$(LD_LIBRARY_PATH=$work/new/lib ldd "$work/new/bin/$program" | awk '/not found/ { print $1 }')
  if [ -n "$missing" ]; then echo "$program of tinc 1.1 lacks these libraries: $missing" >&2; exit 1; fi
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$prefix/lib" "$prefix/bin/$program" >"$work/new/sbin/$program"
  chmod +x "$work/new/sbin/$program"
done
echo "$version" >"$work/new/version"
chmod 755 "$work/new"
rm -rf "$prefix"
mkdir -p "$(dirname "$prefix")"
cp -R "$work/new" "$prefix"

found=$(reports "$prefix/sbin/tincd")
case $found in
  "$reported"*) ;;
  *) echo "tinc 1.1 must be '$reported', but it says '${found:-nothing}'." >&2; exit 1 ;;
esac
