#!/bin/sh
# debian13.sh COMMAND...: as root, runs a command in a Debian 13 root that has what only Debian 13 has: OpenSSL 3.5 (ML-KEM),
# ipsec-mb 2.0, liburing 2.9. The root is made with debootstrap the first time (half a minute) and kept in DEBIAN13_ROOT (default
# /var/cache/fastmesh/debian13); this checkout and the machine's .NET and NuGet packages are bound in at their own paths, in a mount namespace of
# its own, so nothing stays mounted whatever happens to the command.
set -eu

root=${DEBIAN13_ROOT:-/var/cache/fastmesh/debian13}
packages=ca-certificates,libssl3t64,libicu76,libsodium23,libipsec-mb2,liblz4-1,liblzo2-2,liburing2,iproute2,procps
here=$(cd "$(dirname "$0")/.." && pwd)
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
nuget=${NUGET_PACKAGES:-$HOME/.nuget/packages}

[ "$(id -u)" = 0 ] || { echo "debian13.sh needs root: it changes the root directory." >&2; exit 2; }
[ $# -gt 0 ] || { echo "usage: debian13.sh COMMAND..." >&2; exit 2; }

if [ "$(cat "$root/.complete" 2>/dev/null)" != "$packages" ]; then
  rm -rf "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase --include="$packages" trixie "$root" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
  rm -rf "$root/var/cache/apt/archives"/*.deb
  echo "$packages" >"$root/.complete"
fi

export here dotnet nuget root
exec unshare --mount --propagation private sh -euc '
  for path in "$here" "$dotnet" "$nuget"; do
    mkdir -p "$root$path"
    mount --rbind "$path" "$root$path"
  done
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --rbind /sys "$root/sys"
  exec chroot "$root" /usr/bin/env -i HOME=/root PATH="$dotnet:/usr/sbin:/usr/bin:/sbin:/bin" DOTNET_ROOT="$dotnet" NUGET_PACKAGES="$nuget" \
    DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 LANG=C.UTF-8 FASTMESH_DEBIAN13=1 sh -euc "cd \"\$0\" && exec \"\$@\"" "$here" "$@"
' debian13 "$@"
