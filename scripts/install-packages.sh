#!/bin/sh
# install-packages.sh [PACKAGE...]: as root, installs the Debian packages that the tests, the demo and the comparison use, and those
# named, as far as they are missing; then checks the version of the daemon that is the reference, and puts tinc 1.1 beside it
# (install-tinc11.sh). Without root it only says so.
set -eu

packages="tinc iperf3 nftables iproute2 iputils-ping liblzo2-2 liblz4-1 libsodium23 liburing2 net-tools socat tcpdump openssl
  util-linux procps debootstrap debian-archive-keyring libncurses6 gcc libc6-dev mandoc zsh
  dpkg-dev debhelper lintian systemd docker-compose chromium python3-jsonschema python3-pyte miniupnpd-nftables $*"
reference="tinc version 1.0.36"

# Some names differ: those of ipsec-mb and miniupnpc carry their sonames, and Debian 13 marks libraries with 64-bit time.
case $(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release) in
  12) packages="$packages libipsec-mb1 libminiupnpc17 libreadline8" ;;
  *) packages="$packages libipsec-mb2 libminiupnpc18 libreadline8t64" ;;
esac

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'; }

missing=""
for package in $packages; do installed "$package" || missing="$missing $package"; done

if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "Not root, so these packages stay missing and the tests that need them are skipped:$missing"
    exit 0
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # shellcheck disable=SC2086  # a list of names
  apt-get install -q -y --no-install-recommends $missing
fi

version=$(/usr/sbin/tincd --version 2>/dev/null | head -n 1 || true)
case $version in
  "$reference"*) ;;
  *) echo "The reference daemon must be '$reference', this machine has '${version:-none}'." >&2; exit 1 ;;
esac

"$(dirname "$0")/install-promtool.sh"
exec "$(dirname "$0")/install-tinc11.sh"
