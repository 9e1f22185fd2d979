#!/bin/bash
# install-wireguard-go.sh: as root, puts wireguard-go of Debian sid into $WIREGUARD_GO_PREFIX (default /opt/wireguard-go), for the
# measurements of perf-scripts. Does nothing when it is there already.
set -euo pipefail

prefix=${WIREGUARD_GO_PREFIX:-/opt/wireguard-go}
version=0.0.20260522-1

if [ "$(cat "$prefix/version" 2>/dev/null || true)" = "$version" ]; then exit 0; fi
[ "$(id -u)" = 0 ] || { echo "Not root, so wireguard-go $version is not installed." >&2; exit 1; }

work=$(mktemp -d /tmp/wireguard-go.XXXXXX)
trap 'rm -rf "$work"' EXIT
# shellcheck source=scripts/private-apt.sh
. "$(dirname "$0")/private-apt.sh" sid

echo "Fetching wireguard-go $version into $prefix"
private_apt update
cd "$work"
private_apt download "wireguard-go=$version"
dpkg-deb -x wireguard-go_*.deb "$work/root"
"$work/root/usr/bin/wireguard-go" --version >/dev/null
mkdir -p "$prefix/bin"
cp "$work/root/usr/bin/wireguard-go" "$prefix/bin/"
echo "$version" >"$prefix/version"
