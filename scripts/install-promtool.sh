#!/bin/sh
# install-promtool.sh: as root, puts promtool of Debian's package prometheus into /opt/prometheus/bin. The package itself is
# not installed, because it would start a server. Does nothing when it is there already.
set -eu

prefix=/opt/prometheus
[ ! -x "$prefix/bin/promtool" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "Not root, so promtool is not installed and the tests that need it are skipped."
  exit 0
fi

work=$(mktemp -d /tmp/promtool.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work"
fetch() { apt-get download -q -o APT::Sandbox::User=root prometheus; }
fetch || { apt-get update -q && fetch; }
dpkg-deb -x prometheus_*.deb root
mkdir -p "$prefix/bin"
cp root/usr/bin/promtool "$prefix/bin/"
