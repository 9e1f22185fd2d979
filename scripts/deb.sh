#!/bin/bash
# deb.sh [DIRECTORY]: makes the Debian packages in DIRECTORY (artifacts/deb) from the program that "make build" has made, and has lintian
# look at them. PACKAGE_VERSION=0.1.0-2: another version than the changelog's last one, and no lintian. The machine's glibc is the oldest that the program
# runs with: packages of Debian 12 run on Debian 13 too.
set -euo pipefail
cd "$(dirname "$0")/.."

output=$(realpath -m "${1:-artifacts/deb}")
scripts/install-packages.sh >/dev/null
work=$(mktemp -d /tmp/fastmesh-deb.XXXXXX)
trap 'rm -rf "$work"' EXIT

# dpkg-buildpackage leaves its results beside the tree it works in: that is a copy.
mkdir "$work/fastmesh"
tar -c --exclude-vcs --exclude=./artifacts --exclude=bin --exclude=obj . | tar -x -C "$work/fastmesh"
mkdir "$work/fastmesh/artifacts"
cp -a artifacts/fastmesh "$work/fastmesh/artifacts/"
cd "$work/fastmesh"
if [ -n "${PACKAGE_VERSION:-}" ]; then
  { sed -n "1s/([^)]*)/($PACKAGE_VERSION)/p; 2,5p" debian/changelog; echo; cat debian/changelog; } >"$work/changelog"
  mv "$work/changelog" debian/changelog
fi
dpkg-buildpackage --build=binary --no-check-builddeps --unsigned-source --unsigned-changes >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }

mkdir -p "$output"
rm -f "$output"/*
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$output/"
[ -n "${PACKAGE_VERSION:-}" ] || lintian --allow-root --fail-on error,warning "$output"/*.changes
ls "$output"/*.deb
