#!/bin/bash
# deb-test.sh SUITE: installs the packages of artifacts/deb (made by deb.sh if there are none) in a fresh root of a Debian release, where tinc is
# installed and has a net, upgrades them to a later version, removes and purges them; between, runs the demo with the program that was
# installed. Needs root. Roots are made with debootstrap the first time and kept in INSTALL_ROOTS (default /var/cache/fastmesh); each
# run works in a layer above one, in a mount namespace of its own, so nothing of it stays.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=$1 base=${INSTALL_ROOTS:-/var/cache/fastmesh}/install-$1
packages=libsodium23,zlib1g,liblz4-1,liblzo2-2,iproute2,net-tools,tinc
case $suite in
  bookworm) packages=$packages,libssl3,libipsec-mb1 ;;
  *) packages=$packages,libssl3t64,libipsec-mb2 ;;
esac

fail() { echo "deb-test.sh $suite: $*" >&2; exit 1; }

if [ -z "${FASTMESH_DEB_TEST:-}" ]; then
  [ "$(id -u)" = 0 ] || { echo "deb-test.sh needs root: it changes the root directory." >&2; exit 2; }
  if [ ! -e "$base/.complete" ]; then
    rm -rf "$base"
    mkdir -p "$base"
    debootstrap --variant=minbase --include="$packages" "$suite" "$base" >"$base.log" 2>&1 || { tail -n 20 "$base.log" >&2; exit 1; }
    touch "$base/.complete"
  fi
  ls artifacts/deb/*.deb >/dev/null 2>&1 || scripts/deb.sh
  work=$(mktemp -d /tmp/fastmesh-deb-test.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  PACKAGE_VERSION=0.1.0-1+later scripts/deb.sh "$work/later" >/dev/null
  FASTMESH_DEB_TEST=$work unshare --mount --propagation private "$0" "$suite"
  exit
fi

work=$FASTMESH_DEB_TEST
root=$work/root
mkdir -p "$work/layer" "$root"
mount -t tmpfs layer "$work/layer"
mkdir "$work/layer/upper" "$work/layer/work" "$work/bin"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/layer/upper,workdir=$work/layer/work" "$root"
for path in /proc /dev /sys; do mount --rbind "$path" "$root$path"; done
mkdir "$root/debs"
cp artifacts/deb/*.deb "$root/debs/"
mkdir "$root/debs/later"
cp "$work"/later/*.deb "$root/debs/later/"

package() { echo "/debs/$(cd "$root/debs" && echo "$1"_*.deb)"; } # NAME or later/NAME
in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
apt() { in_root apt-get -q -y --no-download --no-install-recommends -o APT::Sandbox::User=root "$@" >"$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; fail "apt-get $*"; }; }
nets() { (cd "$root/etc/tinc" && find . -path ./nets.boot -prune -o -type f -print0 | sort -z | xargs -0 sha256sum); }
said() { grep -qF "$1" "$root/systemctl.log" 2>/dev/null; }
is() { [ "$2" = "$3" ] || fail "$1: '$2' instead of '$3'"; }

# In place of systemd, which does not run here: what would be said to it is written down.
mkdir -p "$root/run/systemd/system" "$root/usr/local/bin"
printf '#!/bin/sh\necho "$*" >>/systemctl.log\ncase $* in *is-enabled*) echo enabled ;; esac\n' >"$root/usr/local/bin/systemctl"
chmod +x "$root/usr/local/bin/systemctl"

# A net, as tinc's user has it.
mkdir -p "$root/etc/tinc/office/hosts"
printf 'Name = alpha\n' >"$root/etc/tinc/office/tinc.conf"
printf 'Subnet = 10.6.0.1\n' >"$root/etc/tinc/office/hosts/alpha"
in_root /usr/sbin/tincd -n office -K 2048 </dev/null >/dev/null 2>&1
before=$(nets)

apt install "$(package fastmesh)"
in_root fastmesh --version | grep -q '^fastmesh ' || fail "the program does not run"
is "tincd beside fastmesh" "$(in_root tincd --version | cut -d' ' -f1-2)" "tinc version"
for page in man8/fastmesh.8 man5/fastmesh.conf.5; do [ -e "$root/usr/share/man/$page.gz" ] || fail "no $page"; done
[ -e "$root/lib/systemd/system/fastmesh@.service" ] || fail "no unit"
if said start || said stop; then fail "the first installation touched a service: $(cat "$root/systemctl.log")"; fi

# The demo: its daemons are those of the root, with the root's libraries and scripts' programs.
cat >"$work/bin/fastmesh" <<END
#!/bin/sh
for path in /etc/tinc /run /tmp /etc/hosts; do mount --rbind \$path $root\$path; done
exec chroot $root /usr/sbin/fastmesh "\$@"
END
chmod +x "$work/bin/fastmesh"
FASTMESH=$work/bin/fastmesh scripts/demo.sh >"$work/demo.log" 2>&1 || { cat "$work/demo.log" >&2; fail "the demo"; }
grep 'iperf3, one' "$work/demo.log"

apt install "$(package fastmesh-tincd)"
is "tinc, replaced" "$(in_root dpkg-query -W -f '${db:Status-Status}' tinc)" config-files
in_root tincd --version | grep -q '^fastmesh ' || fail "tincd is not fastmesh"
said "start tinc.service" || fail "the enabled nets of tinc were not started again"

: >"$root/systemctl.log"
apt install "$(package later/fastmesh)" "$(package later/fastmesh-tincd)"
is version "$(in_root dpkg-query -W -f '${Version} ' fastmesh fastmesh-tincd)" "0.1.0-1+later 0.1.0-1+later "
said "try-restart fastmesh@*.service" || fail "the upgrade does not restart the nets that run"
said "restart tinc.service" || fail "the upgrade does not restart tinc.service"
is "nets after the upgrade" "$(nets)" "$before"

apt remove fastmesh fastmesh-tincd
[ ! -e "$root/usr/lib/fastmesh" ] || fail "files stay"
said "stop fastmesh.service fastmesh@*.service" || fail "the removal does not stop the nets"
apt purge fastmesh fastmesh-tincd
is "nets after the purge" "$(nets)" "$before"
left=$(in_root find / -xdev '(' -path /debs -o -path /etc/tinc -o -path /tmp ')' -prune -o -name '*fastmesh*' -print)
is "files left behind" "$left" ""
echo "deb-test.sh $suite: installed, demo, tincd replaced, upgraded, removed and purged"
